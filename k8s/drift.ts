/** What a list shows and a watch has not told. */
import type { KubeObject } from './resources.ts';

/**
 * The objects as they are to be when keys that the watch has `touched` since the list began are left to it;
 * undefined when nothing was missed.
 */
export function drift<T extends KubeObject>(
  known: ReadonlyMap<string, T>,
  listed: ReadonlyMap<string, T>,
  touched: ReadonlySet<string>,
): { readonly objects: Map<string, T>; readonly missed: number } | undefined {
  const objects = new Map(known);
  let missed = 0;
  for (const [key, object] of listed) {
    if (touched.has(key) || known.get(key)?.meta.resourceVersion === object.meta.resourceVersion) continue;
    objects.set(key, object);
    missed++;
  }
  for (const key of known.keys()) {
    if (touched.has(key) || listed.has(key)) continue;
    objects.delete(key);
    missed++;
  }
  return missed === 0 ? undefined : { objects, missed };
}
