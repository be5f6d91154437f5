/**
 * `clearContext: true`, for servers that face strangers: nothing they say in `l5d-*` fields is believed, and
 * nothing of ours is told to them. Decision 14 adds `x-forwarded-client-cert`, which only a trusted hop may
 * set.
 */
import { Field, type Fields } from '../fields.ts';

const L5D_IDS: readonly number[] = [
  Field.l5dDtab,
  Field.l5dCtxDtab,
  Field.l5dCtxDeadline,
  Field.l5dCtxTrace,
  Field.l5dSample,
  Field.l5dDst,
  Field.l5dReqid,
  Field.l5dErr,
  Field.l5dRetryable,
  Field.l5dSuccessClass,
  Field.l5dAddContext,
  Field.l5dOther,
];

let l5dMask = 0;
for (const id of L5D_IDS) l5dMask |= 1 << id;

function clearL5d(fields: Fields): void {
  if ((fields.seen & l5dMask) === 0) return;
  for (const id of L5D_IDS) fields.remove(id);
}

/** Trace fields of the B3 kind go too: with this option a caller never continues its own trace. */
export function clearRequestContext(fields: Fields): void {
  clearL5d(fields);
  fields.remove(Field.b3);
  fields.remove(Field.forwardedClientCert);
}

/**
 * Returns true when the message is an error of a router, whose body must be emptied (and its length with it).
 */
export function clearResponseContext(fields: Fields): boolean {
  const emptied = fields.mayHave(Field.l5dErr) && fields.first(Field.l5dErr) !== undefined;
  clearL5d(fields);
  if (emptied) fields.removeNamed('turnout-err');
  return emptied;
}
