/** PATCH bodies, as far as kubectl sends them. */

type Json = { [key: string]: unknown };

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON merge patch (RFC 7396). */
export function mergePatch(target: unknown, patch: unknown): unknown {
  return merged(target, patch, (_old, list) => list);
}

/** Kubernetes' own: lists of objects with a name or a port are merged by it, directives are obeyed. */
export function strategicPatch(target: unknown, patch: unknown): unknown {
  return merged(target, patch, mergeLists);
}

function merged(target: unknown, patch: unknown, lists: (old: unknown, list: unknown[]) => unknown): unknown {
  if (Array.isArray(patch)) return lists(target, patch);
  if (!isObject(patch)) return patch;
  const result: Json = patch['$patch'] === 'replace' || !isObject(target) ? {} : { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value, lists);
  }
  return result;
}

const MERGE_KEYS = ['name', 'containerPort', 'port', 'mountPath', 'topologyKey', 'ip'];

function mergeLists(old: unknown, list: unknown[]): unknown {
  const key = MERGE_KEYS.find((name) => list.every((each) => isObject(each) && each[name] !== undefined));
  if (!Array.isArray(old) || key === undefined || list.length === 0) return list;
  const result = [...old];
  for (const each of list as Json[]) {
    const at = result.findIndex((other) => isObject(other) && other[key] === each[key]);
    if (each['$patch'] === 'delete') {
      if (at !== -1) result.splice(at, 1);
    } else if (at === -1) result.push(each);
    else result[at] = merged(result[at], each, mergeLists);
  }
  return result;
}
