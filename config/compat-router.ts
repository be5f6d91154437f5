/** Old forms of routers, apart from TLS (config/compat-tls). */
import type { Age } from './compat-age.ts';
import {
  editItems,
  editKey,
  editObject,
  editSection,
  isStatic,
  type OldForms,
  objectAt,
  textAt,
  withKey,
  without,
} from './compat-edit.ts';
import { rewriteClientTls, rewriteServerTls } from './compat-tls.ts';
import { entryOf, get, type ObjectValue, textOf, toJson, type Value } from './value.ts';

const METHOD_AND_HOST = 'io.l5d.methodAndHost';
const IDENTIFIERS: Readonly<Record<string, string>> = {
  default: METHOD_AND_HOST,
  'io.l5d.headerToken': 'io.l5d.header.token',
  'io.l5d.headerPath': 'io.l5d.header.path',
  'io.l5d.http.ingress': 'io.l5d.ingress',
  'io.l5d.h2.ingress': 'io.l5d.ingress',
};
const OLD_CLASSIFIER = /^(?:io\.l5d\.)?(nonRetryable5XX|retryableRead5XX|retryableIdempotent5XX)$/;
const BODY_LIMITS = {
  maxChunkKB: 'chunks have no limit of their own',
  maxRequestKB: 'longer bodies are streamed, see "streamAfterContentLengthKB"',
  maxResponseKB: 'longer bodies are streamed, see "streamAfterContentLengthKB"',
};

export function rewriteRouter(
  given: ObjectValue,
  path: string,
  age: Age,
  namers: readonly Value[],
  old: OldForms,
): ObjectValue {
  let router = baseDtab(given, path, age, old);
  router = httpUriInDst(router, path, old);
  router = editKey(router, 'identifier', (value) => identifierKinds(value, `${path}.identifier`, old));
  router = timeout(router, path, age, old);
  router = old.moveToSection(router, path, 'failFast', 'client');
  router = old.moveToSection(router, path, 'responseClassifier', 'service');
  router = old.moveToSection(router, path, 'loggers', 'client', 'requestAuthorizers');
  router = old.moveToSection(router, path, 'requestAuthorizers', 'client');
  router = retries(router, path, old);
  for (const [key, why] of Object.entries(BODY_LIMITS)) router = old.drop(router, path, key, why);
  router = editKey(router, 'service', (service) =>
    editSection(service, `${path}.service`, (params, at) =>
      classifierKind(params, at, textOf(get(router, 'protocol')), old),
    ),
  );
  router = thriftProtocol(router, path, old);
  router = editKey(router, 'servers', (servers) =>
    editItems(servers, (server, i) => {
      const at = `${path}.servers[${i}]`;
      const plain = old.drop(server, at, 'engine', 'there is one engine');
      return editKey(plain, 'tls', (tls) => rewriteServerTls(tls, `${at}.tls`, old));
    }),
  );
  router = editKey(router, 'client', (client) =>
    editSection(client, `${path}.client`, (params, at) =>
      old.drop(params, at, 'engine', 'there is one engine'),
    ),
  );
  router = editKey(router, 'client', (client) =>
    rewriteClientTls(client, `${path}.client`, namers, age, old),
  );
  return editKey(router, 'interpreter', (value) => failureThreshold(value, `${path}.interpreter`, old));
}

/** A file with `baseDtab` is older than 0.9, so that its routers also had the defaults of that time. */
function baseDtab(given: ObjectValue, path: string, age: Age, old: OldForms): ObjectValue {
  const entry = entryOf(given, 'baseDtab');
  let router = given;
  if (entry !== undefined) {
    old.readAs(entry.keyAt, `${path}.baseDtab`, '"baseDtab"', '"dtab"');
    if (get(router, 'dtab') !== undefined) {
      old.conflict(entry.keyAt, path, '"baseDtab" is the old form of "dtab", and both are set: remove one');
      return without(router, 'baseDtab');
    }
    router = withKey(without(router, 'baseDtab'), 'dtab', entry.value, entry.keyAt);
  }
  if (!age.baseDtab || (entry === undefined && get(given, 'dtab') !== undefined)) return router;
  const at = entry?.keyAt ?? router.at;
  const protocol = textOf(get(router, 'protocol')) ?? '';
  if (get(router, 'dstPrefix') === undefined && /^[a-z0-9]+$/.test(protocol)) {
    old.readAs(
      at,
      path,
      `of the default "dstPrefix"`,
      `"dstPrefix: /${protocol}", as the file holds "baseDtab"`,
    );
    router = withKey(router, 'dstPrefix', textAt(`/${protocol}`, at));
  }
  if (protocol === 'http' && get(router, 'identifier') === undefined) {
    const now = `"identifier: {kind: ${METHOD_AND_HOST}}", as the file holds "baseDtab"`;
    old.readAs(at, path, 'of the default "identifier"', now);
    router = withKey(router, 'identifier', objectAt({ kind: textAt(METHOD_AND_HOST, at) }, at));
  }
  return router;
}

