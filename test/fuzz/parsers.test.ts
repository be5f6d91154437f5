/**
 * The parsers of messages: whatever the bytes, they end in a result or in their own error, and however the bytes
 * are split, in the same one.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Fields } from '../../routers/fields.ts';
import { ChunkDecoder } from '../../routers/http1/chunk-decoder.ts';
import { HeadParser, HeadProblem } from '../../routers/http1/head-parser.ts';
import { bytesOf, chunkedBodies, mutated, requestHeads, responseHeads, splits } from './corpus.ts';

const LIMITS = { initialLineBytes: 256, headBytes: 1024, lines: 32 };
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

function checkFields(fields: Fields): void {
  assert.ok(fields.names.length <= LIMITS.lines);
  for (const [name, value] of fields.pairs()) {
    assert.match(name, TOKEN);
    assert.match(value, VALUE);
  }
}

/** The first result when the text grows piece by piece, as it does on a socket. */
function grown<T>(
  parse: (text: string) => T | undefined,
  text: string,
  cuts: readonly number[],
): T | undefined {
  for (const cut of cuts) {
    const result = parse(text.slice(0, cut));
    if (result !== undefined) return result;
  }
  return parse(text);
}

const summary = (result: unknown): unknown =>
  result instanceof HeadProblem ? 'problem' : result === undefined ? undefined : JSON.stringify(result);

/** What a body decodes to when it arrives in these pieces. */
function decoded(text: string, cuts: readonly number[]): unknown {
  const decoder = new ChunkDecoder();
  let body = '';
  let from = 0;
  for (const to of [...cuts, text.length]) {
    const buffer = Buffer.from(text.slice(from, to), 'latin1');
    const read = decoder.decode(buffer, 0, buffer.length, (a, b) => {
      body += buffer.toString('latin1', a, b);
    });
    if (read instanceof HeadProblem) return { problem: true };
    if (decoder.done) return { body, trailers: decoder.trailers?.pairs(), length: from + read };
    assert.equal(read, buffer.length, 'bytes are left over');
    from = to;
  }
  return { body };
}

describe('HeadParser, whatever the bytes', () => {
  for (const [kind, seeds] of [
    ['request', requestHeads],
    ['response', responseHeads],
  ] as const) {
    it(`ends in a ${kind} of well-formed fields, or in its own problem`, () => {
      fc.assert(
        fc.property(fc.oneof(mutated(seeds), bytesOf(fc.uint8Array({ maxLength: 300 }))), (text) => {
          const parser = new HeadParser(LIMITS);
          const result = parser[kind](text);
          if (result === undefined || result instanceof HeadProblem) return;
          checkFields(result.fields);
          assert.ok(parser.end <= text.length && parser.end <= LIMITS.headBytes + 2);
          assert.ok(
            text.slice(0, parser.end).endsWith('\r\n\r\n') || text.startsWith('\r\n', parser.end - 2),
          );
        }),
        { numRuns: 20_000 },
      );
    });

    it(`reads a ${kind} alike however it is split`, () => {
      fc.assert(
        fc.property(mutated(seeds), splits, (text, fractions) => {
          const parse = (part: string) => new HeadParser(LIMITS)[kind](part);
          const cuts = fractions.map((each) => Math.floor(each * text.length)).sort((a, b) => a - b);
          assert.equal(summary(grown(parse, text, cuts)), summary(parse(text)));
        }),
        { numRuns: 10_000 },
      );
    });
  }

  it('refuses every further byte once it has refused a beginning', () => {
    fc.assert(
      fc.property(mutated(requestHeads), (text) => {
        let refused = false;
        for (let end = 1; end <= text.length; end++) {
          const result = new HeadParser(LIMITS).request(text.slice(0, end));
          if (refused) assert.ok(result instanceof HeadProblem, `taken back at ${end}`);
          refused = result instanceof HeadProblem;
          if (result !== undefined && !refused) return;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('takes a time that does not explode with the length', () => {
    const parser = new HeadParser({ initialLineBytes: 1e6, headBytes: 4e6, lines: 1000 });
    for (const text of [
      `GET /${'x'.repeat(900_000)}`,
      `GET / HTTP/1.1\r\nX: ${'\t '.repeat(900_000)}`,
      `GET / HTTP/1.1\r\nX: ${'\t '.repeat(900_000)}\r\n\r\n`,
      `GET / HTTP/1.1\r\n${'x'.repeat(900_000)}`,
      `GET / HTTP/1.1\r\n${'X:\r\n'.repeat(200_000)}`,
    ]) {
      const before = performance.now();
      parser.request(text);
      assert.ok(
        performance.now() - before < 500,
        `${text.slice(0, 30)} took ${performance.now() - before} ms`,
      );
    }
  });
});

describe('ChunkDecoder, whatever the bytes', () => {
  it('reads a body alike however it is split', () => {
    fc.assert(
      fc.property(
        fc.oneof(mutated(chunkedBodies), bytesOf(fc.uint8Array({ maxLength: 80 }))),
        splits,
        (text, fractions) => {
          const cuts = fractions.map((each) => Math.floor(each * text.length)).sort((a, b) => a - b);
          const whole = decoded(text, []);
          assert.deepEqual(decoded(text, cuts), whole);
          assert.deepEqual(
            decoded(
              text,
              Array.from(text, (_, i) => i),
            ),
            whole,
          );
        },
      ),
      { numRuns: 4000 },
    );
  });

  it('keeps nothing of a body of 50 MB but its state, and refuses what does not end', () => {
    const decoder = new ChunkDecoder();
    const piece = Buffer.from(`${(1 << 20).toString(16)}\r\n${'x'.repeat(1 << 20)}\r\n`, 'latin1');
    let bytes = 0;
    for (let n = 0; n < 50; n++) {
      const count = (from: number, to: number): void => {
        bytes += to - from;
      };
      assert.equal(decoder.decode(piece, 0, piece.length, count), piece.length);
    }
    assert.equal(bytes, 50 << 20);
    for (const endless of ['0', '1;x', '0\r\nX: ', '0\r\nX: y\r\n']) {
      const each = new ChunkDecoder();
      const start = Buffer.from(endless, 'latin1');
      each.decode(start, 0, start.length, () => {});
      const more = Buffer.from(
        endless.endsWith('\n') ? 'X: y\r\n'.repeat(100) : endless.slice(-1).repeat(600),
        'latin1',
      );
      let refused = false;
      for (let n = 0; n < 50 && !refused; n++)
        refused = each.decode(more, 0, more.length, () => {}) instanceof HeadProblem;
      assert.ok(refused, `${JSON.stringify(endless)} goes on for ever`);
    }
  });
});
