/**
 * Old forms of TLS. The old `boundPath` asked its names in order and took the first that matched, where now
 * the last matching entry wins: the names are reversed. It was strict unless told otherwise: a client that no
 * name matched failed, and must not go out in plain text now, hence `tls: {refuse: true}` for all before the
 * names.
 */
import type { Age } from './compat-age.ts';
import {
  boolAt,
  editKey,
  editObject,
  editSection,
  isStatic,
  listAt,
  type OldForms,
  objectAt,
  textAt,
  withKey,
  without,
} from './compat-edit.ts';
import { namerPrefix } from './compat-namer.ts';
import { type Entry, entryOf, get, itemsOf, type ObjectValue, textOf, toJson, type Value } from './value.ts';

const OLD_KIND = /^io\.l5d\.(?:clientTls\.)?(boundPath|static|noValidation)$/;
const BOUND_PATH_KEYS = ['kind', 'caCertPath', 'names', 'strict'];

export function rewriteClientTls(
  client: Value,
  path: string,
  namers: readonly Value[],
  age: Age,
  old: OldForms,
): Value {
  if (client.type !== 'object') return client;
  const tls = get(client, 'tls');
  if (tls?.type === 'object' && oldKind(tls) === 'boundPath' && !isStatic(client)) {
    return boundPath(client, tls, path, namers, old);
  }
  const current = editSection(client, path, (params, at) =>
    editKey(params, 'tls', (value) => editObject(value, (object) => oneName(object, `${at}.tls`, old))),
  );
  return age.before06 && current.type === 'object' ? legacyPrefixes(current, path, namers, old) : current;
}

export function rewriteServerTls(value: Value, path: string, old: OldForms): Value {
  return editObject(value, (tls) => {
    const kind = get(tls, 'kind');
    if (kind === undefined || textOf(kind) !== 'io.l5d.serverTls') return tls;
    old.leftOut(kind.at, `${path}.kind`, '"kind: io.l5d.serverTls"', 'there is one kind');
    return without(tls, 'kind');
  });
}

function oldKind(tls: ObjectValue): string | undefined {
  return OLD_KIND.exec(textOf(get(tls, 'kind')) ?? '')?.[1];
}

/** The kinds `static` and `noValidation`, and `caCertPath` alone. */
function oneName(given: ObjectValue, path: string, old: OldForms): ObjectValue {
  const kind = get(given, 'kind');
  const name = oldKind(given);
  if (name === 'boundPath' || (kind !== undefined && name === undefined)) return given;
  let tls = without(given, 'kind');
  if (name === 'noValidation' && kind !== undefined) {
    tls = withKey(tls, 'disableValidation', boolAt(true, kind.at), kind.at);
  }
  const authority = entryOf(tls, 'caCertPath');
  if (authority !== undefined && get(tls, 'trustCerts') !== undefined) {
    old.conflict(
      authority.keyAt,
      path,
      '"caCertPath" is the old form of "trustCerts", and both are set: remove one',
    );
  }
  if (authority !== undefined) tls = withTrust(without(tls, 'caCertPath'), authority);
  const now = `"tls: ${JSON.stringify(toJson(tls))}"`;
  if (kind !== undefined) old.readAs(kind.at, path, `"kind: ${textOf(kind)}"`, now);
  else if (authority !== undefined) old.readAs(authority.keyAt, path, '"caCertPath"', now);
  return kind === undefined && authority === undefined ? given : tls;
}

function withTrust(tls: ObjectValue, authority: Entry | undefined): ObjectValue {
  if (authority === undefined || authority.value.type === 'null') return tls;
  return withKey(tls, 'trustCerts', listAt([authority.value], authority.value.at), authority.keyAt);
}

function boundPath(
  client: ObjectValue,
  tls: ObjectValue,
  path: string,
  namers: readonly Value[],
  old: OldForms,
): Value {
  const kind = get(tls, 'kind');
  const at = kind?.at ?? tls.at;
  for (const entry of tls.entries) {
    if (!BOUND_PATH_KEYS.includes(entry.key)) old.unknownKey(entry, `${path}.tls`, BOUND_PATH_KEYS);
  }
  const strict = get(tls, 'strict');
  if (strict !== undefined && strict.type !== 'bool') {
    old.conflict(strict.at, `${path}.tls.strict`, '"strict" must be true or false');
  }
  const names = itemsOf(get(tls, 'names'));
  if (names.length === 0)
    old.conflict(tls.at, `${path}.tls`, '"names" is required: a list of {prefix, commonNamePattern}');
  const authority = entryOf(tls, 'caCertPath');
  const entries = names.map((name, i) => boundName(name, i, authority, `${path}.tls`, namers, old)).reverse();
  const others = without(client, 'kind', 'tls').entries;
  const forAll: readonly Entry[] =
    strict?.type === 'bool' && !strict.value
      ? others
      : [...others, { key: 'tls', keyAt: tls.at, value: objectAt({ refuse: boolAt(true, tls.at) }, tls.at) }];
  const prefix: Entry = { key: 'prefix', keyAt: client.at, value: textAt('/', client.at) };
  const first: ObjectValue = { type: 'object', at: client.at, entries: [prefix, ...forAll] };
  const configs = listAt(forAll.length === 0 ? entries : [first, ...entries], tls.at);
  const rewritten = objectAt({ kind: textAt('io.l5d.static', at), configs }, client.at);
  old.readAs(at, `${path}.tls`, `"kind: ${textOf(kind)}"`, `"client: ${JSON.stringify(toJson(rewritten))}"`);
  return rewritten;
}

/** `{prefix, commonNamePattern}`; what else it holds is left for the decoder to refuse. */
function boundName(
  name: Value,
  i: number,
  authority: Entry | undefined,
  path: string,
  namers: readonly Value[],
  old: OldForms,
): Value {
  if (name.type !== 'object') return name;
  const pattern = get(name, 'commonNamePattern');
  if (pattern === undefined) {
    old.conflict(name.at, `${path}.names[${i}]`, '"commonNamePattern" is required');
  }
  const tls = objectAt(pattern === undefined ? {} : { commonName: pattern }, name.at);
  const entry = withKey(without(name, 'commonNamePattern'), 'tls', withTrust(tls, authority), name.at);
  return legacyPrefix(entry, `${path}.names[${i}]`, namers, old);
}

function legacyPrefixes(client: ObjectValue, path: string, namers: readonly Value[], old: OldForms): Value {
  if (!isStatic(client)) return client;
  return editSection(client, path, (params, at) => legacyPrefix(params, at, namers, old));
}

/**
 * Ids of clients always begin with `/#`, `/$` or `/%`, so a prefix that begins like a namer's can only mean
 * that.
 */
function legacyPrefix(
  entry: ObjectValue,
  path: string,
  namers: readonly Value[],
  old: OldForms,
): ObjectValue {
  const prefix = get(entry, 'prefix');
  const text = textOf(prefix);
  if (prefix === undefined || text === undefined) return entry;
  const meant = namers.some((namer) => {
    const start = namerPrefix(namer);
    return start !== undefined && (text === start || text.startsWith(`${start}/`));
  });
  if (!meant) return entry;
  old.readAs(prefix.at, `${path}.prefix`, `"${text}" (without "/#")`, `"/#${text}"`);
  return withKey(entry, 'prefix', { ...prefix, type: 'string', value: `/#${text}`, contentAt: prefix.at });
}
