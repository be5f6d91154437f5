/**
 * Coarse timers for request time-outs: precision one tick (10 ms, never early). Arming and disarming are a
 * few stores, because a timer whose deadline moves later stays where it is linked and is looked at again when
 * that slot comes up (hashed wheel, Varghese and Lauck 1987, with lazy re-insertion). Nothing runs while no
 * timer is linked.
 */
import type { Clock } from './clock.ts';
import { type Closable, nothingToClose } from './closable.ts';

const TICK_MS = 10;
const SLOTS = 1024;

export class WheelTimer {
  /** The moment to fire at, or Infinity when disarmed. */
  dueMs = Number.POSITIVE_INFINITY;
  /** The tick at which the wheel looks at this timer, or -1 when it is not linked. */
  tick = -1;
  previous: WheelTimer | undefined;
  next: WheelTimer | undefined;
  readonly callback: () => void;
  readonly #wheel: TimerWheel;

  constructor(wheel: TimerWheel, callback: () => void) {
    this.#wheel = wheel;
    this.callback = callback;
  }

  /** Fires once, `delayMs` from now; an earlier arming is forgotten. */
  arm(delayMs: number): void {
    this.#wheel.schedule(this, this.#wheel.nowMs() + delayMs);
  }

  armAt(dueMs: number): void {
    this.#wheel.schedule(this, dueMs);
  }

  disarm(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
  }

  /** Disarms, and lets go of the wheel's reference at once. */
  close(): void {
    this.disarm();
    this.#wheel.unlink(this);
  }
}

export class TimerWheel implements Closable {
  readonly #clock: Clock;
  readonly #slots: (WheelTimer | undefined)[] = new Array(SLOTS).fill(undefined);
  #linked = 0;
  /** Every slot up to this tick has been looked at. */
  #doneTick: number;
  #wake: Closable = nothingToClose;
  #wakeTick = Number.POSITIVE_INFINITY;
  #closed = false;
  #stoodMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#doneTick = Math.floor(clock.nowMs() / TICK_MS);
  }

  /** Timers that hold a place in the wheel (armed, or disarmed and not yet looked at). */
  get size(): number {
    return this.#linked;
  }

  nowMs(): number {
    return this.#stoodMs ?? this.#clock.nowMs();
  }

  /**
   * Until `goOn` it is now: for the callback of one read, which asks for the time a dozen times at 0.1 µs
   * each. Whoever calls it calls `goOn` before it returns.
   */
  standStill(): void {
    this.#stoodMs = this.#clock.nowMs();
  }

  goOn(): void {
    this.#stoodMs = undefined;
  }

  /** The date, by the same clock. */
  wallMs(): number {
    return this.#clock.wallMs();
  }

  timer(callback: () => void): WheelTimer {
    return new WheelTimer(this, callback);
  }

  schedule(timer: WheelTimer, dueMs: number): void {
    timer.dueMs = dueMs;
    if (this.#closed) return;
    // One tick more than the division says: never early.
    const tick = Math.max(Math.floor(dueMs / TICK_MS) + 1, this.#doneTick + 1);
    if (timer.tick !== -1) {
      if (timer.tick <= tick) return;
      this.unlink(timer);
    }
    this.#link(timer, tick);
    if (timer.tick < this.#wakeTick) this.#wakeAt(timer.tick);
  }

  unlink(timer: WheelTimer): void {
    if (timer.tick === -1) return;
    if (timer.previous === undefined) this.#slots[timer.tick % SLOTS] = timer.next;
    else timer.previous.next = timer.next;
    if (timer.next !== undefined) timer.next.previous = timer.previous;
    timer.previous = undefined;
    timer.next = undefined;
    timer.tick = -1;
    this.#linked--;
    if (this.#linked === 0) this.#sleep();
  }

  /** Nothing fires any more. Its timers may still be closed, in any order. */
  close(): void {
    this.#closed = true;
    for (const slot of this.#slots.keys()) {
      for (let timer = this.#slots[slot]; timer !== undefined; timer = this.#slots[slot]) this.unlink(timer);
    }
    this.#sleep();
  }

  #link(timer: WheelTimer, tick: number): void {
    // Farther away than one turn: looked at, and linked again, at the last slot of this turn.
    timer.tick = Math.min(tick, this.#doneTick + SLOTS - 1);
    const slot = timer.tick % SLOTS;
    const first = this.#slots[slot];
    timer.next = first;
    if (first !== undefined) first.previous = timer;
    this.#slots[slot] = timer;
    this.#linked++;
  }

  #sleep(): void {
    this.#wake.close();
    this.#wake = nothingToClose;
    this.#wakeTick = Number.POSITIVE_INFINITY;
  }

  #wakeAt(tick: number): void {
    this.#wake.close();
    this.#wakeTick = tick;
    const delayMs = Math.max(1, tick * TICK_MS - this.#clock.nowMs());
    this.#wake = this.#clock.after(delayMs, () => this.#turn());
  }

  #turn(): void {
    this.#wakeTick = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.nowMs();
    const nowTick = Math.floor(nowMs / TICK_MS);
    // After a long pause every slot is looked at once.
    const from = Math.max(this.#doneTick + 1, nowTick - SLOTS + 1);
    for (let tick = from; tick <= nowTick; tick++) {
      this.#doneTick = tick;
      this.#expire(tick % SLOTS, nowMs);
    }
    this.#doneTick = Math.max(this.#doneTick, nowTick);
    if (this.#linked > 0) this.#wakeAt(this.#nextTick());
  }

  #expire(slot: number, nowMs: number): void {
    let timer = this.#slots[slot];
    this.#slots[slot] = undefined;
    const fired: WheelTimer[] = [];
    while (timer !== undefined) {
      const next: WheelTimer | undefined = timer.next;
      timer.previous = undefined;
      timer.next = undefined;
      timer.tick = -1;
      this.#linked--;
      if (timer.dueMs <= nowMs) fired.push(timer);
      else if (timer.dueMs !== Number.POSITIVE_INFINITY) {
        this.#link(timer, Math.max(Math.floor(timer.dueMs / TICK_MS) + 1, this.#doneTick + 1));
      }
      timer = next;
    }
    for (const due of fired) {
      // An earlier callback of this tick may have disarmed or moved it.
      if (due.dueMs > nowMs) continue;
      due.dueMs = Number.POSITIVE_INFINITY;
      due.callback();
    }
  }

  #nextTick(): number {
    for (let tick = this.#doneTick + 1; tick < this.#doneTick + SLOTS; tick++) {
      if (this.#slots[tick % SLOTS] !== undefined) return tick;
    }
    return this.#doneTick + SLOTS;
  }
}
