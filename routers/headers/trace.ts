/**
 * Trace propagation. `io.l5d.default`: `l5d-ctx-trace` (base64 of 32 or 40 bytes) and `l5d-reqid`.
 * `io.l5d.zipkin`: the five `x-b3-*` fields. A propagator reads a request into a TraceId that then names the
 * span of this router, and writes that of each attempt. The default one is written to every request: it fills
 * one buffer per propagator and makes one string of it.
 */
import { latin1 } from '../../src/base/latin1.ts';
import type { Rng } from '../../src/base/rng.ts';
import { Field, type Fields } from '../fields.ts';
import { hex64, parseHex64 } from './hex.ts';
import { parseSampleRate, takeSampleRate } from './sample.ts';
import { isSampledAt, TraceFlag, type TraceId } from './trace-id.ts';
import { showTraceparent, takeTraceparent } from './traceparent.ts';

export type TracePropagatorKind = 'io.l5d.default' | 'io.l5d.zipkin';

export interface TracePropagator {
  /** Fills `trace` with the server span of the request and removes every field that carries a trace. */
  receive(fields: Fields, trace: TraceId): void;
  /** Appends the fields of one attempt: a client span, child of `trace`, with a fresh id every time. */
  append(out: string, trace: TraceId): string;
}

export function makeTracePropagator(kind: TracePropagatorKind, rng: Rng): TracePropagator {
  return kind === 'io.l5d.zipkin' ? new ZipkinPropagator(rng) : new DefaultPropagator(rng);
}

function randomSalt(rng: Rng): bigint {
  return BigInt.asIntN(64, (BigInt(rng.below(4294967296)) << 32n) | BigInt(rng.below(4294967296)));
}

const DIGITS64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const CODE64 = Buffer.from(DIGITS64, 'latin1');
/** Every 12 bits as their two digits. */
const PAIRS64 = new Uint16Array(4096);
{
  const bytes = new Uint8Array(PAIRS64.buffer);
  for (let i = 0; i < 4096; i++) bytes.set([CODE64[i >>> 6] as number, CODE64[i & 63] as number], 2 * i);
}
const CODE16 = Buffer.from('0123456789abcdef', 'latin1');
const PADDING = 0x3d;
const PADDING_PAIR = 0x3d3d;

/** Value of a base64 digit by its character code; 64 for any other character. */
const SIX = new Uint8Array(256).fill(64);
for (let i = 0; i < 64; i++) SIX[DIGITS64.charCodeAt(i)] = i;

/** Base64 digits of 32 and of 40 bytes, and the lengths that padding makes of them. */
const DIGITS_32 = 43;
const DIGITS_40 = 54;
const read = new Int32Array(10);

/**
 * False for anything but base64 of 32 or 40 bytes: then a new trace starts. Digit by digit it takes 0.2 of
 * the time of a check and `Buffer.from`.
 */
export function readTrace(value: string, trace: TraceId): boolean {
  let digits = value.length;
  if (digits === 44 && value.charCodeAt(43) === PADDING) digits = DIGITS_32;
  else if (digits === 56 && value.endsWith('==')) digits = DIGITS_40;
  if (digits !== DIGITS_32 && digits !== DIGITS_40) return false;
  let word = 0;
  let filled = 0;
  let at = 0;
  for (let i = 0; i < digits; i++) {
    const six = SIX[value.charCodeAt(i)] ?? 64;
    if (six === 64) return false;
    const free = 32 - filled;
    if (free > 6) {
      word = (word << 6) | six;
      filled += 6;
    } else {
      // The word is full; what is left of the digit starts the next one.
      filled = 6 - free;
      read[at++] = (word << free) | (six >>> filled);
      word = six & ((1 << filled) - 1);
    }
  }
  trace.spanHi = read[0] as number;
  trace.spanLo = read[1] as number;
  trace.parentHi = read[2] as number;
  trace.parentLo = read[3] as number;
  trace.traceHi = read[4] as number;
  trace.traceLo = read[5] as number;
  trace.flagsHi = read[6] as number;
  trace.flagsLo = read[7] as number;
  trace.wide = digits === DIGITS_40;
  trace.wideHi = trace.wide ? (read[8] as number) : 0;
  trace.wideLo = trace.wide ? (read[9] as number) : 0;
  return true;
}

/** Where the base64 digits are, in pairs: the text before them has 15 characters and begins at 1. */
const DIGITS_AT = 16;

/**
 * Room for both fields with an id of 128 bits; what is between the values is written when it moves. Written
 * in place they take 0.75 of the time of a buffer's base64 and strings around it.
 */
class TraceText {
  readonly #pairs = new Uint16Array(64);
  readonly #bytes = Buffer.from(this.#pairs.buffer);
  readonly #words = new Uint32Array(12);
  #digitsAt = 0;

  constructor() {
    this.#bytes.write('l5d-ctx-trace: ', 1, 'latin1');
  }

