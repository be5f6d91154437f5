import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fields } from '../../../routers/fields.ts';
import { hex64, parseHex64 } from '../../../routers/headers/hex.ts';
import { parseSampleRate } from '../../../routers/headers/sample.ts';
import { makeTracePropagator, readTrace, type TracePropagatorKind } from '../../../routers/headers/trace.ts';
import { isSampledAt, TraceId } from '../../../routers/headers/trace-id.ts';
import { seededRng } from '../../../src/base/rng.ts';

function words(...values: bigint[]): string {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [i, value] of values.entries()) bytes.writeBigUInt64BE(value, i * 8);
  return bytes.toString('base64');
}

function read(value: string): bigint[] {
  const bytes = Buffer.from(value, 'base64');
  return Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readBigUInt64BE(i * 8));
}

function headerOf(text: string, name: string): string {
  return new RegExp(`^${name}: (.*)\\r$`, 'm').exec(text)?.[1] ?? '';
}

const big = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe('io.l5d.default trace propagation', () => {
  it('continues a trace: a span of ours, then one an attempt', () => {
    const propagator = makeTracePropagator('io.l5d.default', seededRng(1));
    fc.assert(
      fc.property(
        big,
        big,
        big,
        big,
        fc.option(big, { nil: undefined }),
        (span, parent, trace, flags, wide) => {
          const sent = wide === undefined ? [span, parent, trace, flags] : [span, parent, trace, flags, wide];
          const fields = Fields.of([['L5d-Ctx-Trace', words(...sent)]]);
          const id = new TraceId();
          propagator.receive(fields, id);
          assert.deepEqual(fields.pairs(), []);
          const text = propagator.append('', id);
          assert.match(text, /^l5d-ctx-trace: [A-Za-z0-9+/]+={0,2}\r\nl5d-reqid: [0-9a-f]{16}\r\n$/);
          const out = read(headerOf(text, 'l5d-ctx-trace'));
          const ours = (BigInt(id.spanHi >>> 0) << 32n) | BigInt(id.spanLo >>> 0);
          assert.deepEqual(
            out.slice(1),
            wide === undefined ? [ours, trace, flags] : [ours, trace, flags, wide],
          );
          assert.equal(headerOf(text, 'l5d-reqid'), trace.toString(16).padStart(16, '0'));
          const parentOfOurs = (BigInt(id.parentHi >>> 0) << 32n) | BigInt(id.parentLo >>> 0);
          assert.equal(parentOfOurs, span);
          const again = read(headerOf(propagator.append('', id), 'l5d-ctx-trace'));
          assert.notEqual(again[0], out[0]);
          assert.equal(again[1], out[1]);
        },
      ),
    );
  });

  it('starts a trace whose id is its first span', () => {
    const propagator = makeTracePropagator('io.l5d.default', seededRng(2));
    const id = new TraceId();
    propagator.receive(Fields.of([]), id);
    const [, parent, trace, flags] = read(headerOf(propagator.append('', id), 'l5d-ctx-trace'));
    assert.equal(parent, trace);
    assert.equal(flags, 0n);
    assert.equal(id.sampled, undefined);
  });

  it('ignores what is no trace', () => {
    const bad = [
      '',
      'x',
      words(1n, 2n, 3n),
      words(1n, 2n, 3n, 4n, 5n, 6n),
      `${words(1n, 2n, 3n, 4n)}!`,
      '-_'.repeat(22),
    ];
    for (const value of bad) assert.equal(readTrace(value, new TraceId()), false, value);
  });

  it('lets l5d-sample decide, over what was decided before', () => {
    const propagator = makeTracePropagator('io.l5d.default', seededRng(3));
    const decided = (rate: string, flags: bigint): boolean | undefined => {
      const fields = Fields.of([
        ['l5d-ctx-trace', words(1n, 2n, 3n, flags)],
        ['l5d-sample', rate],
      ]);
      const id = new TraceId();
      propagator.receive(fields, id);
      assert.deepEqual(fields.pairs(), []);
      return id.sampled;
    };
    assert.equal(decided('1.0', 2n), true);
    assert.equal(decided('0', 6n), false);
    assert.equal(decided('nonsense', 6n), true);
    assert.equal(decided('nonsense', 0n), undefined);
  });

  it('replaces l5d-reqid', () => {
    const fields = Fields.of([['l5d-reqid', 'x']]);
    makeTracePropagator('io.l5d.default', seededRng(1)).receive(fields, new TraceId());
    assert.deepEqual(fields.pairs(), []);
  });
});

describe('isSampledAt', () => {
  it('chooses about the share asked for, the same for every span of a trace', () => {
    const rng = seededRng(7);
    const id = new TraceId();
    let chosen = 0;
    for (let i = 0; i < 20_000; i++) {
      id.startTrace(rng);
      const before = isSampledAt(id, 0.25, -5n);
      id.nextSpan(rng);
      assert.equal(isSampledAt(id, 0.25, -5n), before);
      if (before) chosen++;
    }
    assert.ok(Math.abs(chosen / 20_000 - 0.25) < 0.02, `chosen ${chosen}`);
  });
});

describe('parseSampleRate', () => {
  it('reads decimal numbers and clamps them', () => {
    const table: [string, number | undefined][] = [
      ['0.2', 0.2],
      ['-3', 0],
      ['1.5', 1],
      ['1e-1', 0.1],
      ['.5', 0.5],
      ['1.', 1],
      [' 1 ', 1],
      ['', undefined],
      ['0,5', undefined],
      ['50%', undefined],
      ['NaN', undefined],
      ['0x1', undefined],
    ];
    for (const [text, rate] of table) assert.equal(parseSampleRate(text), rate, text);
  });
});

