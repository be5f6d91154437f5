import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineBytes, linePart } from '../../../routers/tap/line-bytes.ts';

const line = new LineBytes();

function written(write: (line: LineBytes) => void): string {
  line.clear();
  write(line);
  return line.written.toString();
}

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });

describe('LineBytes', () => {
  it('writes any text as JSON.stringify does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(
          written((to) => to.text(text)),
          JSON.stringify(text),
        );
      }),
    );
  });

  it('reads the text of a head as UTF-8', () => {
    assert.equal(
      written((to) => to.headText('\u00c3\u00a9"')),
      '"é\\""',
    );
    fc.assert(
      fc.property(latin1, (text) => {
        const expected = JSON.stringify(Buffer.from(text, 'latin1').toString('utf8'));
        assert.equal(
          written((to) => to.headText(text)),
          expected,
        );
      }),
    );
  });

  it('writes integers, and milliseconds with three decimals at the most', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) =>
        assert.equal(
          written((to) => to.int(n)),
          String(n),
        ),
      ),
    );
    const ms = fc.oneof(
      fc.double({ min: 0, max: 1e7, noNaN: true }),
      fc.nat({ max: 1e9 }).map((us) => us / 1000),
    );
    fc.assert(
      fc.property(ms, (n) => {
        assert.equal(
          written((to) => to.ms(n)),
          String(Math.round(n * 1000) / 1000),
        );
      }),
    );
    assert.equal(
      written((to) => to.ms(-0.5)),
      '-0.5',
    );
  });

  it('writes the date as Date does, and 64 bits as 16 digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (ms) => {
        assert.equal(
          written((to) => to.isoTime(ms + 0.7)),
          new Date(ms).toISOString(),
        );
      }),
    );
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 64n) - 1n), (id) => {
        const [hi, lo] = [Number(id >> 32n) | 0, Number(id & 0xffffffffn) | 0];
        assert.equal(
          written((to) => to.hex64(hi, lo)),
          id.toString(16).padStart(16, '0'),
        );
      }),
    );
  });

  it('grows with what is written, and keeps what was there', () => {
    const parts = ['{', 'x'.repeat(100_000), 'é'.repeat(300_000), '}'];
    const all = written((to) => {
      for (const part of parts) to.part(linePart(part));
      for (let i = 0; i < 100_000; i++) to.int(i % 10);
    });
    assert.equal(all, parts.join('') + '0123456789'.repeat(10_000));
    assert.equal(
      written((to) => to.int(7)),
      '7',
    );
  });
});