function httpUriInDst(router: ObjectValue, path: string, old: OldForms): ObjectValue {
  const entry = entryOf(router, 'httpUriInDst');
  if (entry === undefined) return router;
  const rest = without(router, 'httpUriInDst');
  const identifier = get(router, 'identifier');
  const kind = textOf(get(identifier, 'kind'));
  const value = JSON.stringify(toJson(entry.value));
  const known = kind === METHOD_AND_HOST || kind === 'default';
  if (identifier !== undefined && !(identifier.type === 'object' && known)) {
    old.leftOut(
      entry.keyAt,
      `${path}.httpUriInDst`,
      '"httpUriInDst"',
      'it belongs to the identifier io.l5d.methodAndHost',
    );
    return rest;
  }
  const now = `"identifier: {kind: ${METHOD_AND_HOST}, httpUriInDst: ${value}}"`;
  old.readAs(entry.keyAt, `${path}.httpUriInDst`, '"httpUriInDst" of a router', now);
  const base =
    identifier?.type === 'object'
      ? identifier
      : objectAt({ kind: textAt(METHOD_AND_HOST, entry.keyAt) }, entry.keyAt);
  return withKey(rest, 'identifier', withKey(base, 'httpUriInDst', entry.value, entry.keyAt));
}

function identifierKinds(value: Value, path: string, old: OldForms): Value {
  const renamed = (identifier: ObjectValue, at: string): ObjectValue => {
    const kind = get(identifier, 'kind');
    const text = textOf(kind) ?? '';
    const now = Object.hasOwn(IDENTIFIERS, text) ? IDENTIFIERS[text] : undefined;
    if (kind === undefined || now === undefined) return identifier;
    old.readAs(kind.at, `${at}.kind`, `"${text}"`, `"${now}"`);
    return withKey(identifier, 'kind', textAt(now, kind.at));
  };
  if (value.type === 'list') return editItems(value, (item, i) => renamed(item, `${path}[${i}]`));
  return editObject(value, (identifier) => renamed(identifier, path));
}

/** It limited one attempt before 0.7, and the whole request from then on. */
function timeout(router: ObjectValue, path: string, age: Age, old: OldForms): ObjectValue {
  return age.before06
    ? old.moveToSection(router, path, 'timeoutMs', 'client', 'requestAttemptTimeoutMs')
    : old.moveToSection(router, path, 'timeoutMs', 'service', 'totalTimeoutMs');
}

/** Its budget was also that of requeues. */
function retries(router: ObjectValue, path: string, old: OldForms): ObjectValue {
  const client = get(router, 'client');
  const entry = entryOf(client, 'retries');
  if (client?.type !== 'object' || entry === undefined || isStatic(client)) return router;
  const { keyAt, value } = entry;
  const budget = get(value, 'budget');
  const now = `"service: {retries: ${JSON.stringify(toJson(value))}}"`;
  const too = budget === undefined ? '' : ` and "client: {requeueBudget: ${JSON.stringify(toJson(budget))}}"`;
  old.readAs(keyAt, `${path}.client.retries`, '"retries" of a client', now + too);
  let edited = withKey(router, 'client', without(client, 'retries'));
  edited = old.putInSection(edited, path, 'service', { key: 'retries', keyAt, value });
  if (budget === undefined) return edited;
  return old.putInSection(edited, path, 'client', { key: 'requeueBudget', keyAt, value: budget });
}

function classifierKind(
  params: ObjectValue,
  path: string,
  protocol: string | undefined,
  old: OldForms,
): ObjectValue {
  return editKey(params, 'responseClassifier', (classifier) =>
    editObject(classifier, (object) => {
      const kind = get(object, 'kind');
      const name = OLD_CLASSIFIER.exec(textOf(kind) ?? '')?.[1];
      if (kind === undefined || name === undefined) return object;
      const now = `io.l5d.${protocol === 'h2' ? 'h2' : 'http'}.${name}`;
      old.readAs(kind.at, `${path}.responseClassifier.kind`, `"${textOf(kind)}"`, `"${now}"`);
      return withKey(object, 'kind', textAt(now, kind.at));
    }),
  );
}

/** It stood on clients and servers, which had to agree. */
function thriftProtocol(given: ObjectValue, path: string, old: OldForms): ObjectValue {
  let router = given;
  const lift = (holder: ObjectValue, at: string): ObjectValue => {
    const entry = entryOf(holder, 'thriftProtocol');
    if (entry === undefined) return holder;
    old.readAs(entry.keyAt, `${at}.thriftProtocol`, '"thriftProtocol"', '"thriftProtocol" of the router');
    if (get(router, 'thriftProtocol') === undefined) {
      router = withKey(router, 'thriftProtocol', entry.value, entry.keyAt);
    } else if (textOf(get(router, 'thriftProtocol')) !== textOf(entry.value)) {
      old.conflict(entry.keyAt, at, '"thriftProtocol" is one for the router, and here it is another');
    }
    return without(holder, 'thriftProtocol');
  };
  const client = get(given, 'client');
  const servers = get(given, 'servers');
  const plainClient = client && editSection(client, `${path}.client`, lift);
  const plainServers = servers && editItems(servers, (server, i) => lift(server, `${path}.servers[${i}]`));
  if (plainClient !== undefined) router = withKey(router, 'client', plainClient);
  return plainServers === undefined ? router : withKey(router, 'servers', plainServers);
}

function failureThreshold(value: Value, path: string, old: OldForms): Value {
  return editObject(value, (interpreter) =>
    editKey(interpreter, 'failureThreshold', (threshold) =>
      editObject(threshold, (object) => {
        const at = `${path}.failureThreshold`;
        const why = 'only "minPeriodMs" and "closeTimeoutMs" are left';
        return old.drop(old.drop(object, at, 'threshold', why), at, 'windowSize', why);
      }),
    ),
  );
}
