/**
 * One selection of objects, kept current: a list, then watches, each from where the last one ended. What is
 * known stays until something newer is; there is never an empty or a half set in between.
 *
 * A watch that ends in time goes on at once from its last version. One that breaks off is tried once more
 * from there; when that does not work, or the version is gone (410), everything is listed. Once in a while,
 * and when somebody asks, a list next to the running watch looks for what the watch has missed (drift).
 */
import { failed, ok, pending, type State } from '../src/base/activity.ts';
import type { Clock } from '../src/base/clock.ts';
import { type Closable, nothingToClose } from '../src/base/closable.ts';
import type { Log } from '../src/base/log.ts';
import type { Rng } from '../src/base/rng.ts';
import type { Counter } from '../src/base/stats.ts';
import { Gone } from './answer.ts';
import { KubeFailure, type WatchReport, type WatchState } from './api.ts';
import { drift } from './drift.ts';
import type { ApiHealth } from './health.ts';
import type { JsonObject } from './json-fields.ts';
import { type Listed, list } from './list.ts';
import { ObjectMap } from './object-map.ts';
import { isOlder } from './resource-version.ts';
import { type KubeMeta, type KubeObject, keyOf } from './resources.ts';
import { type Selection, selectionPath } from './selection.ts';
import { around, backoffMs, type Timing, watchSeconds } from './timing.ts';
import type { KubeTransport } from './transport.ts';
import { type WatchEnd, type WatchSink, watch } from './watch.ts';

export type ReflectorDeps = {
  readonly transport: KubeTransport;
  readonly health: ApiHealth;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly timing: Timing;
  readonly stats: ReflectorStats;
  /** Tells people what they have to do something about, not again and again. */
  complain(failure: KubeFailure, selection: Selection<KubeObject>): void;
};

export type ReflectorStats = {
  readonly lists: Counter;
  readonly events: Counter;
  readonly drift: Counter;
  failure(failure: KubeFailure): void;
};

export type Objects<T> = ReadonlyMap<string, T>;

export class Reflector<T extends KubeObject> implements WatchSink, Closable {
  readonly #selection: Selection<T>;
  readonly #set: (state: State<Objects<T>>) => void;
  readonly #deps: ReflectorDeps;
  readonly #health: Closable;
  #closed = false;
  /** Those under way. A composed signal for each would stay with the one that all share (Node 24). */
  readonly #requests = new Set<AbortController>();
  /** What was published last; undefined before the first list. */
  #objects: ObjectMap<T> | undefined;
  /** What the watch has told since; undefined is gone. */
  readonly #changes = new Map<string, T | undefined>();
  /** Where the next watch goes on from; undefined when everything must be listed. */
  #version: string | undefined;
  #failures = 0;
  #state: WatchState = 'listing';
  #problem: string | undefined;
  #opened = false;
  #attempt: AbortController | undefined;
  #restarted = false;
  /** The server has answered again since the last attempt began. */
  #isBack = false;
  #heardMs: number;
  #updatedMs: number | undefined;
  #wake: (() => void) | undefined;
  /** Keys that the watch has told of since a check began. */
  #touched: Set<string> | undefined;
  #check: Closable = nothingToClose;
  #checkDueMs = Number.POSITIVE_INFINITY;
  #checkedMs = Number.NEGATIVE_INFINITY;
  /** Grows with each list that replaced everything. */
  #epoch = 0;
  #lists = 0;
  #events = 0;
  #drift = 0;

