/** Existing names near one that a namer does not know, for the explanation of a refused request. */
import { editDistance } from '../config/suggest.ts';
import type { NamerTable } from '../dtab/evaluation-nodes.ts';
import type { Suggest } from '../dtab/explain.ts';
import type { Path } from '../dtab/path.ts';

const COMPARED_MAX = 1000;
const LABEL_MAX = 64;

/** Compares as many segments as a known name has; of those that differ at most half may differ. */
export function nearestNames(table: NamerTable): Suggest {
  return (path) => {
    const near: { readonly name: string; readonly distance: number }[] = [];
    for (const { prefix, namer } of table) {
      if (!path.startsWith(prefix)) continue;
      const wanted = path.drop(prefix.size);
      for (const known of namer.names?.().slice(0, COMPARED_MAX) ?? []) {
        const distance = distanceOf(wanted, known);
        if (distance !== undefined) near.push({ name: prefix.concat(known).show, distance });
      }
    }
    return near.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1)).map(({ name }) => name);
  };
}

/** Undefined when the two are not near each other, or the same. */
function distanceOf(wanted: Path, known: Path): number | undefined {
  let distance = 0;
  let length = 0;
  for (const [i, label] of known.segments.entries()) {
    const other = wanted.segments[i];
    if (other === undefined || other.length > LABEL_MAX || label.length > LABEL_MAX) return undefined;
    if (other === label) continue;
    distance += editDistance(other.toLowerCase(), label.toLowerCase());
    length += Math.max(other.length, label.length);
  }
  return length === 0 || distance * 2 > length ? undefined : distance;
}
