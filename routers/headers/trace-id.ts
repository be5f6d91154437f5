/**
 * The identity of a span, as finagle has it: trace, parent and span id of 64 bits each, flags, and the high
 * half of a trace id of 128 bits. Every 64-bit number is two halves of 32 bits, signed, because only those
 * are never boxed (with unsigned ones it takes 310 bytes instead of 150); the object is mutable, one an
 * exchange, so that nothing is allocated.
 */
import type { Rng } from '../../src/base/rng.ts';

export const TraceFlag = { debug: 1, samplingKnown: 2, sampled: 4 } as const;

const HALF = 4294967296;

export class TraceId {
  traceHi = 0;
  traceLo = 0;
  parentHi = 0;
  parentLo = 0;
  spanHi = 0;
  spanLo = 0;
  flagsHi = 0;
  flagsLo = 0;
  /** High half of a trace id of 128 bits. */
  wide = false;
  wideHi = 0;
  wideLo = 0;
  /** The span of the last attempt. */
  childHi = 0;
  childLo = 0;
  /** The trace came as W3C `traceparent` and goes on as such too. */
  w3c = false;

  /** The first span of a new trace: all three ids are equal, nothing is decided. */
  startTrace(rng: Rng): void {
    this.spanHi = rng.below(HALF) | 0;
    this.spanLo = rng.below(HALF) | 0;
    this.traceHi = this.spanHi;
    this.traceLo = this.spanLo;
    this.parentHi = this.spanHi;
    this.parentLo = this.spanLo;
    this.flagsHi = 0;
    this.flagsLo = 0;
    this.wide = false;
    this.wideHi = 0;
    this.wideLo = 0;
  }

  /** Becomes a child of what it was: the same trace, a fresh span. */
  nextSpan(rng: Rng): void {
    this.parentHi = this.spanHi;
    this.parentLo = this.spanLo;
    this.spanHi = rng.below(HALF) | 0;
    this.spanLo = rng.below(HALF) | 0;
  }

  /** True or false when the decision whether to sample this trace has been made. */
  get sampled(): boolean | undefined {
    if ((this.flagsLo & TraceFlag.debug) !== 0) return true;
    return (this.flagsLo & TraceFlag.samplingKnown) === 0
      ? undefined
      : (this.flagsLo & TraceFlag.sampled) !== 0;
  }

  setSampled(sampled: boolean): void {
    const others = this.flagsLo & ~(TraceFlag.samplingKnown | TraceFlag.sampled);
    this.flagsLo = others | TraceFlag.samplingKnown | (sampled ? TraceFlag.sampled : 0);
  }
}

/**
 * Whether a trace is in a share `rate` of all: the same answer for every span of it, and another choice of
 * traces in every process through `salt`.
 */
export function isSampledAt(trace: TraceId, rate: number, salt: bigint): boolean {
  const id = (BigInt(trace.traceHi) << 32n) | BigInt(trace.traceLo >>> 0);
  const mixed = BigInt.asIntN(64, id ^ salt);
  return Number((mixed < 0n ? -mixed : mixed) % 10000n) < rate * 10000;
}
