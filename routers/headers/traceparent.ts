/**
 * W3C Trace Context (Recommendation, level 1): `traceparent: 00-<32 hex>-<16 hex>-<2 hex>`. A request whose
 * trace comes this way and no other is part of that trace, and its attempts carry the field on; `tracestate`
 * passes as it is. Beside a trace of linkerd's own form the field passes untouched.
 */
import type { Fields } from '../fields.ts';
import { hex64, parseHex64 } from './hex.ts';
import { TraceFlag, type TraceId } from './trace-id.ts';

const FORM = /^([0-9a-f]{2})-([0-9a-f]{16})([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZERO = '0000000000000000';

/** Fills `trace` with what the caller says and takes the field out; false: there is none that is valid. */
export function takeTraceparent(fields: Fields, trace: TraceId): boolean {
  const [, version, high, low, parent, flags, more] = FORM.exec(fields.named('traceparent') ?? '') ?? [];
  if (high === undefined || low === undefined || parent === undefined || flags === undefined) return false;
  const known = version !== 'ff' && (version !== '00' || more === undefined);
  if (!known || parent === ZERO || (high === ZERO && low === ZERO)) return false;
  [trace.wideHi, trace.wideLo] = parseHex64(high) ?? [0, 0];
  [trace.traceHi, trace.traceLo] = parseHex64(low) ?? [0, 0];
  [trace.spanHi, trace.spanLo] = parseHex64(parent) ?? [0, 0];
  trace.parentHi = trace.spanHi;
  trace.parentLo = trace.spanLo;
  trace.wide = true;
  trace.w3c = true;
  trace.flagsHi = 0;
  trace.flagsLo = 0;
  if ((Number.parseInt(flags, 16) & 1) === 1) trace.setSampled(true);
  fields.removeNamed('traceparent');
  return true;
}

/** The line of an attempt, whose span is the trace's child. */
export function showTraceparent(trace: TraceId): string {
  const id = hex64(trace.wideHi, trace.wideLo) + hex64(trace.traceHi, trace.traceLo);
  const sampled = (trace.flagsLo & (TraceFlag.sampled | TraceFlag.debug)) === 0 ? '00' : '01';
  return `traceparent: 00-${id}-${hex64(trace.childHi, trace.childLo)}-${sampled}\r\n`;
}