describe('io.l5d.zipkin trace propagation', () => {
  const incoming: [string, string][] = [
    ['X-B3-TraceId', '00000000000000aa00000000000000bb'],
    ['X-B3-SpanId', '00000000000000cc'],
    ['X-B3-ParentSpanId', '00000000000000dd'],
    ['X-B3-Sampled', '1'],
    ['X-B3-Flags', '0'],
  ];

  it('continues a trace with the low half of its id', () => {
    const propagator = makeTracePropagator('io.l5d.zipkin', seededRng(1));
    const fields = Fields.of([
      ...incoming,
      ['l5d-ctx-trace', words(1n, 2n, 3n, 4n)],
      ['l5d-sample', '0'],
      ['l5d-reqid', 'x'],
    ]);
    const id = new TraceId();
    propagator.receive(fields, id);
    assert.deepEqual(fields.pairs(), [['l5d-reqid', 'x']]);
    const text = propagator.append('', id);
    assert.equal(headerOf(text, 'x-b3-traceid'), '00000000000000bb');
    assert.equal(headerOf(text, 'x-b3-parentspanid'), hex64(id.spanHi, id.spanLo));
    assert.equal(hex64(id.parentHi, id.parentLo), '00000000000000cc');
    assert.match(headerOf(text, 'x-b3-spanid'), /^[0-9a-f]{16}$/);
    assert.equal(headerOf(text, 'x-b3-sampled'), '1');
    assert.equal(headerOf(text, 'x-b3-flags'), '0');
  });

  it('starts a trace without a span id, and never leaves the sampling field out', () => {
    const propagator = makeTracePropagator('io.l5d.zipkin', seededRng(1));
    const id = new TraceId();
    propagator.receive(Fields.of(incoming.filter(([name]) => name !== 'X-B3-SpanId')), id);
    assert.notEqual(hex64(id.traceHi, id.traceLo), '00000000000000bb');
    propagator.receive(Fields.of([]), id);
    assert.equal(headerOf(propagator.append('', id), 'x-b3-sampled'), '0');
  });

  it('takes the sampling field as a rate, too', () => {
    const propagator = makeTracePropagator('io.l5d.zipkin', seededRng(1));
    const sampled = (value: string): boolean | undefined => {
      const id = new TraceId();
      propagator.receive(
        Fields.of([
          ['x-b3-spanid', '1'],
          ['x-b3-sampled', value],
        ]),
        id,
      );
      return id.sampled;
    };
    assert.equal(sampled('true'), true);
    assert.equal(sampled('0'), false);
    assert.equal(sampled('0.0'), false);
    assert.equal(sampled('1.0'), true);
    assert.equal(sampled('?'), undefined);
  });
});

describe('hex64', () => {
  it('round-trips through parseHex64', () => {
    const half = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(half, half, (hi, lo) => assert.deepEqual(parseHex64(hex64(hi, lo)), [hi | 0, lo | 0])),
    );
    assert.deepEqual(parseHex64('a'), [0, 10]);
    assert.equal(parseHex64('xyz'), undefined);
    assert.equal(parseHex64(''), undefined);
  });
});

describe('traceparent', () => {
  const w3c = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const receive = (kind: TracePropagatorKind, pairs: [string, string][]) => {
    const fields = Fields.of(pairs);
    const trace = new TraceId();
    const propagator = makeTracePropagator(kind, seededRng(5));
    propagator.receive(fields, trace);
    return { fields, trace, sent: propagator.append('', trace) };
  };

  for (const kind of ['io.l5d.default', 'io.l5d.zipkin'] as const) {
    it(`makes the request part of its trace and goes on with the attempt as parent, with ${kind}`, () => {
      const { fields, trace, sent } = receive(kind, [
        ['traceparent', w3c],
        ['tracestate', 'a=b'],
      ]);
      assert.equal(trace.sampled, true);
      assert.deepEqual(fields.pairs(), [['tracestate', 'a=b']]);
      const [, id, span] = /traceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-01\r\n/.exec(sent) ?? [];
      assert.equal(id, '0af7651916cd43dd8448eb211c80319c');
      assert.notEqual(span, 'b7ad6b7169203331');
    });
  }

  it('passes untouched beside a trace of linkerd itself', () => {
    const own = receive('io.l5d.default', []);
    const ctx = /l5d-ctx-trace: (\S+)/.exec(own.sent)?.[1] ?? '';
    const { fields, sent } = receive('io.l5d.default', [
      ['l5d-ctx-trace', ctx],
      ['traceparent', w3c],
    ]);
    assert.deepEqual(fields.pairs(), [['traceparent', w3c]]);
    assert.ok(!sent.includes('traceparent'));
  });

  it('is nothing when it is not what the Recommendation says', () => {
    for (const bad of [
      '',
      w3c.toUpperCase(),
      `${w3c}-x`,
      w3c.replace('00-', 'ff-'),
      w3c.replace('b7ad6b7169203331', '0000000000000000'),
      w3c.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
    ]) {
      const { trace, sent } = receive('io.l5d.default', [['traceparent', bad]]);
      assert.equal(trace.w3c, false, bad);
      assert.ok(!sent.includes('traceparent'));
    }
  });
});
