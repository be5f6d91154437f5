/** Existing names near one that a namer does not know, for the explanation of a refused request. */
import { editDistance } from '../config/suggest.ts';
import type { NamerTable } from '../dtab/evaluation-nodes.ts';
import type { Suggest } from '../dtab/explain.ts';
import { Path } from '../dtab/path.ts';

const COMPARED_MAX = 1000;
const LABEL_MAX = 64;

/** Looks at the first segment after the namer's prefix, and at names where at most half of it differs. */
export function nearestNames(table: NamerTable): Suggest {
  return (path) => {
    const near: { readonly name: string; readonly distance: number }[] = [];
    for (const { prefix, namer } of table) {
      const wanted = path.startsWith(prefix) ? path.segments[prefix.size] : undefined;
      if (wanted === undefined || wanted.length > LABEL_MAX) continue;
      for (const known of namer.names?.().slice(0, COMPARED_MAX) ?? []) {
        const label = known.segments[0];
        if (label === undefined || label.length > LABEL_MAX || label === wanted) continue;
        const distance = editDistance(wanted.toLowerCase(), label.toLowerCase());
        if (distance * 2 > Math.max(wanted.length, label.length)) continue;
        near.push({ name: prefix.concat(Path.of(label)).show, distance });
      }
    }
    return near.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1)).map(({ name }) => name);
  };
}
