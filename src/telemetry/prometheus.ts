/**
 * The Prometheus text format (0.0.4) of the whole tree: linkerd's metric and label names, made valid. Each
 * family is announced once and its samples stand together; counters and `_count`/`_sum` of summaries are
 * cumulative; quantiles (and `_avg`, a gauge) are of the last finished window and absent when it was empty.
 *
 * Two places may come to one name: with equal labels the later gets the label `place` (its verbatim path) in
 * addition, with another type the later family gets its type appended to its name, so that nothing is lost
 * and nothing clashes.
 */
import type { Metric } from './metric.ts';
import type { MetricNode } from './metrics-tree.ts';
import { childPlace, familyName, labelText, type Place, rootPlace } from './prometheus-name.ts';
import type { Pieces } from './slices.ts';

const QUANTILES = [
  ['0', 'min'],
  ['0.5', 'p50'],
  ['0.9', 'p90'],
  ['0.95', 'p95'],
  ['0.99', 'p99'],
  ['0.999', 'p9990'],
  ['0.9999', 'p9999'],
  ['1', 'max'],
] as const;

type Family = {
  readonly name: string;
  readonly type: Metric['type'];
  /** Labels as text, and what they belong to. */
  readonly series: Map<string, Metric>;
};

function sampleText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function gaugeText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : sampleText(value);
}

class Families {
  /** By name and type, in the order of the walk. */
  readonly all = new Map<string, Family>();
  readonly #taken: Set<string>;
  readonly #prefix: string;

  constructor(prefix: string, reserved: Iterable<string>) {
    this.#prefix = prefix;
    this.#taken = new Set(reserved);
  }

  *collect(node: MetricNode, place: Place): Pieces {
    if (node.metric !== undefined) {
      this.#add(node.metric, place, node);
      yield '';
    }
    for (const [segment, child] of node.children) yield* this.collect(child, childPlace(place, segment));
  }

  #add(metric: Metric, place: Place, node: MetricNode): void {
    const wanted = familyName(this.#prefix, place.prefix);
    const key = `${metric.type} ${wanted}`;
    let family = this.all.get(key);
    if (family === undefined) {
      family = { name: this.#claim(wanted, metric.type), type: metric.type, series: new Map() };
      this.all.set(key, family);
    }
    let labels = labelText(place.labels);
    // Even two paths may be equal as text, where a segment holds a slash or half a character.
    for (let copy = 1; family.series.has(labels); copy++) {
      const path = copy === 1 ? verbatim(node) : `${verbatim(node)}#${copy}`;
      labels = labelText([...place.labels, ['place', path]]);
    }
    family.series.set(labels, metric);
  }

  #claim(wanted: string, type: Metric['type']): string {
    let name = wanted;
    while (names(name, type).some((each) => this.#taken.has(each))) name = `${name}_${type}`;
    for (const each of names(name, type)) this.#taken.add(each);
    return name;
  }
}

function verbatim(node: MetricNode): string {
  return node.parent === undefined ? '' : `${verbatim(node.parent)}/${node.segment}`;
}

function names(name: string, type: Metric['type']): readonly string[] {
  return type === 'stat' ? [name, `${name}_count`, `${name}_sum`, `${name}_avg`] : [name];
}

/** `reserved`: names that the process metrics appended elsewhere have. */
export function* prometheusText(root: MetricNode, prefix: string, reserved: Iterable<string> = []): Pieces {
  const families = new Families(prefix, reserved);
  yield* families.collect(root, rootPlace);
  for (const { name, type, series } of families.all.values()) {
    if (type === 'stat') yield* summaryLines(name, series);
    else yield* valueLines(name, type, series);
  }
}

function* valueLines(name: string, type: 'counter' | 'gauge', series: Map<string, Metric>): Pieces {
  yield `# TYPE ${name} ${type}\n`;
  for (const [labels, metric] of series) {
    if (metric.type === 'stat') continue;
    const value = type === 'counter' ? sampleText(metric.value) : gaugeText(metric.value);
    yield `${name}${braces(labels)} ${value}\n`;
  }
}

function* summaryLines(name: string, series: Map<string, Metric>): Pieces {
  const averages: string[] = [];
  yield `# TYPE ${name} summary\n`;
  for (const [labels, metric] of series) {
    if (metric.type !== 'stat') continue;
    const { summary } = metric;
    const shown = braces(labels);
    yield `${name}_count${shown} ${metric.count}\n${name}_sum${shown} ${metric.sum}\n`;
    if (summary.count === 0) continue;
    averages.push(`${name}_avg${shown} ${sampleText(summary.avg)}\n`);
    const before = labels === '' ? '' : `${labels}, `;
    for (const [quantile, field] of QUANTILES) {
      yield `${name}{${before}quantile="${quantile}"} ${summary[field]}\n`;
    }
  }
  if (averages.length > 0) yield `# TYPE ${name}_avg gauge\n`;
  yield* averages;
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}
