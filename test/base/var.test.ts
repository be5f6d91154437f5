import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collectStates, failed, flatMapOk, mapOk, ok, pending, type State } from '../../src/base/activity.ts';
import { type Closable, nothingToClose } from '../../src/base/closable.ts';
import { Failure } from '../../src/base/failure.ts';
import { Cell, collect, constant, flatMap, Lazy, map, type Var } from '../../src/base/var.ts';

/** What an observer is told, in order. */
function told<T>(source: Var<T>): { values: T[]; close(): void } {
  const values: T[] = [];
  const observation = source.observe((value) => values.push(value));
  return { values, close: () => observation.close() };
}

/** A source that says how often it is running. */
function counted(start: (set: (value: number) => void) => Closable = () => nothingToClose) {
  const state = { running: 0, starts: 0, set: (_value: number) => {} };
  const source = new Lazy<number>((set) => {
    state.running++;
    state.starts++;
    state.set = set;
    set(state.starts);
    const inner = start(set);
    return {
      close() {
        state.running--;
        inner.close();
      },
    };
  });
  return { state, source };
}

describe('Cell', () => {
  it('tells the current value at once, then every change, and nothing for an equal value', () => {
    const cell = new Cell(1);
    const { values } = told(cell);
    cell.set(2);
    cell.set(2);
    cell.set(3);
    assert.deepEqual(values, [1, 2, 3]);
  });

  it('compares by the equality that it was given', () => {
    const cell = new Cell({ n: 1 }, (a, b) => a.n === b.n);
    const { values } = told(cell);
    cell.set({ n: 1 });
    cell.set({ n: 2 });
    assert.deepEqual(values, [{ n: 1 }, { n: 2 }]);
  });

  it('tells observers in the order in which they came, and those no more who left', () => {
    const cell = new Cell(0);
    const order: string[] = [];
    const a = cell.observe((value) => order.push(`a${value}`));
    cell.observe((value) => order.push(`b${value}`));
    cell.set(1);
    a.close();
    a.close();
    cell.set(2);
    assert.deepEqual(order, ['a0', 'b0', 'a1', 'b1', 'b2']);
  });

  it('does not tell an observer that another one has closed during the same change', () => {
    const cell = new Cell(0);
    const order: string[] = [];
    let b: Closable = nothingToClose;
    cell.observe((value) => {
      if (value === 1) b.close();
    });
    b = cell.observe((value) => order.push(`b${value}`));
    cell.set(1);
    assert.deepEqual(order, ['b0']);
  });

  it('lets an observer close itself', () => {
    const cell = new Cell(0);
    const values: number[] = [];
    const own: Closable = cell.observe((value) => {
      values.push(value);
      if (value === 1) own.close();
    });
    cell.set(1);
    cell.set(2);
    assert.deepEqual(values, [0, 1]);
    assert.equal(cell.observed, false);
  });

  it('ends with the same last value for everyone when an observer sets it again', () => {
    const cell = new Cell(0);
    const first: number[] = [];
    const last: number[] = [];
    cell.observe((value) => first.push(value));
    cell.observe((value) => {
      if (value === 1) cell.set(2);
    });
    cell.observe((value) => last.push(value));
    cell.set(1);
    assert.deepEqual(first, [0, 1, 2]);
    assert.deepEqual(last, [0, 2], 'the value in between is old news');
  });
});

describe('Lazy', () => {
  it('runs while it is observed, once for all observers, and starts anew after the last has gone', () => {
    const { state, source } = counted();
    assert.equal(state.starts, 0);
    const a = told(source);
    const b = told(source);
    assert.equal(state.starts, 1);
    a.close();
    assert.equal(state.running, 1);
    b.close();
    assert.equal(state.running, 0);
    assert.deepEqual(told(source).values, [2]);
  });

  it('ignores what a run says after it has ended', () => {
    const { state, source } = counted();
    const a = told(source);
    const old = state.set;
    a.close();
    const b = told(source);
    old(99);
    assert.deepEqual(b.values, [2]);
  });

  it('tells its first observer once, of what the start has led to', () => {
    const source = new Lazy<number>((set) => {
      set(1);
      set(2);
      return nothingToClose;
    });
    assert.deepEqual(told(source).values, [2]);
  });
});

