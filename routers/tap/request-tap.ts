/**
 * Where a data thread tells about requests. With no interests it costs one test of a boolean a request; with
 * some, the requests that an interest may want get a Story, and those that it does want leave as lines of
 * JSON, in batches. Nothing here waits for anybody: what the other side does not take is dropped and counted.
 */
import type { Closable } from '../../src/base/closable.ts';
import type { Rng } from '../../src/base/rng.ts';
import type { Counter, Scope } from '../../src/base/stats.ts';
import type { TimerWheel, WheelTimer } from '../../src/base/timer-wheel.ts';
import type { Exchange } from '../exchange.ts';
import { isSampledAt } from '../headers/trace-id.ts';
import { holds, type Interest } from './interest.ts';
import { LineBytes } from './line-bytes.ts';
import { Story, type StoryOrigin } from './story.ts';

const BATCH_BYTES = 256 * 1024;
const BATCH_MS = 100;

/**
 * Lines in UTF-8, each with its line feed. The line with index i belongs to the interests whose bits are set
 * in `masks[i]`.
 */
export type StoryBatch = { readonly lines: Buffer; readonly masks: readonly number[] | Uint32Array };

export type RequestTapDeps = {
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  /** `tap/…` */
  readonly stats: Scope;
  /** False: it cannot be taken. The memory is used again after the call. */
  readonly send: (batch: StoryBatch) => boolean;
};

export class RequestTap implements Closable {
  /** Somebody listens. */
  on = false;
  readonly #deps: RequestTapDeps;
  readonly #timer: WheelTimer;
  readonly #told: Counter;
  readonly #dropped: Counter;
  readonly #salt: bigint;
  readonly #finish = (story: Story): void => this.#tellOf(story);
  #interests: readonly Interest[] = [];
  readonly #lines = new LineBytes();
  readonly #masks: number[] = [];
  /** In the lines; one may be told in two, with its headers and without. */
  #stories = 0;

  constructor(deps: RequestTapDeps) {
    this.#deps = deps;
    this.#timer = deps.wheel.timer(() => this.flush());
    this.#told = deps.stats.counter('told');
    this.#dropped = deps.stats.counter('dropped');
    this.#salt = BigInt(deps.rng.below(4294967296));
  }

  /** Replaces what is wanted. */
  set(interests: readonly Interest[]): void {
    this.#interests = interests;
    this.on = interests.length > 0;
  }

  /** Before any stage has changed the head. Undefined when chance says that nobody wants this one. */
  begin(exchange: Exchange, origin: StoryOrigin): Story | undefined {
    let chosen = 0;
    for (const { bit, rate, sampling } of this.#interests) {
      if (sampling === 'trace' || rate >= 1 || this.#deps.rng.next() < rate) chosen |= 1 << bit;
    }
    return chosen === 0 ? undefined : new Story(exchange, origin, chosen, this.#finish);
  }

  #tellOf(story: Story): void {
    let plain = 0;
    let withHeaders = 0;
    for (const interest of this.#interests) {
      const bit = 1 << interest.bit;
      if ((story.chosen & bit) === 0 || !this.#wants(interest, story)) continue;
      if (interest.headers) withHeaders |= bit;
      else plain |= bit;
    }
    if ((plain | withHeaders) === 0) return;
    if (this.#stories === 0) this.#timer.arm(BATCH_MS);
    this.#stories++;
    // Headers hold secrets: nobody gets them because somebody else has asked for them.
    if (plain !== 0) this.#add(story, plain, false);
    if (withHeaders !== 0) this.#add(story, withHeaders, true);
    if (this.#lines.length >= BATCH_BYTES) this.flush();
  }

  #add(story: Story, mask: number, headers: boolean): void {
    const { wheel } = this.#deps;
    story.write(this.#lines, wheel.nowMs(), wheel.wallMs(), headers);
    this.#masks.push(mask);
  }

  flush(): void {
    if (this.#stories === 0) return;
    const taken = this.#deps.send({ lines: this.#lines.written, masks: this.#masks });
    (taken ? this.#told : this.#dropped).add(this.#stories);
    this.#lines.clear();
    this.#masks.length = 0;
    this.#stories = 0;
    this.#timer.disarm();
  }

  close(): void {
    this.flush();
    this.#timer.close();
    this.set([]);
  }

  #wants(interest: Interest, story: Story): boolean {
    if (interest.sampling === 'trace' && !this.#sampled(interest.rate, story)) return false;
    for (const condition of interest.where) if (!holds(condition, story)) return false;
    return true;
  }

  #sampled(rate: number, { exchange }: Story): boolean {
    const { trace } = exchange.context;
    return trace.sampled ?? isSampledAt(trace, rate, this.#salt);
  }
}
