/**
 * Metric handles. A handle is made once, when a name is bound, and held by the object that counts; updating
 * it is a store into a typed array. Segments of a name are verbatim and may contain `/`.
 */
export interface Counter {
  add(n: number): void;
}

export interface Gauge {
  set(value: number): void;
  add(delta: number): void;
}

/** A distribution of non-negative numbers (ms, bytes). */
export interface Stat {
  observe(value: number): void;
}

export interface Scope {
  scope(...segments: readonly string[]): Scope;
  counter(...segments: readonly string[]): Counter;
  gauge(...segments: readonly string[]): Gauge;
  stat(...segments: readonly string[]): Stat;
  /** Removes this subtree; its handles may still be written to, without effect. */
  prune(): void;
}

const nothing = { add() {}, set() {}, observe() {} };

export const noStats: Scope = {
  scope: () => noStats,
  counter: () => nothing,
  gauge: () => nothing,
  stat: () => nothing,
  prune() {},
};