  show(trace: TraceId, spanHi: number, spanLo: number): string {
    const words = this.#words;
    words[0] = spanHi;
    words[1] = spanLo;
    words[2] = trace.spanHi;
    words[3] = trace.spanLo;
    words[4] = trace.traceHi;
    words[5] = trace.traceLo;
    words[6] = trace.flagsHi;
    words[7] = trace.flagsLo;
    words[8] = trace.wideHi;
    words[9] = trace.wideLo;
    const length = trace.wide ? 40 : 32;
    const end = this.#base64(length);
    if (this.#digitsAt !== end + 13) {
      this.#bytes.write('\r\nl5d-reqid: ', end, 'latin1');
      this.#bytes.write('\r\n', end + 29, 'latin1');
      this.#digitsAt = end + 13;
    }
    this.#hex(trace.traceHi, end + 13);
    this.#hex(trace.traceLo, end + 21);
    return latin1(this.#bytes, 1, end + 31);
  }

  #base64(length: number): number {
    const pairs = this.#pairs;
    const words = this.#words;
    let at = DIGITS_AT / 2;
    for (let bit = 0; bit < length * 8; bit += 12) {
      const word = bit >>> 5;
      const offset = bit & 31;
      const high = words[word] as number;
      // Past the end of a word the bits continue in the next one (zero after the last).
      const twelve =
        offset <= 20
          ? high >>> (20 - offset)
          : (high << (offset - 20)) | ((words[word + 1] as number) >>> (52 - offset));
      pairs[at++] = PAIRS64[twelve & 4095] as number;
    }
    // 43 digits and one padding character, or 54 and two.
    if (length === 40) pairs[at++] = PADDING_PAIR;
    else this.#bytes[2 * at - 1] = PADDING;
    return 2 * at;
  }

  #hex(word: number, at: number): void {
    for (let i = 0; i < 8; i++) this.#bytes[at + i] = CODE16[(word >>> (28 - 4 * i)) & 15] as number;
  }
}

class DefaultPropagator implements TracePropagator {
  readonly #rng: Rng;
  readonly #salt: bigint;
  readonly #text = new TraceText();

  constructor(rng: Rng) {
    this.#rng = rng;
    this.#salt = randomSalt(rng);
  }

  receive(fields: Fields, trace: TraceId): void {
    let known = false;
    if (fields.mayHave(Field.l5dCtxTrace)) {
      known = readTrace(fields.first(Field.l5dCtxTrace) ?? '', trace);
      fields.remove(Field.l5dCtxTrace);
    }
    trace.w3c = false;
    if (!known && fields.mayHave(Field.b3)) known = takeTraceparent(fields, trace);
    if (known) trace.nextSpan(this.#rng);
    else trace.startTrace(this.#rng);
    if (fields.mayHave(Field.l5dSample)) {
      const rate = takeSampleRate(fields);
      if (rate !== undefined) trace.setSampled(isSampledAt(trace, rate, this.#salt));
    }
    fields.remove(Field.l5dReqid);
  }

  append(out: string, trace: TraceId): string {
    trace.childHi = this.#rng.below(4294967296) | 0;
    trace.childLo = this.#rng.below(4294967296) | 0;
    const text = out + this.#text.show(trace, trace.childHi, trace.childLo);
    return trace.w3c ? text + showTraceparent(trace) : text;
  }
}

class ZipkinPropagator implements TracePropagator {
  readonly #rng: Rng;
  readonly #salt: bigint;

  constructor(rng: Rng) {
    this.#rng = rng;
    this.#salt = randomSalt(rng);
  }

  receive(fields: Fields, trace: TraceId): void {
    const sampled = this.#read(fields, trace);
    const rate = sampled === undefined ? undefined : parseSampleRate(sampled);
    if (rate !== undefined) trace.setSampled(isSampledAt(trace, rate, this.#salt));
    fields.remove(Field.b3);
    fields.remove(Field.l5dCtxTrace);
    fields.remove(Field.l5dSample);
  }

  /** Returns the sampling field, which is a decision and a rate at the same time. */
  #read(fields: Fields, trace: TraceId): string | undefined {
    trace.w3c = false;
    if (!fields.mayHave(Field.b3)) {
      trace.startTrace(this.#rng);
      return undefined;
    }
    const sampled = fields.named('x-b3-sampled');
    const span = parseHex64(fields.named('x-b3-spanid') ?? '');
    if (span === undefined) {
      if (takeTraceparent(fields, trace)) trace.nextSpan(this.#rng);
      else trace.startTrace(this.#rng);
      return sampled;
    }
    const parent = parseHex64(fields.named('x-b3-parentspanid') ?? '') ?? span;
    const root = parseHex64(fields.named('x-b3-traceid') ?? '') ?? span;
    const flags = fields.named('x-b3-flags') ?? '0';
    [trace.spanHi, trace.spanLo] = span;
    [trace.parentHi, trace.parentLo] = parent;
    [trace.traceHi, trace.traceLo] = root;
    trace.flagsHi = 0;
    trace.flagsLo = /^[0-9]{1,9}$/.test(flags) ? Number(flags) : 0;
    trace.wide = false;
    if (sampled !== undefined && /^(?:1|0|true|false)$/i.test(sampled)) {
      trace.setSampled(sampled === '1' || sampled.toLowerCase() === 'true');
    }
    trace.nextSpan(this.#rng);
    return sampled;
  }

  append(out: string, trace: TraceId): string {
    trace.childHi = this.#rng.below(4294967296) | 0;
    trace.childLo = this.#rng.below(4294967296) | 0;
    const span = hex64(trace.childHi, trace.childLo);
    // The sampling decision has a field of its own; B3 flags hold only the others.
    const flags = trace.flagsLo & ~(TraceFlag.samplingKnown | TraceFlag.sampled);
    return (
      `${out}x-b3-traceid: ${hex64(trace.traceHi, trace.traceLo)}\r\nx-b3-spanid: ${span}\r\n` +
      `x-b3-parentspanid: ${hex64(trace.spanHi, trace.spanLo)}\r\n` +
      `x-b3-sampled: ${trace.sampled === true ? '1' : '0'}\r\nx-b3-flags: ${flags}\r\n` +
      (trace.w3c ? showTraceparent(trace) : '')
    );
  }
}