  /** `set` is told `pending` before this returns. */
  constructor(selection: Selection<T>, set: (state: State<Objects<T>>) => void, deps: ReflectorDeps) {
    this.#selection = selection;
    this.#set = set;
    this.#deps = deps;
    this.#heardMs = deps.clock.nowMs();
    this.#health = deps.health.listen({
      serverIsBack: () => this.#serverIsBack(),
      doubted: () => this.#doubted(),
    });
    set(pending);
    void this.#run();
  }

  close(): void {
    this.#closed = true;
    for (const request of this.#requests) request.abort();
    this.#health.close();
    this.#check.close();
    this.#wake?.();
  }

  /** Looks soon for what the watch has missed. */
  refresh(): void {
    const { clock, timing } = this.#deps;
    const dueMs = Math.max(clock.nowMs(), this.#checkedMs + timing.refreshMs);
    if (dueMs < this.#checkDueMs) this.#checkAt(dueMs);
  }

  report(): WatchReport {
    return {
      path: selectionPath(this.#selection),
      state: this.#state,
      objects: this.#objects?.size,
      staleMs: this.#opened ? 0 : this.#deps.clock.nowMs() - this.#heardMs,
      updatedMs: this.#updatedMs,
      resourceVersion: this.#version ?? '',
      drift: this.#drift,
      lists: this.#lists,
      events: this.#events,
      problem: this.#problem,
    };
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const delayMs =
        this.#version === undefined ? await this.#listAll() : await this.#watchOn(this.#version);
      if (this.#closed) return;
      if (delayMs > 0) await this.#pause(delayMs);
    }
  }

  /** Answers how long to wait before the next step. */
  async #listAll(): Promise<number> {
    this.#state = 'listing';
    const listed = await this.#list();
    if (this.#closed) return 0;
    if (listed instanceof KubeFailure) {
      this.#failures++;
      if (this.#objects === undefined) this.#set(failed(listed));
      return this.#delayAfter(listed);
    }
    this.#epoch++;
    this.#version = listed.resourceVersion;
    this.#problem = undefined;
    this.#replace(listed.objects);
    this.#checkAt(this.#deps.clock.nowMs() + this.#relistMs());
    return 0;
  }

  async #list(): Promise<Listed<T> | KubeFailure> {
    const { transport, clock, timing, health, stats } = this.#deps;
    this.#lists++;
    stats.lists.add(1);
    const listed = await this.#request(({ signal }) =>
      list(this.#selection, this.#objects ?? new Map<string, T>(), {
        transport,
        clock,
        signal,
        idleMs: timing.listIdleMs,
      }),
    );
    if (this.#closed || listed instanceof KubeFailure) return listed;
    this.#heardMs = clock.nowMs();
    health.answered();
    return listed;
  }

  async #watchOn(version: string): Promise<number> {
    const { transport, clock, rng, timing, health } = this.#deps;
    this.#restarted = false;
    const startMs = clock.nowMs();
    const seconds = watchSeconds(timing, health.watches, rng);
    const doubt = clock.after(timing.suspectMs, () => {
      if (!this.#opened) health.suspect();
    });
    const end = await this.#request((attempt) => {
      this.#attempt = attempt;
      return watch(this.#selection, version, this, {
        transport,
        clock,
        stop: attempt,
        seconds,
        graceMs: timing.watchGraceMs,
        // However long it would last: as soon as one of few watches is found dead.
        headLimitMs: timing.watchSeconds[1] * 1000 + timing.watchGraceMs,
      });
    });
    doubt.close();
    const opened = this.#opened;
    this.#opened = false;
    this.#attempt = undefined;
    if (this.#closed || this.#restarted) return 0;
    const lastedMs = clock.nowMs() - startMs;
    const late = end instanceof KubeFailure && lastedMs > seconds * 1000;
    // It may be so again, from that version on.
    if (late) {
      this.#version = undefined;
      health.silent();
    }
    return this.#ended(end, opened, lastedMs);
  }

  async #request<R>(send: (request: AbortController) => Promise<R>): Promise<R> {
    const request = new AbortController();
    this.#requests.add(request);
    try {
      return await send(request);
    } finally {
      this.#requests.delete(request);
    }
  }

  #ended(end: WatchEnd, opened: boolean, lastedMs: number): number {
    const { timing, rng } = this.#deps;
    if (lastedMs >= timing.stableMs) this.#failures = 0;
    if (end instanceof Gone) {
      this.#version = undefined;
      // Once is how the API works; again and again is something wrong.
      return this.#failures++ === 0 ? 0 : backoffMs(this.#failures, timing.backoff, rng);
    }
    if (end instanceof KubeFailure) {
      this.#failures++;
      if (!opened || this.#failures > 1 || end.reason === 'bad-answer') this.#version = undefined;
      return this.#delayAfter(end);
    }
    if (lastedMs >= 1000) return 0;
    // It ended long before its time.
    this.#failures++;
    if (this.#failures > 2) this.#version = undefined;
    return backoffMs(this.#failures, timing.backoff, rng);
  }

  #delayAfter(failure: KubeFailure): number {
    const { timing, rng, health, stats, log } = this.#deps;
    const { reason } = failure;
    this.#problem = failure.message;
    stats.failure(failure);
    if (log.debugEnabled) log.debug('a watch failed', { problem: failure.message });
    if (reason !== 'unreachable') this.#deps.complain(failure, this.#selection);
    if (reason !== 'forbidden' && reason !== 'no-such-resource') health.suspect();
    const denied = reason === 'unauthorized' || reason === 'forbidden' || reason === 'no-such-resource';
    if (this.#isBack) {
      this.#isBack = false;
      return 0;
    }
    const waitMs = backoffMs(this.#failures, denied ? timing.deniedBackoff : timing.backoff, rng);
    return Math.max(waitMs, Math.min(failure.retryAfterMs ?? 0, timing.deniedBackoff.maxMs));
  }

  async #pause(ms: number): Promise<void> {
    this.#state = 'waiting';
    await new Promise<void>((resolve) => {
      const timer = this.#deps.clock.after(ms, resolve);
      this.#wake = () => {
        timer.close();
        resolve();
      };
    });
    this.#wake = undefined;
    this.#isBack = false;
  }

  /** Ends a wait, or a question that the server never got to. */
  #serverIsBack(): void {
    const { clock, rng, timing } = this.#deps;
    clock.after(rng.next() * timing.spreadMs, () => {
      if (this.#closed || this.#opened) return;
      // What is under way may hang where the server was lost; it is not waited for after it.
      this.#isBack = true;
      this.#wake?.();
      this.#attempt?.abort();
    });
  }

  #doubted(): void {
    const { clock, rng, timing } = this.#deps;
    clock.after(rng.next() * timing.spreadMs, () => {
      const silentMs = clock.nowMs() - this.#heardMs;
      if (this.#opened && silentMs > timing.watchGraceMs) this.#restart(this.#version);
    });
  }

  opened(): void {
    this.#opened = true;
    this.#state = 'watching';
    this.#problem = undefined;
    this.#heardMs = this.#deps.clock.nowMs();
    this.#deps.health.answered();
  }

  changed(type: 'ADDED' | 'MODIFIED' | 'DELETED', meta: KubeMeta, object: JsonObject): void {
    const objects = this.#objects;
    if (objects === undefined) return;
    this.#events++;
    this.#deps.stats.events.add(1);
    const key = keyOf(meta);
    this.#touched?.add(key);
    const { resourceVersion } = meta;
    if (resourceVersion !== '') {
      if (isOlder(resourceVersion, this.#version ?? '')) {
        // A replay: the watch has told something later already. Or the server has lost its memory.
        this.refresh();
        return;
      }
      this.#version = resourceVersion;
    }
    const old = this.#changes.has(key) ? this.#changes.get(key) : objects.get(key);
    if (old !== undefined && isOlder(resourceVersion, old.meta.resourceVersion)) return;
    if (type !== 'DELETED') this.#changes.set(key, this.#selection.resource.parse(meta, object));
    else if (old !== undefined) this.#changes.set(key, undefined);
  }

  bookmark(resourceVersion: string): void {
    // The server has been restored from a backup: it would leave out all changes up to our version.
    if (isOlder(resourceVersion, this.#version ?? '')) this.#restart(undefined);
    else this.#version = resourceVersion;
  }

  heard(): void {
    this.#heardMs = this.#deps.clock.nowMs();
    if (this.#changes.size === 0 || this.#objects === undefined) return;
    const objects = this.#objects.with(this.#changes);
    this.#changes.clear();
    this.#publish(objects);
  }

  #replace(objects: ReadonlyMap<string, T>): void {
    this.#changes.clear();
    if (this.#objects === undefined || !sameObjects(this.#objects, objects)) {
      this.#publish(ObjectMap.of(objects));
    }
  }

  #publish(objects: ObjectMap<T>): void {
    if (this.#closed) return;
    this.#objects = objects;
    this.#updatedMs = this.#deps.clock.wallMs();
    this.#set(ok(objects));
  }

  #relistMs(): number {
    return around(this.#deps.timing.relistMs, 0.1, this.#deps.rng);
  }

  #checkAt(dueMs: number): void {
    const { clock } = this.#deps;
    this.#check.close();
    this.#checkDueMs = dueMs;
    this.#check = clock.after(dueMs - clock.nowMs(), () => void this.#lookForDrift());
  }

  async #lookForDrift(): Promise<void> {
    const { clock } = this.#deps;
    this.#checkedMs = clock.nowMs();
    // Another question is not wanted before this one is answered.
    this.#checkDueMs = Number.NEGATIVE_INFINITY;
    if (this.#attempt !== undefined) await this.#compare();
    if (!this.#closed) this.#checkAt(clock.nowMs() + this.#relistMs());
  }

  async #compare(): Promise<void> {
    const { clock, timing, log, stats } = this.#deps;
    const epoch = this.#epoch;
    const touched = new Set<string>();
    this.#touched = touched;
    const listed = await this.#list();
    if (!(listed instanceof KubeFailure)) {
      await new Promise<void>((resolve) => clock.after(timing.settleMs, resolve));
    }
    this.#touched = undefined;
    const known = this.#objects;
    if (this.#closed || listed instanceof KubeFailure || known === undefined) return;
    // Everything has been listed anew meanwhile, or will be.
    if (epoch !== this.#epoch || this.#version === undefined) return;
    const found = drift(known, listed.objects, touched);
    if (found === undefined) return;
    this.#drift += found.missed;
    stats.drift.add(found.missed);
    log.warn('a watch of the Kubernetes API has missed changes; it is begun anew', {
      path: selectionPath(this.#selection),
      missed: found.missed,
    });
    this.#restart(listed.resourceVersion);
    this.#replace(found.objects);
  }

  #restart(version: string | undefined): void {
    this.#version = version;
    this.#restarted = true;
    this.#attempt?.abort();
  }
}

function sameObjects<T>(a: Objects<T>, b: Objects<T>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, object] of a) if (b.get(key) !== object) return false;
  return true;
}
