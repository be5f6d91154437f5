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
import { type IdentifierDeps, makeIdentifiers } from '../routers/identify/index.ts';
import type { IngressRules } from '../routers/identify/ingress-rules.ts';
import type { Identification, ReceivedHead } from './admin/sources.ts';
import type { Activity } from './base/activity.ts';
import { Failure } from './base/failure.ts';

/** Made once: a function from a request to what the routers say of it, by label. */
export function identifyBy(
  routers: readonly RouterSpec[],
  ingress: (router: number, identifier: number) => Activity<IngressRules>,
): (received: ReceivedHead) => Record<string, Identification> {
  const identifications = routers.map((spec, i) => ({
    label: spec.label,
    identify: identification(spec, (identifier) => ingress(i, identifier)),
  }));
  return (received) =>
    Object.fromEntries(identifications.map(({ label, identify }) => [label, identify(received)]));
}

function identification(
  spec: RouterSpec,
  ingress: IdentifierDeps['ingress'],
): (received: ReceivedHead) => Identification {
  const base = dtabOf(spec.dtab);
  const locals = new LocalDtabs();
  return (received) => {
    const head = headOf(received);
    const local = locals.take(head.fields);
    if (local instanceof Failure) return refusal(local);
    const form = rewriteAbsoluteForm(head);
    if (form instanceof Failure) return refusal(form);
    // Made for the one question: what it watches, it watches no longer than that.
    const identifier = makeIdentifiers(spec.identifiers, spec.dstPrefix, { ingress, changed() {} });
    const path = identifier.identify(head);
    identifier.close?.();
    if (path instanceof Unidentified) return { error: path.reason, code: 'unidentified' };
    if (path instanceof Failure) return refusal(path);
    const dtab = showDtab(concatDtabs(base, local.dtab));
    return { path, ...(dtab === '' ? {} : { dtab }) };
  };
}

function refusal({ message, kind }: Failure): Identification {
  return { error: message, code: kind };
}

function headOf({ method, uri, version, headers }: ReceivedHead): RequestHead {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) pairs.push([headers[i] ?? '', headers[i + 1] ?? '']);
  return { method, target: uri, minor: version === '1.0' ? 0 : 1, fields: Fields.of(pairs) };
}
