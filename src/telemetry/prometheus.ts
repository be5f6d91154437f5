/**
 * The Prometheus text format (0.0.4) of the whole tree: linkerd's metric and label names, made valid. Each
 * family is announced once and its samples stand together; counters and `_count`/`_sum` of summaries are
 * cumulative; quantiles (and `_avg`, a gauge) are of the last finished window and absent when it was empty.
 *
 * Two places may come to one name: with equal labels the later gets the label `place` (its verbatim path) in
 * addition, with another type the later family gets its type appended to its name, so that nothing is lost
 * and nothing clashes. Label values beyond the budget are added up.
 */
import type { Metric } from './metric.ts';
import type { MetricNode } from './metrics-tree.ts';
import { childPlace, familyName, labelText, type Place, rootPlace } from './prometheus-name.ts';
import { OTHER, type SeriesBudget } from './series-budget.ts';
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
  /** What is added up, by the labels that it is shown with. */
  readonly folded: Map<string, Metric[]>;
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
  readonly #budget: SeriesBudget;

  constructor(prefix: string, reserved: Iterable<string>, budget: SeriesBudget) {
    this.#prefix = prefix;
    this.#budget = budget;
    this.#taken = new Set(reserved);
  }

  *collect(node: MetricNode, place: Place): Pieces {
    if (node.metric !== undefined) {
      this.#add(node.metric, place, node);
      yield '';
    }
    for (const [segment, child] of node.children) {
      yield* this.collect(child, this.#within(place, childPlace(place, segment)));
    }
  }

  /** `place`, with `_other` for a label value that is beyond the budget. */
  #within(parent: Place, place: Place): Place {
    const label = place.labels.at(-1);
    if (label === undefined || label === parent.labels.at(-1)) return place;
    const [name, value] = label;
    const shown = this.#budget.admit(name, value);
    return shown === value ? place : { ...place, labels: [...place.labels.slice(0, -1), [name, shown]] };
  }

  #add(metric: Metric, place: Place, node: MetricNode): void {
    const wanted = familyName(this.#prefix, place.prefix);
    const key = `${metric.type} ${wanted}`;
    let family = this.all.get(key);
    if (family === undefined) {
      family = {
        name: this.#claim(wanted, metric.type),
        type: metric.type,
        series: new Map(),
        folded: new Map(),
      };
      this.all.set(key, family);
    }
    let labels = labelText(place.labels);
    if (place.labels.some(([, value]) => value === OTHER)) {
      const folded = family.folded.get(labels);
      if (folded === undefined) family.folded.set(labels, [metric]);
      else folded.push(metric);
      return;
    }
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

/** `budget` lasts from scrape to scrape. `reserved`: names that process metrics appended elsewhere have. */
export function* prometheusText(
  root: MetricNode,
  prefix: string,
  budget: SeriesBudget,
  reserved: Iterable<string> = [],
): Pieces {
  budget.begin();
  const families = new Families(prefix, reserved, budget);
  yield* families.collect(root, rootPlace);
  for (const { name, type, series, folded } of families.all.values()) {
    if (type === 'stat') yield* summaryLines(name, series, yield* foldedLines(name, folded, budget));
    else {
      yield* valueLines(name, type, series);
      yield* foldedValues(name, type, folded, budget);
    }
  }
  yield* budgetLines(familyName(prefix, ['telemetry', 'folded_values']), budget);
}

/** How many values of each label are added up, where there are any. */
function* budgetLines(name: string, budget: SeriesBudget): Pieces {
  let head = `# TYPE ${name} gauge\n`;
  for (const [label, values] of budget.folded()) {
    if (values === 0) continue;
    yield `${head}${name}{label="${label}"} ${values}.0\n`;
    head = '';
  }
}

function* foldedValues(
  name: string,
  type: 'counter' | 'gauge',
  folded: Family['folded'],
  budget: SeriesBudget,
): Pieces {
  for (const [labels, metrics] of folded) {
    let gauge = 0;
    for (const metric of metrics) {
      if (metric.type === 'counter') budget.add(`${name} ${labels}`, metric);
      else if (metric.type === 'gauge') gauge += metric.value;
      yield '';
    }
    const value = type === 'counter' ? sampleText(budget.total(`${name} ${labels}`).count) : gaugeText(gauge);
    yield `${name}${braces(labels)} ${value}\n`;
  }
}

/** Of summaries that are added up there are no quantiles. */
function* foldedLines(
  name: string,
  folded: Family['folded'],
  budget: SeriesBudget,
): Generator<string, readonly string[], undefined> {
  const lines: string[] = [];
  for (const [labels, metrics] of folded) {
    const key = `${name} ${labels}`;
    for (const metric of metrics) {
      budget.add(key, metric);
      yield '';
    }
    const { count, sum } = budget.total(key);
    lines.push(`${name}_count${braces(labels)} ${count}\n${name}_sum${braces(labels)} ${sum}\n`);
  }
  return lines;
}

function* valueLines(name: string, type: 'counter' | 'gauge', series: Map<string, Metric>): Pieces {
  yield `# TYPE ${name} ${type}\n`;
  for (const [labels, metric] of series) {
    if (metric.type === 'stat') continue;
    const value = type === 'counter' ? sampleText(metric.value) : gaugeText(metric.value);
    yield `${name}${braces(labels)} ${value}\n`;
  }
}

function* summaryLines(name: string, series: Map<string, Metric>, folded: readonly string[]): Pieces {
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
  yield* folded;
  if (averages.length > 0) yield `# TYPE ${name}_avg gauge\n`;
  yield* averages;
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}
