/**
 * Values over time. An observer is told the current value at once and then every change, synchronously and in
 * order; setting an equal value does nothing. Derived values are lazy: they subscribe with their first
 * observer and let go with the last. An observer must not throw or block. A diamond of derivations may show
 * an intermediate value.
 */
import { assert } from './assert.ts';
import { type Closable, closeAll, nothingToClose } from './closable.ts';

export interface Var<T> {
  observe(observer: (value: T) => void): Closable;
}

export type Equal<T> = (a: T, b: T) => boolean;

type Observer<T> = { tell: ((value: T) => void) | undefined };

abstract class Observed<T> implements Var<T> {
  readonly #observers = new Set<Observer<T>>();
  #value: T | undefined;
  #version = 0;
  readonly #equal: Equal<T>;

  constructor(equal: Equal<T>) {
    this.#equal = equal;
  }

  get observed(): boolean {
    return this.#observers.size > 0;
  }

  observe(tell: (value: T) => void): Closable {
    // The observer hears nothing while the source starts: it is told once, of what the start has led to.
    const observer: Observer<T> = { tell: undefined };
    this.#observers.add(observer);
    if (this.#observers.size === 1) this.started();
    assert(this.#version > 0, 'an observed value has no value');
    observer.tell = tell;
    tell(this.#value as T);
    return {
      close: () => {
        observer.tell = undefined;
        if (this.#observers.delete(observer) && this.#observers.size === 0) this.stopped();
      },
    };
  }

  protected peek(): T {
    return this.#value as T;
  }

  protected publish(value: T): void {
    if (this.#version > 0 && this.#equal(this.#value as T, value)) return;
    this.#value = value;
    const version = ++this.#version;
    for (const observer of [...this.#observers]) {
      if (this.#version !== version) return; // A nested publish has told the rest already.
      observer.tell?.(value);
    }
  }

  protected started(): void {}
  protected stopped(): void {}
}

/** A value that its owner sets. */
export class Cell<T> extends Observed<T> {
  constructor(initial: T, equal: Equal<T> = Object.is) {
    super(equal);
    this.publish(initial);
  }

  get current(): T {
    return this.peek();
  }

  set(value: T): void {
    this.publish(value);
  }
}

/**
 * A value that exists while it is observed: `start` is called with the first observer and must call `set`
 * before it returns, unless `initial` is given; what it returns is closed after the last observer has gone.
 */
export class Lazy<T> extends Observed<T> {
  readonly #start: (set: (value: T) => void) => Closable;
  #running: Closable = nothingToClose;
  #epoch = 0;

  constructor(start: (set: (value: T) => void) => Closable, equal: Equal<T> = Object.is) {
    super(equal);
    this.#start = start;
  }

  protected override started(): void {
    const epoch = ++this.#epoch;
    this.#running = this.#start((value) => {
      if (epoch === this.#epoch) this.publish(value);
    });
  }

  protected override stopped(): void {
    this.#epoch++;
    this.#running.close();
    this.#running = nothingToClose;
  }
}

export function constant<T>(value: T): Var<T> {
  return {
    observe(tell) {
      tell(value);
      return nothingToClose;
    },
  };
}

export function map<T, U>(source: Var<T>, f: (value: T) => U, equal: Equal<U> = Object.is): Var<U> {
  return new Lazy<U>((set) => source.observe((value) => set(f(value))), equal);
}

/**
 * Follows the Var that `f` makes of the latest value. The new one is observed before the old one is let go.
 */
export function flatMap<T, U>(source: Var<T>, f: (value: T) => Var<U>, equal: Equal<U> = Object.is): Var<U> {
  return new Lazy<U>((set) => {
    let inner: Closable = nothingToClose;
    let epoch = 0;
    const outer = source.observe((value) => {
      const mine = ++epoch;
      const previous = inner;
      const next = f(value).observe((result) => {
        if (mine === epoch) set(result);
      });
      // An observer of the first result may have changed the source, or have let go of all this.
      if (mine !== epoch) {
        next.close();
        return;
      }
      inner = next;
      previous.close();
    });
    return {
      close() {
        epoch++;
        outer.close();
        inner.close();
      },
    };
  }, equal);
}

/** All values together, in order; told once all have been observed and then at each change. */
export function collect<T>(
  sources: readonly Var<T>[],
  equal: Equal<readonly T[]> = Object.is,
): Var<readonly T[]> {
  if (sources.length === 0) return constant([]);
  return new Lazy<readonly T[]>((set) => {
    const values: T[] = [];
    let ready = false;
    const parts: Closable[] = [];
    sources.forEach((source, i) => {
      parts.push(
        source.observe((value) => {
          values[i] = value;
          if (ready) set([...values]);
        }),
      );
    });
    ready = true;
    set([...values]);
    return closeAll(parts);
  }, equal);
}