describe('map and flatMap', () => {
  it('are lazy, and let go of everything', () => {
    const outer = counted();
    const inner = counted();
    const both = map(
      flatMap(outer.source, () => inner.source),
      (value) => value * 10,
    );
    assert.equal(outer.state.starts + inner.state.starts, 0);
    const { values, close } = told(both);
    inner.state.set(5);
    assert.deepEqual(values, [10, 50]);
    close();
    assert.equal(outer.state.running + inner.state.running, 0);
  });

  it('observe the next source before they let go of the last, so that what both share goes on running', () => {
    const shared = counted();
    const which = new Cell('a');
    const { close } = told(flatMap(which, () => map(shared.source, (value) => value)));
    which.set('b');
    which.set('c');
    assert.equal(shared.state.starts, 1);
    close();
    assert.equal(shared.state.running, 0);
  });

  it('follow the latest source only', () => {
    const a = new Cell(1);
    const b = new Cell(2);
    const which = new Cell<Cell<number>>(a);
    const { values } = told(flatMap(which, (cell) => cell));
    which.set(b);
    a.set(10);
    b.set(20);
    assert.deepEqual(values, [1, 2, 20]);
    assert.equal(a.observed, false);
  });

  it('leave no observation behind when an observer changes the source while it is being told', () => {
    const cells = [new Cell(0), new Cell(1), new Cell(2)];
    const which = new Cell(0);
    const flat = flatMap(which, (index) => cells[index]!);
    const observation = flat.observe((value) => {
      if (value === 1) which.set(2);
    });
    which.set(1);
    assert.deepEqual(
      cells.map((cell) => cell.observed),
      [false, false, true],
    );
    observation.close();
    assert.deepEqual(
      cells.map((cell) => cell.observed),
      [false, false, false],
    );
  });

  it('leave no observation behind when an observer closes while it is being told', () => {
    const cells = [new Cell(0), new Cell(1)];
    const which = new Cell(0);
    const observation: Closable = flatMap(which, (index) => cells[index]!).observe((value) => {
      if (value === 1) observation.close();
    });
    which.set(1);
    assert.deepEqual(
      cells.map((cell) => cell.observed),
      [false, false],
    );
    assert.equal(which.observed, false);
  });
});

describe('A diamond', () => {
  it('may show a value in between and ends with the right one', () => {
    const base = new Cell(1);
    const sum = map(
      collect([map(base, (n) => n * 10), map(base, (n) => n * 100)]),
      ([a = 0, b = 0]) => a + b,
    );
    const { values, close } = told(sum);
    base.set(2);
    assert.equal(values[0], 110);
    assert.equal(values.at(-1), 220);
    close();
    assert.equal(base.observed, false);
  });
});

describe('collect', () => {
  it('tells all values together, in their order, and an empty list at once', () => {
    const [a, b] = [new Cell('a'), new Cell('b')];
    const { values } = told(collect([a, b]));
    b.set('B');
    a.set('A');
    assert.deepEqual(values, [
      ['a', 'b'],
      ['a', 'B'],
      ['A', 'B'],
    ]);
    assert.deepEqual(told(collect([])).values, [[]]);
  });
});

describe('Activities', () => {
  it('carry pending and failed through, and compare states by their values', () => {
    const source = new Cell<State<number>>(pending);
    const doubled = told(mapOk(source, (n) => Math.abs(n)));
    source.set(ok(2));
    source.set(ok(-2));
    source.set(failed(new Failure('naming', 'no')));
    source.set(failed(new Failure('naming', 'no')));
    source.set(pending);
    assert.deepEqual(
      doubled.values.map((each) => each.state),
      ['pending', 'ok', 'failed', 'pending'],
    );
  });

  it('chain: the second is asked only when the first is there', () => {
    const first = new Cell<State<number>>(pending);
    const second = counted();
    const { values } = told(flatMapOk(first, (n) => map(second.source, (m) => ok(n + m))));
    assert.equal(second.state.starts, 0);
    first.set(ok(10));
    assert.deepEqual(values.at(-1), ok(11));
    first.set(pending);
    assert.equal(second.state.running, 0);
  });

  it('are collected each in its own state', () => {
    const a = new Cell<State<number>>(pending);
    const { values } = told(collectStates([a, constant(ok(1))]));
    a.set(ok(0));
    assert.deepEqual(values, [
      [pending, ok(1)],
      [ok(0), ok(1)],
    ]);
  });
});
