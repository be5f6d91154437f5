/**
 * The metrics in InfluxDB's line protocol: a line for each place of the tree that has metrics right below it.
 * What would break a line (a space, a comma, a line feed in a name) is escaped as the protocol says; values
 * that it cannot express (NaN, infinities) are left out. Stats are of the last finished window.
 */
import type { Metric } from './metric.ts';
import type { MetricNode } from './metrics-tree.ts';
import { childPlace, familyName, type Place, rootPlace } from './prometheus-name.ts';
import type { Pieces } from './slices.ts';

/** A name and the text of its value. */
type Field = readonly [name: string, text: string];

const STAT_FIELDS = [
  ['count', 'count'],
  ['sum', 'sum'],
  ['avg', 'avg'],
  ['min', 'min'],
  ['max', 'max'],
  ['p50', 'p50'],
  ['p90', 'p90'],
  ['p95', 'p95'],
  ['p99', 'p99'],
  ['p999', 'p9990'],
  ['p9999', 'p9999'],
] as const;

/** `host` tells scraped processes apart: the Host that was asked for. */
export function* influxLines(root: MetricNode, host: string): Pieces {
  yield* linesBelow(root, rootPlace, host);
}

function* linesBelow(node: MetricNode, place: Place, host: string): Pieces {
  const fields: Field[] = [];
  for (const { segment, metric } of node.children.values()) {
    if (metric !== undefined) fields.push(...fieldsOf(segment, metric));
  }
  if (fields.length > 0) {
    const measurement = place.prefix.length === 0 ? 'root' : familyName('', place.prefix);
    yield `${measurement}${tags(place, host)} ${shown(fields).join(',')}\n`;
  }
  for (const [segment, child] of node.children) {
    yield '';
    yield* linesBelow(child, childPlace(place, segment, false), host);
  }
}

function fieldsOf(name: string, metric: Metric): Field[] {
  if (metric.type !== 'stat') return field(name, metric.value, metric.type === 'gauge');
  const { summary } = metric;
  if (summary.count === 0) return [];
  return STAT_FIELDS.flatMap(([suffix, key]) => field(`${name}_${suffix}`, summary[key], key === 'avg'));
}

function field(name: string, value: number, isFloat: boolean): Field[] {
  if (!Number.isFinite(value)) return [];
  const decimals = isFloat && Number.isInteger(value) && Math.abs(value) < 1e21 ? '.0' : '';
  return [[name, `${value}${decimals}`]];
}

/** In the order of their names, not of the text: `p99` is before `p9999`. */
function shown(pairs: Field[]): string[] {
  return pairs.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${escaped(name)}=${value}`);
}

/** A tag without a value would be no tag. */
function tags({ labels }: Place, host: string): string {
  const named = labels
    .filter(([, value]) => value !== '')
    .map(([name, value]): Field => [name, escaped(value)]);
  return `,${shown([['host', host === '' ? 'none' : escaped(host)], ...named]).join(',')}`;
}

function escaped(text: string): string {
  if (!/[\s,=\\\p{C}]/u.test(text)) return text;
  // Nothing escapes a line feed; a backslash at the end would escape what follows.
  return text.replace(/[\p{C}\\]/gu, '_').replace(/[\s,=]/gu, (char) => `\\${char}`);
}
