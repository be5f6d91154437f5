/**
 * The header stages of one request and one response, in the order of the specification. What we write
 * ourselves is taken out of the fields here and appended by emit.ts, so that the fields that are left can be
 * written as they are, any number of times (retries).
 *
 * Two deviations from the plain hop-by-hop rule, both because the data path announces its own keep-alive on
 * either side and a peer's would be a lie there: Keep-Alive and Proxy-Connection always go, whether
 * Connection names them or not.
 */
import { Failure } from '../../src/base/failure.ts';
import { Field, type Fields } from '../fields.ts';
import type { RequestHead } from '../head.ts';
import { rewriteAbsoluteForm, splitAbsoluteForm } from './absolute-form.ts';
import { clearRequestContext } from './clear-context.ts';
import { deadlineMsOf, takeDeadline } from './deadline.ts';
import type { DeadlineStats } from './deadline-stats.ts';
import type { ForwardedLine } from './forwarded.ts';
import { stripHopByHop } from './hop-by-hop.ts';
import { type LocalDtabs, noOverride } from './local-dtab.ts';
import { countDownForwards, wantsContext } from './max-forwards.ts';
import type { RequestContext } from './request-context.ts';
import type { TracePropagator } from './trace.ts';
import { upgradeOf } from './upgrade.ts';
import { checkCallDepth } from './via.ts';

/** Prepared once a server. */
export type ReceiveOptions = {
  readonly clearContext: boolean;
  readonly maxCallDepth: number;
  /** Checked to be a token when the configuration is read. */
  readonly timestampHeader: string | undefined;
  readonly localDtabs: LocalDtabs;
  readonly tracePropagator: TracePropagator;
  readonly clock: { wallMs(): number };
  readonly deadlines: DeadlineStats;
};

/** Before identification. A Failure is answered at once; the context is filled in any case. */
export function receiveRequest(
  head: RequestHead,
  options: ReceiveOptions,
  forwarded: ForwardedLine | undefined,
  out: RequestContext,
): Failure | undefined {
  const { fields } = head;
  out.localDtab = noOverride;
  out.deadline = undefined;
  out.deadlineMs = Number.POSITIVE_INFINITY;
  out.via = undefined;
  out.forwardedClientCert = undefined;
  out.answerHere = false;
  out.upgrade = undefined;
  out.addContext = false;

  if (options.clearContext) clearRequestContext(fields);
  out.deadline = takeDeadline(fields, undefined);
  if (out.deadline !== undefined) {
    out.deadlineMs = deadlineMsOf(out.deadline);
    const wallMs = options.clock.wallMs();
    options.deadlines.arrived(out.deadlineMs - wallMs, wallMs - Number(out.deadline.timestampNs) / 1e6);
  }
  const localDtab = options.localDtabs.take(fields);
  // Forwarded says what was received, hence before the rewriting of the target and of Host.
  if (forwarded !== undefined) {
    const scheme = splitAbsoluteForm(head.target)?.scheme;
    fields.add('Forwarded', forwarded.value(fields.first(Field.host), scheme), Field.other);
  }
  if (options.timestampHeader !== undefined) {
    fields.add(options.timestampHeader, String(Math.floor(options.clock.wallMs())));
  }
  const tooDeep = checkCallDepth(fields, options.maxCallDepth);
  options.tracePropagator.receive(fields, out.trace);
  if (localDtab instanceof Failure) return localDtab;
  out.localDtab = localDtab;
  if (tooDeep !== undefined) return tooDeep;
  const absolute = rewriteAbsoluteForm(head);
  return absolute instanceof Failure ? absolute : undefined;
}

/** Fields that `prepareForward` looks at, besides Host: most requests have none of them. */
let takenMask = 0;
for (const id of [
  Field.via,
  Field.forwardedClientCert,
  Field.l5dDst,
  Field.connection,
  Field.keepAlive,
  Field.proxyConnection,
  Field.expect,
  Field.maxForwards,
  Field.l5dAddContext,
  Field.te,
  Field.trailer,
  Field.transferEncoding,
  Field.upgrade,
  Field.proxyAuthenticate,
  Field.proxyAuthorization,
]) {
  takenMask |= 1 << id;
}

/** After identification, once a request: whatever is not for the next hop goes. */
export function prepareForward(head: RequestHead, out: RequestContext): Failure | undefined {
  const { fields } = head;
  if (head.minor === 1 && !fields.mayHave(Field.host)) fields.add('Host', '', Field.host);
  if ((fields.seen & takenMask) === 0) return undefined;
  out.upgrade = upgradeOf(head);
  stripHopByHop(fields);
  fields.remove(Field.keepAlive);
  fields.remove(Field.proxyConnection);
  fields.remove(Field.expect);
  fields.remove(Field.l5dDst);
  if (fields.mayHave(Field.via)) {
    out.via = fields.first(Field.via);
    fields.remove(Field.via);
  }
  if (fields.mayHave(Field.forwardedClientCert)) {
    out.forwardedClientCert = fields.all(Field.forwardedClientCert).join(',');
    fields.remove(Field.forwardedClientCert);
  }
  out.addContext = wantsContext(head);
  const answerHere = countDownForwards(head);
  if (answerHere instanceof Failure) return answerHere;
  out.answerHere = answerHere;
  return undefined;
}

let responseMask = 0;
for (const id of [
  Field.via,
  Field.connection,
  Field.keepAlive,
  Field.proxyConnection,
  Field.te,
  Field.trailer,
  Field.transferEncoding,
  Field.upgrade,
  Field.proxyAuthenticate,
  Field.proxyAuthorization,
  Field.l5dSuccessClass,
]) {
  responseMask |= 1 << id;
}

/**
 * An upstream's response, after its framing, keep-alive and class have been read. Returns the Via that it
 * came with, to be given to `appendVia`.
 */
export function receiveResponse(fields: Fields): string | undefined {
  if ((fields.seen & responseMask) === 0) return undefined;
  stripHopByHop(fields);
  fields.remove(Field.keepAlive);
  fields.remove(Field.proxyConnection);
  fields.remove(Field.l5dSuccessClass);
  if (!fields.mayHave(Field.via)) return undefined;
  const via = fields.first(Field.via);
  fields.remove(Field.via);
  return via;
}
