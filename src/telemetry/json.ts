/**
 * The metrics as JSON: flat (keys joined by `/`), or as nested objects. Counts of stats are of the window.
 */
import type { Summary } from './histogram.ts';
import type { Metric } from './metric.ts';
import type { MetricNode } from './metrics-tree.ts';
import { type Pieces, sortInSlices } from './slices.ts';

const STAT_KEYS = ['max', 'min', 'p50', 'p90', 'p95', 'p99', 'p9990', 'p9999', 'sum', 'avg'] as const;

/** JSON has no NaN and no infinity. */
function numberText(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}

/** Gauges are floats and look like it: `1.0`. */
function gaugeText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : numberText(value);
}

function statFields(summary: Summary): [key: string, value: string][] {
  const fields: [string, string][] = [['count', numberText(summary.count)]];
  if (summary.count > 0) for (const key of STAT_KEYS) fields.push([key, numberText(summary[key])]);
  return fields;
}

function* flatEntries(
  node: MetricNode,
  key: string,
): Generator<[key: string, value: string], void, undefined> {
  const { metric } = node;
  if (metric !== undefined) {
    if (metric.type === 'stat') {
      for (const [field, value] of statFields(metric.summary)) yield [`${key}.${field}`, value];
    } else yield [key, metric.type === 'counter' ? numberText(metric.value) : gaugeText(metric.value)];
  }
  for (const child of node.children.values()) {
    yield* flatEntries(child, key === '' ? child.segment : `${key}/${child.segment}`);
  }
}

/** Keys are relative to `node`. `pretty` sorts them and puts each on a line of its own. */
export function* flatJson(node: MetricNode, pretty: boolean): Pieces {
  if (pretty) {
    yield* prettyJson(node);
    return;
  }
  let before = '{';
  for (const [key, value] of flatEntries(node, '')) {
    yield `${before}${JSON.stringify(key)}:${value}`;
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
}

function* prettyJson(node: MetricNode): Pieces {
  const values = new Map<string, string>();
  for (const [key, value] of flatEntries(node, '')) {
    values.set(key, value);
    yield '';
  }
  let before = '{\n  ';
  for (const key of yield* sortInSlices([...values.keys()])) {
    yield `${before}${JSON.stringify(key)} : ${values.get(key)}`;
    before = ',\n  ';
  }
  yield values.size === 0 ? '{}\n' : '\n}\n';
}

function leafText(metric: Metric): string {
  if (metric.type === 'stat') {
    return statFields(metric.summary)
      .map(([key, value]) => `"stat.${key}":${value}`)
      .join(',');
  }
  return metric.type === 'counter'
    ? `"counter":${numberText(metric.value)}`
    : `"gauge":${gaugeText(metric.value)}`;
}

/** Nested objects; a metric's values stand beside the children of its node. */
export function* treeJson(node: MetricNode): Pieces {
  yield '{';
  let separator = '';
  if (node.metric !== undefined) {
    yield leafText(node.metric);
    separator = ',';
  }
  for (const child of node.children.values()) {
    yield `${separator}${JSON.stringify(child.segment)}:`;
    yield* treeJson(child);
    separator = ',';
  }
  yield '}';
}
