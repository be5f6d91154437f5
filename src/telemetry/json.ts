/**
 * The metrics as JSON: flat (keys joined by `/`), or as nested objects. Counts of stats are of the window.
 */
import type { Summary } from './histogram.ts';
import type { Metric, ValueMetric } from './metric.ts';
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

function valueText(metric: ValueMetric): string {
  return metric.type === 'counter' ? numberText(metric.value) : gaugeText(metric.value);
}

function* withMetric(node: MetricNode): Generator<MetricNode, void, undefined> {
  if (node.metric !== undefined) yield node;
  for (const child of node.children.values()) yield* withMetric(child);
}

/** The segments of `node` below `root`, joined. */
function pathBelow(root: MetricNode | undefined, node: MetricNode): string {
  if (node === root || node.parent === undefined) return '';
  return node.parent === root ? node.segment : `${pathBelow(root, node.parent)}/${node.segment}`;
}

/** Nothing of a name that has gone since it was met. */
function* entries(path: string, metric: Metric | undefined): Generator<[key: string, value: string], void> {
  if (metric?.type === 'stat') {
    for (const [field, value] of statFields(metric.summary)) yield [`${path}.${field}`, value];
  } else if (metric !== undefined) yield [path, valueText(metric)];
}

/** Keys are relative to `root`. */
export function* flatJson(root: MetricNode): Pieces {
  let before = '{';
  for (const node of withMetric(root)) {
    for (const [key, value] of entries(pathBelow(root, node), node.metric)) {
      yield `${before}${JSON.stringify(key)}:${value}`;
      before = ',';
    }
  }
  yield before === '{' ? '{}' : '}';
}

/**
 * As `flatJson`, sorted and with a line for each value; those of a stat stand together. No text is kept until
 * all are sorted: what is kept while it is young is moved by the collector, which holds the loop as long.
 */
export function* prettyJson(root: MetricNode): Pieces {
  const nodes: MetricNode[] = [];
  for (const node of withMetric(root)) {
    nodes.push(node);
    yield '';
  }
  let before = '{\n  ';
  for (const node of yield* sortInSlices(nodes, byKey)) {
    const values = [...entries(pathBelow(root, node), node.metric)];
    for (const [key, value] of values.sort(([a], [b]) => compare(a, b))) {
      yield `${before}${JSON.stringify(key)} : ${value}`;
      before = ',\n  ';
    }
  }
  yield before.startsWith('{') ? '{}\n' : '\n}\n';
}

/** As their keys are: these are made only where the first segments that differ begin alike. */
function byKey(a: MetricNode, b: MetricNode): number {
  let [left, right] = [a, b];
  for (let more = depth(left) - depth(right); more > 0; more--) left = left.parent ?? left;
  for (let more = depth(right) - depth(left); more > 0; more--) right = right.parent ?? right;
  while (left.parent !== right.parent) [left, right] = [left.parent ?? left, right.parent ?? right];
  if (left.segment.startsWith(right.segment) || right.segment.startsWith(left.segment)) {
    return compare(fullKey(a), fullKey(b));
  }
  return compare(left.segment, right.segment);
}

function depth({ parent }: MetricNode): number {
  return parent === undefined ? 0 : 1 + depth(parent);
}

function fullKey(node: MetricNode): string {
  const path = pathBelow(undefined, node);
  return node.metric?.type === 'stat' ? `${path}.` : path;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function leafText(metric: Metric): string {
  if (metric.type === 'stat') {
    return statFields(metric.summary)
      .map(([key, value]) => `"stat.${key}":${value}`)
      .join(',');
  }
  return `"${metric.type}":${valueText(metric)}`;
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
