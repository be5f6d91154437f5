/**
 * Configurations of older linkerds (0.1 to 1.6), read as what they meant: each old form becomes the present
 * one, with a warning that shows it. What changed its meaning without a key of its own (default prefix and
 * identifier, names without `/#`) is only read the old way in a file that also holds a key which no newer
 * linkerd had. Values in, values out: the decoders check the result.
 */
import type { Age } from './compat-age.ts';
import {
  editItems,
  editKey,
  editObject,
  listAt,
  OldForms,
  objectAt,
  textAt,
  withKey,
  without,
} from './compat-edit.ts';
import { rewriteNamer } from './compat-namer.ts';
import { rewriteRouter } from './compat-router.ts';
import type { Diagnostics } from './errors.ts';
import { entryOf, get, itemsOf, type ObjectValue, textOf, toJson, type Value } from './value.ts';

const ROOT_OPTIONS = [
  'baseDtab',
  'dtab',
  'dstPrefix',
  'failFast',
  'timeoutMs',
  'httpUriInDst',
  'identifier',
  'interpreter',
  'responseClassifier',
  'bindingTimeoutMs',
  'bindingCache',
  'client',
  'service',
] as const;

export function rewriteOldForms(root: Value, diagnostics: Diagnostics): Value {
  if (root.type !== 'object') return root;
  const old = new OldForms(diagnostics);
  const age = ageOf(root);
  let linker = telemetryOf(root, old);
  if (age.rootOptions) linker = rootOptions(linker, old);
  linker = editKey(linker, 'namers', (namers) =>
    editItems(namers, (namer, i) => rewriteNamer(namer, `namers[${i}]`, age, old)),
  );
  return editKey(linker, 'routers', (routers) =>
    editItems(routers, (router, i) =>
      rewriteRouter(router, `routers[${i}]`, age, itemsOf(get(linker, 'namers')), old),
    ),
  );
}

function ageOf(root: ObjectValue): Age {
  const routers = itemsOf(get(root, 'routers'));
  const rootOptions = routers.length > 0 && ROOT_OPTIONS.some((key) => get(root, key) !== undefined);
  const kinds = [
    ...itemsOf(get(root, 'namers')).map((namer) => textOf(get(namer, 'kind'))),
    ...routers.map((router) => textOf(get(get(get(router, 'client'), 'tls'), 'kind'))),
  ];
  const before06 =
    rootOptions ||
    kinds.some((kind) => kind?.startsWith('io.l5d.experimental.') || kind?.startsWith('io.l5d.clientTls.')) ||
    routers.some((router) => entryOf(router, 'httpUriInDst') !== undefined || hasDefaultIdentifier(router));
  const baseDtab = [root, ...routers].some((value) => entryOf(value, 'baseDtab') !== undefined);
  return { rootOptions, before06, baseDtab };
}

function hasDefaultIdentifier(router: Value): boolean {
  const identifier = get(router, 'identifier');
  const all = identifier?.type === 'list' ? identifier.items : [identifier];
  return all.some((each) => textOf(get(each, 'kind')) === 'default');
}

/**
 * An option at the top was for every router that did not say otherwise, and a router without servers had one.
 */
function rootOptions(root: ObjectValue, old: OldForms): ObjectValue {
  const given = ROOT_OPTIONS.flatMap((key) => entryOf(root, key) ?? []);
  for (const { key, keyAt } of given) {
    old.readAs(keyAt, key, `"${key}" at the top level`, `"${key}" of each router`);
  }
  const routers = editItems(get(root, 'routers') ?? root, (router, i) => {
    let edited = router;
    for (const entry of given) {
      const own = get(router, entry.key) ?? (entry.key === 'baseDtab' ? get(router, 'dtab') : undefined);
      if (own === undefined) edited = withKey(edited, entry.key, entry.value, entry.keyAt);
    }
    if (get(edited, 'servers') !== undefined) return edited;
    old.readAs(
      router.at,
      `routers[${i}]`,
      'of a router without "servers"',
      '"servers: [{}]" (the default port)',
    );
    return withKey(edited, 'servers', listAt([objectAt({}, router.at)], router.at));
  });
  return withKey(without(root, ...ROOT_OPTIONS), 'routers', routers);
}

function telemetryOf(root: ObjectValue, old: OldForms): ObjectValue {
  const kept = itemsOf(get(root, 'telemetry')).flatMap((telemeter, i, all) =>
    telemeter.type === 'object' ? commonMetrics(telemeter, i, all, old) : [telemeter],
  );
  const added = [...tracersOf(root, old), ...debugTraceOf(root, 'debugTrace', old)];
  const telemetry = get(root, 'telemetry');
  if (telemetry !== undefined && telemetry.type !== 'list') return root;
  const rest =
    get(root, 'tracers')?.type === 'list'
      ? without(root, 'tracers', 'debugTrace')
      : without(root, 'debugTrace');
  if (telemetry === undefined && added.length === 0) return rest;
  return withKey(rest, 'telemetry', listAt([...kept, ...added], telemetry?.at ?? root.at));
}

/**
 * Its endpoints were `metrics.json`, which is always there, and the Prometheus one, which has its own
 * telemeter now.
 */
function commonMetrics(
  telemeter: ObjectValue,
  i: number,
  all: readonly Value[],
  old: OldForms,
): readonly Value[] {
  const kind = get(telemeter, 'kind');
  if (kind === undefined || textOf(kind) !== 'io.l5d.commonMetrics') return [telemeter];
  const path = `telemetry[${i}]`;
  const prometheus = all.some((other) => textOf(get(other, 'kind')) === 'io.l5d.prometheus');
  if (prometheus) {
    old.leftOut(telemeter.at, path, '"io.l5d.commonMetrics"', 'metrics.json is always there');
    return [];
  }
  old.readAs(kind.at, path, '"io.l5d.commonMetrics"', '"kind: io.l5d.prometheus"');
  return [objectAt({ kind: textAt('io.l5d.prometheus', kind.at) }, telemeter.at)];
}

function tracersOf(root: ObjectValue, old: OldForms): readonly Value[] {
  const entry = entryOf(root, 'tracers');
  if (entry === undefined || entry.value.type !== 'list') return [];
  const telemeters = entry.value.items.flatMap((tracer) => [
    editObject(tracer, (object) => without(object, 'debugTrace')),
    ...debugTraceOf(tracer, 'tracers.debugTrace', old),
  ]);
  const now = `"telemetry: ${JSON.stringify(telemeters.map(toJson))}"`;
  old.readAs(entry.keyAt, 'tracers', '"tracers"', now);
  return telemeters;
}

function debugTraceOf(value: Value, path: string, old: OldForms): readonly Value[] {
  const entry = entryOf(value, 'debugTrace');
  if (entry === undefined) return [];
  if (entry.value.type !== 'bool' || !entry.value.value) {
    old.leftOut(
      entry.keyAt,
      path,
      '"debugTrace: false"',
      'traces are logged by the telemeter io.l5d.tracelog only',
    );
    return [];
  }
  old.readAs(entry.keyAt, path, '"debugTrace: true"', '"telemetry: [{kind: io.l5d.tracelog, level: TRACE}]"');
  const at = entry.keyAt;
  return [objectAt({ kind: textAt('io.l5d.tracelog', at), level: textAt('TRACE', at) }, at)];
}
