/**
 * Fields that belong to one connection are not forwarded: a fixed list, and those that a Connection field
 * names.
 *
 * `Keep-Alive` and `Proxy-Connection` go only when they are named, as in linkerd; the data path removes them
 * anyway (receive.ts), because it announces its own keep-alive.
 */
import { Field, type Fields } from '../fields.ts';
import { listTokens } from './list-tokens.ts';

const FIXED: readonly number[] = [
  Field.proxyAuthenticate,
  Field.proxyAuthorization,
  Field.te,
  Field.trailer,
  Field.transferEncoding,
  Field.upgrade,
];

let anyMask = 1 << Field.connection;
for (const id of FIXED) anyMask |= 1 << id;

/**
 * A Connection field that names one of these does not remove it (RFC 9110 7.6.1 forbids senders to name a
 * field meant for all recipients). Otherwise a caller could strip what tells the next hop how to read the
 * message or whom it is from: its length, its host, its loop guard, what proxies in front of us said about
 * the client. Envoy guards the same kind of fields.
 */
const KEPT_IDS: ReadonlySet<number> = new Set([
  Field.host,
  Field.contentLength,
  Field.via,
  Field.maxForwards,
  Field.forwardedClientCert,
]);
const KEPT_NAMES = /^(?:forwarded|x-forwarded-.*)$/;

export function stripHopByHop(fields: Fields): void {
  if ((fields.seen & anyMask) === 0) return;
  if (fields.mayHave(Field.connection)) {
    for (let i = 0; i < fields.ids.length; i++) {
      if (fields.ids[i] === Field.connection) removeNamed(fields, fields.values[i] as string);
    }
    fields.remove(Field.connection);
  }
  for (const id of FIXED) fields.remove(id);
}

/** Options that name no field, in the usual spellings: most Connection fields hold nothing else. */
function removeNamed(fields: Fields, value: string): void {
  if (value === 'close') return;
  if (value === 'keep-alive' || value === 'Keep-Alive') {
    fields.remove(Field.keepAlive);
    return;
  }
  const named = new Set<string>();
  for (const token of listTokens(value)) {
    const name = token.toLowerCase();
    if (name !== '' && name !== 'close') named.add(name);
  }
  for (let i = 0; i < fields.ids.length; i++) {
    const id = fields.ids[i] as number;
    if (id === Field.removed || id === Field.connection || KEPT_IDS.has(id)) continue;
    const name = (fields.names[i] as string).toLowerCase();
    if (named.has(name) && !KEPT_NAMES.test(name)) fields.removeAt(i);
  }
}
