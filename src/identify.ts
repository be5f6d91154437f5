/**
 * What each router would make of a request, for the admin's `httpIdentifierPort`: the name that its
 * identifiers give, and the dtab by which that name would be looked up.
 */
import { dtabOf } from '../config/name-decoders.ts';
import type { RouterSpec } from '../config/spec.ts';
import { concatDtabs } from '../dtab/lookup.ts';
import { showDtab } from '../dtab/show.ts';
import { Fields } from '../routers/fields.ts';
import type { RequestHead } from '../routers/head.ts';
import { rewriteAbsoluteForm } from '../routers/headers/absolute-form.ts';
import { LocalDtabs } from '../routers/headers/local-dtab.ts';
import { Unidentified } from '../routers/identify/identifier.ts';
import { makeIdentifiers } from '../routers/identify/index.ts';
import type { Identification, ReceivedHead } from './admin/sources.ts';
import { Failure } from './base/failure.ts';

/** Made once: a function from a request to what the routers say of it, by label. */
export function identifyBy(
  routers: readonly RouterSpec[],
): (received: ReceivedHead) => Record<string, Identification> {
  const identifications = routers.map((spec) => ({ label: spec.label, identify: identification(spec) }));
  return (received) =>
    Object.fromEntries(identifications.map(({ label, identify }) => [label, identify(received)]));
}

function identification(spec: RouterSpec): (received: ReceivedHead) => Identification {
  const base = dtabOf(spec.dtab);
  const identifier = makeIdentifiers(spec.identifiers, spec.dstPrefix);
  const locals = new LocalDtabs();
  return (received) => {
    const head = headOf(received);
    const local = locals.take(head.fields);
    if (local instanceof Failure) return { error: local.message };
    const form = rewriteAbsoluteForm(head);
    if (form instanceof Failure) return { error: form.message };
    const path = identifier.identify(head);
    if (path instanceof Unidentified) return { error: path.reason };
    if (path instanceof Failure) return { error: path.message };
    const dtab = showDtab(concatDtabs(base, local.dtab));
    return { path, ...(dtab === '' ? {} : { dtab }) };
  };
}

function headOf({ method, uri, version, headers }: ReceivedHead): RequestHead {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) pairs.push([headers[i] ?? '', headers[i + 1] ?? '']);
  return { method, target: uri, minor: version === '1.0' ? 0 : 1, fields: Fields.of(pairs) };
}
