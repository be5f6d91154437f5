/**
 * The metrics of the whole process, merged over the data threads and the control thread. Counters and gauges
 * are the sum over threads (so `connections` is of the process), stats are merged bucket by bucket. What a
 * thread that died had counted is kept, so that counters only grow; a name that no living thread has is
 * dropped after ten minutes, one that every thread has pruned at once.
 *
 * Every 60 s the window of each stat closes, some hundreds a turn so that the loop is never held; exporters
 * show the last finished window, and before the first one what the running window has, so that a new process
 * is not blind.
 */
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { type Closable, nothingToClose } from '../base/closable.ts';
import type { Scope } from '../base/stats.ts';
import { type MetricType, type SlabMessage, SlabStats } from '../threads/stat-slab.ts';
import { type Metric, newMetric, StatMetric, ValueMetric } from './metric.ts';
import { type SlabListener, type SlabPart, SlabSource } from './slab-source.ts';

const WINDOW_MS = 60_000;
const WINDOWS_A_TURN = 64;
const ORPHAN_TTL_MS = 600_000;

/** Most nodes are leaves, and an empty map would be the larger part of one. */
const noChildren: ReadonlyMap<string, MetricNode> = new Map();

export class MetricNode {
  readonly segment: string;
  readonly parent: MetricNode | undefined;
  metric: Metric | undefined;
  #children: Map<string, MetricNode> | undefined;

  constructor(segment: string, parent: MetricNode | undefined) {
    this.segment = segment;
    this.parent = parent;
  }

  get children(): ReadonlyMap<string, MetricNode> {
    return this.#children ?? noChildren;
  }

  child(segment: string): MetricNode {
    this.#children ??= new Map();
    let child = this.#children.get(segment);
    if (child === undefined) {
      child = new MetricNode(segment, this);
      this.#children.set(segment, child);
    }
    return child;
  }

  removeChild(segment: string): void {
    this.#children?.delete(segment);
  }
}

/**
 * A data thread, seen from here: `receive` takes what its SlabStats emits, `close` is called when it has
 * ended.
 */
export interface MetricsSource extends Closable {
  receive(messages: readonly SlabMessage[]): void;
  /** What this thread alone has of a counter or gauge. */
  value(segments: readonly string[]): number;
}

export class MetricsTree implements Closable {
  readonly root = new MetricNode('', undefined);
  readonly #clock: Clock;
  readonly #own: SlabStats;
  readonly #nodeOf = new Map<SlabPart, MetricNode>();
  readonly #stats = new Set<StatMetric>();
  /** Names that only ended threads had, with the time since. */
  readonly #orphans = new Map<MetricNode, number>();
  #timer: Closable = nothingToClose;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    const own = this.addSource();
    this.#own = new SlabStats((messages) => own.receive(messages));
    this.#startWindow(clock.nowMs() + WINDOW_MS);
  }

  /** The control thread's own metrics. */
  get scope(): Scope {
    return this.#own;
  }

  addSource(): MetricsSource {
    const listener: SlabListener = {
      defined: (type, segments, part) => this.#define(type, segments, part),
      removed: (part) => this.#pruned(part),
    };
    const source = new SlabSource(listener);
    let ended = false;
    return {
      receive: (messages) => {
        if (!ended) source.receive(messages);
      },
      value: (segments) => {
        const own = new Set(source.parts());
        const parts = this.find(segments)?.metric?.parts ?? [];
        return parts.reduce((sum, part) => (own.has(part) ? sum + part.value() : sum), 0);
      },
      close: () => {
        if (ended) return;
        ended = true;
        for (const part of source.parts()) this.#ended(part);
      },
    };
  }

  /** A gauge of the control thread whose value is computed when someone asks. */
  computedGauge(segments: readonly string[], read: () => number): Closable {
    const node = this.#make(segments);
    assert(node.metric === undefined, `metric ${segments.join('/')} exists already`);
    node.metric = new ValueMetric('gauge', false, read);
    return { close: () => this.#drop(node) };
  }

  find(segments: readonly string[]): MetricNode | undefined {
    this.settle();
    let node: MetricNode | undefined = this.root;
    for (const segment of segments) node = node?.children.get(segment);
    return node;
  }

  /** Takes in names that the control thread has made in this turn of the loop. */
  settle(): void {
    this.#own.flush();
  }

  close(): void {
    this.#closed = true;
    this.#timer.close();
  }

  #make(segments: readonly string[]): MetricNode {
    let node = this.root;
    for (const segment of segments) node = node.child(segment);
    return node;
  }

  #define(type: MetricType, segments: readonly string[], part: SlabPart): void {
    const node = this.#make(segments);
    node.metric ??= newMetric(type, segments);
    const { metric } = node;
    assert(metric.type === type, `metric ${segments.join('/')} is a ${metric.type} and a ${type}`);
    metric.parts.push(part);
    if (metric instanceof StatMetric) this.#stats.add(metric);
    this.#nodeOf.set(part, node);
    this.#orphans.delete(node);
  }

  #retire(part: SlabPart): MetricNode | undefined {
    const node = this.#nodeOf.get(part);
    this.#nodeOf.delete(part);
    node?.metric?.retire(part);
    return node?.metric?.parts.length === 0 ? node : undefined;
  }

  #pruned(part: SlabPart): void {
    const unused = this.#retire(part);
    if (unused !== undefined) this.#drop(unused);
  }

  #ended(part: SlabPart): void {
    const unused = this.#retire(part);
    if (unused === undefined) return;
    if (unused.metric?.type === 'gauge') this.#drop(unused);
    else this.#orphans.set(unused, this.#clock.nowMs());
  }

  #drop(node: MetricNode): void {
    if (node.metric instanceof StatMetric) this.#stats.delete(node.metric);
    node.metric = undefined;
    this.#orphans.delete(node);
    let empty: MetricNode | undefined = node;
    while (empty?.parent !== undefined && empty.children.size === 0 && empty.metric === undefined) {
      empty.parent.removeChild(empty.segment);
      empty = empty.parent;
    }
  }

  #startWindow(endMs: number): void {
    this.#timer = this.#clock.after(Math.max(0, endMs - this.#clock.nowMs()), () => {
      this.settle();
      this.#dropOrphans();
      this.#closeSome(this.#stats.values(), endMs + WINDOW_MS);
    });
  }

  #closeSome(rest: IterableIterator<StatMetric>, nextEndMs: number): void {
    for (let i = 0; i < WINDOWS_A_TURN; i++) {
      const { value, done } = rest.next();
      if (done === true) {
        // After a pause of the process the windows missed are skipped, not caught up with.
        this.#startWindow(Math.max(nextEndMs, this.#clock.nowMs() + 1));
        return;
      }
      value.closeWindow();
    }
    if (!this.#closed) this.#timer = this.#clock.after(0, () => this.#closeSome(rest, nextEndMs));
  }

  #dropOrphans(): void {
    const nowMs = this.#clock.nowMs();
    for (const [node, sinceMs] of this.#orphans) {
      if (nowMs - sinceMs >= ORPHAN_TTL_MS) this.#drop(node);
    }
  }
}
