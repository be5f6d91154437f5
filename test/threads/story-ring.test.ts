import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { StoryBatch } from '../../routers/tap/request-tap.ts';
import { StoryReader, StoryWriter, storyMemory } from '../../src/threads/story-ring.ts';

const RING_BYTES = 1024;

function batch(text: string, masks: readonly number[] = [1]): StoryBatch {
  return { lines: Buffer.from(text), masks };
}

/** In the ring, where everything begins at a multiple of 8. */
function sizeOf(text: string, masks: readonly number[]): number {
  const aligned = (bytes: number): number => Math.ceil(bytes / 8) * 8;
  return aligned(8 + 4 * masks.length) + aligned(text.length);
}

const shown = (read: StoryBatch | undefined): readonly [string, readonly number[]] | undefined =>
  read && [read.lines.toString(), Array.from(read.masks)];

function ends(bytes = RING_BYTES): { writer: StoryWriter; reader: StoryReader } {
  const memory = storyMemory(bytes);
  return { writer: new StoryWriter(memory), reader: new StoryReader(memory) };
}

describe('The ring of stories', () => {
  it('gives batches back as they were written, in order, and then nothing', () => {
    const { writer, reader } = ends();
    assert.equal(reader.read(), undefined);
    assert.ok(writer.write(batch('{"é":1}\n{}\n', [1, 0x7fffffff])));
    assert.ok(writer.write(batch('{}\n', [2])));
    assert.deepEqual(shown(reader.read()), ['{"é":1}\n{}\n', [1, 0x7fffffff]]);
    assert.deepEqual(shown(reader.read()), ['{}\n', [2]]);
    assert.equal(reader.read(), undefined);
  });

  it('refuses as a whole what has no room, and takes it when the reader has made some', () => {
    const { writer, reader } = ends();
    const half = batch('x'.repeat(600));
    assert.ok(writer.write(half));
    assert.ok(!writer.write(half));
    assert.ok(writer.write(batch('y')));
    assert.equal(shown(reader.read())?.[0], 'x'.repeat(600));
    assert.ok(writer.write(half));
    assert.ok(!writer.write(batch('z'.repeat(RING_BYTES))));
    assert.deepEqual([shown(reader.read())?.[0], shown(reader.read())?.[0]], ['y', 'x'.repeat(600)]);
  });

  it('takes exactly as much as it is large', () => {
    const { writer, reader } = ends();
    const whole = batch('x'.repeat(RING_BYTES - 16));
    for (let i = 0; i < 5; i++) {
      assert.ok(writer.write(whole));
      assert.ok(!writer.write(batch('')));
      assert.equal(reader.read()?.lines.length, RING_BYTES - 16);
    }
  });

  it('lends memory: a batch stays as it is while somebody keeps it', () => {
    const { writer, reader } = ends();
    writer.write(batch('a'.repeat(500)));
    const first = reader.read();
    writer.write(batch('b'.repeat(1000)));
    reader.readAll(() => {});
    assert.equal(first?.lines.toString(), 'a'.repeat(500));
    first?.loan.release();
    writer.write(batch('c'.repeat(500)));
    reader.readAll((each) => assert.equal(each.lines.buffer, first?.lines.buffer));
  });

  it('loses and mixes nothing, whatever the sizes and however fast the reader is', () => {
    const sizes = fc.record({
      bytes: fc.integer({ min: 0, max: 400 }),
      lines: fc.integer({ min: 1, max: 30 }),
    });
    const steps = fc.array(fc.oneof(sizes, fc.constant('read' as const)), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (all) => {
        const { writer, reader } = ends();
        const expected: (readonly [string, readonly number[]])[] = [];
        let used = 0;
        for (const [i, step] of all.entries()) {
          if (step === 'read') {
            const next = expected.shift();
            assert.deepEqual(shown(reader.read()), next);
            if (next !== undefined) used -= sizeOf(next[0], next[1]);
            continue;
          }
          const text = String.fromCharCode(97 + (i % 26)).repeat(step.bytes);
          const masks = Array.from({ length: step.lines }, (_, line) => (i * 31 + line) | 0x40000000);
          const bytes = sizeOf(text, masks);
          assert.equal(writer.write(batch(text, masks)), used + bytes <= RING_BYTES);
          if (used + bytes > RING_BYTES) continue;
          used += bytes;
          expected.push([text, masks]);
        }
        for (const each of expected) assert.deepEqual(shown(reader.read()), each);
        assert.equal(reader.read(), undefined);
      }),
    );
  });

  it('uses no more of its memory than a reader that keeps up makes it', () => {
    const memory = storyMemory(RING_BYTES);
    const [writer, reader] = [new StoryWriter(memory), new StoryReader(memory)];
    for (let i = 0; i < 100; i++) {
      assert.ok(writer.write(batch('x'.repeat(100))));
      assert.ok(i % 2 === 0 || writer.write(batch('y'.repeat(60))));
      reader.readAll(() => {});
    }
    const most = sizeOf('x'.repeat(100), [1]) + sizeOf('y'.repeat(60), [1]);
    assert.ok(new Uint8Array(memory, 16 + most).every((byte) => byte === 0));
  });

  it('goes on where positions pass 2^31 and 2^32', () => {
    for (const position of [0x7fffff00, 0xffffff00]) {
      const memory = storyMemory(RING_BYTES);
      new Int32Array(memory).fill(position, 0, 2);
      const [writer, reader] = [new StoryWriter(memory), new StoryReader(memory)];
      for (let i = 0; i < 20; i++) {
        assert.ok(writer.write(batch(String(i).repeat(50), [i])));
        assert.deepEqual(shown(reader.read()), [String(i).repeat(50), [i]]);
      }
    }
  });

  it('shows nothing of what a writer that died has not finished', () => {
    const memory = storyMemory(RING_BYTES);
    const writer = new StoryWriter(memory);
    writer.write(batch('whole'));
    // The bytes behind the head are what is left of it.
    new Uint8Array(memory).fill(0xff, 16 + sizeOf('whole', [1]));
    const reader = new StoryReader(memory);
    assert.equal(shown(reader.read())?.[0], 'whole');
    assert.equal(reader.read(), undefined);
  });
});
