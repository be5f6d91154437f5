import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventStream } from '../../src/admin/live/event-stream.ts';
import type { Loan } from '../../src/base/loans.ts';

const MEGABYTE = 1024 * 1024;

/** Takes pieces, and says that they are written when it is told to. */
class Sink {
  readonly pieces: (string | Buffer)[] = [];
  ended = false;
  #done: (() => void)[] = [];

  write(piece: string | Buffer, done: () => void): void {
    this.pieces.push(piece);
    this.#done.push(done);
  }

  end(): void {
    this.ended = true;
  }

  written(): void {
    const done = this.#done;
    this.#done = [];
    for (const each of done) each();
  }
}

class Counted implements Loan {
  keepers = 0;
  keep(): void {
    this.keepers++;
  }
  release(): void {
    this.keepers--;
  }
}

describe('A live answer', () => {
  it('writes what comes in order, what waited behind what is being written', () => {
    const stream = new EventStream(() => {});
    const sink = new Sink();
    stream.send('a');
    stream.flowTo(sink);
    stream.send('b');
    stream.send('c');
    assert.deepEqual(sink.pieces, ['a']);
    sink.written();
    assert.deepEqual(sink.pieces, ['a', 'b', 'c']);
    assert.ok(!stream.idle);
    sink.written();
    assert.ok(stream.idle);
  });

  it('drops what a slow client has not taken beyond 4 MB, and goes on when it has', () => {
    const stream = new EventStream(() => {});
    const sink = new Sink();
    stream.flowTo(sink);
    const sent = Array.from({ length: 6 }, () => stream.send(Buffer.alloc(MEGABYTE)));
    assert.deepEqual(sent, [true, true, true, true, false, false]);
    sink.written();
    assert.deepEqual([stream.send('x'.repeat(MEGABYTE)), stream.send('y')], [true, false]);
    sink.written();
    sink.written();
    assert.equal(sink.pieces.length, 5);
    assert.ok(stream.idle);
  });

  it('keeps lent bytes until they are written, and none that it drops', () => {
    const stream = new EventStream(() => {});
    const sink = new Sink();
    const [first, second, dropped] = [new Counted(), new Counted(), new Counted()];
    stream.flowTo(sink);
    stream.send(Buffer.alloc(MEGABYTE), first);
    stream.send(Buffer.alloc(3 * MEGABYTE), second);
    stream.send(Buffer.alloc(1), dropped);
    assert.deepEqual([first.keepers, second.keepers, dropped.keepers], [1, 1, 0]);
    sink.written();
    assert.deepEqual([first.keepers, second.keepers], [0, 1]);
    sink.written();
    assert.equal(second.keepers, 0);
  });

  it('ends when it is closed, after what was sent before', () => {
    let closed = 0;
    const stream = new EventStream(() => closed++);
    const sink = new Sink();
    stream.flowTo(sink);
    stream.send('a');
    stream.send('b');
    stream.close();
    stream.close();
    assert.deepEqual([stream.send('c'), sink.ended, closed], [false, false, 1]);
    sink.written();
    sink.written();
    assert.deepEqual([sink.pieces, sink.ended], [['a', 'b'], true]);
  });
});
