/** Old forms of namers. */
import type { Age } from './compat-age.ts';
import { boolAt, type OldForms, textAt, withKey, without } from './compat-edit.ts';
import { entryOf, get, type ObjectValue, textOf, type Value } from './value.ts';

const EXPERIMENTAL = 'io.l5d.experimental.';
const RENAMED: readonly string[] = ['k8s', 'consul', 'marathon'];
const CONSUL_LIMITS = ['maxHeadersKB', 'maxInitialLineKB', 'maxRequestKB', 'maxResponseKB'];
const K8S_TLS = ['tls', 'tlsWithoutValidation', 'authTokenFile'];

export function rewriteNamer(namer: ObjectValue, path: string, age: Age, old: OldForms): ObjectValue {
  const given = get(namer, 'kind');
  const kind = textOf(given) ?? '';
  const plain = RENAMED.find((name) => kind === EXPERIMENTAL + name);
  let edited = namer;
  if (plain !== undefined && given !== undefined) {
    old.readAs(given.at, `${path}.kind`, `"${kind}"`, `"io.l5d.${plain}"`);
    edited = withKey(edited, 'kind', textAt(`io.l5d.${plain}`, given.at));
  }
  if (age.before06 || age.baseDtab) edited = withLegacyNames(edited, path, old);
  const current = textOf(get(edited, 'kind'));
  if (current === 'io.l5d.k8s') edited = withoutApiTls(edited, path, old);
  if (current === 'io.l5d.dnssrv')
    edited = old.drop(edited, path, 'domain', 'names are looked up as they are');
  if (current === 'io.l5d.consul') {
    for (const key of CONSUL_LIMITS) edited = old.drop(edited, path, key, 'answers of consul are streamed');
  }
  return edited;
}

/** What a namer's names begin with, after `/#` and, in old files, without it. */
export function namerPrefix(namer: Value | undefined): string | undefined {
  const kind = textOf(get(namer, 'kind'));
  return textOf(get(namer, 'prefix')) ?? (kind === undefined ? undefined : `/${kind}`);
}

function withLegacyNames(namer: ObjectValue, path: string, old: OldForms): ObjectValue {
  const prefix = namerPrefix(namer);
  if (prefix === undefined || get(namer, 'legacyNames') !== undefined) return namer;
  const now = `"legacyNames: true"; better write "/#${prefix}/..." everywhere`;
  old.readAs(namer.at, path, `of names ("${prefix}/..." without "/#")`, now);
  return withKey(namer, 'legacyNames', boolAt(true, namer.at));
}

/**
 * The namer spoke TLS to the API server itself. Without host and port it uses the pod's service account,
 * which is what those keys described by hand.
 */
function withoutApiTls(namer: ObjectValue, path: string, old: OldForms): ObjectValue {
  const given = K8S_TLS.filter((key) => entryOf(namer, key) !== undefined);
  if (given.length === 0) return namer;
  let edited = namer;
  for (const key of given) {
    edited = old.drop(
      edited,
      path,
      key,
      'in a pod its service account is used when there is no "host" and "port"',
    );
  }
  const host = textOf(get(namer, 'host')) ?? '';
  if (host !== '' && !host.startsWith('kubernetes.default')) return edited;
  for (const key of ['host', 'port'])
    edited = old.drop(edited, path, key, 'so that the service account is used');
  return without(edited, 'host', 'port');
}
