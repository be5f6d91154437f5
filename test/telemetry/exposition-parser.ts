/** A strict reader of the Prometheus text format: what it accepts, any scraper does. */
import assert from 'node:assert/strict';

export type Sample = {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
};
export type Exposition = { readonly types: ReadonlyMap<string, string>; readonly samples: readonly Sample[] };

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"/;
const NUMBER = /^(?:[+-]?Inf|NaN|[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
const ESCAPES: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/** The family that a sample belongs to: summaries and histograms have samples with suffixes. */
function familyOf(name: string, types: ReadonlyMap<string, string>): string {
  if (types.has(name)) return name;
  const base = name.replace(/_(count|sum|bucket)$/, '');
  const type = types.get(base);
  assert.ok(type === 'summary' || type === 'histogram', `${name} belongs to no announced family`);
  return base;
}

function parseSample(line: string): Sample {
  const name = NAME.exec(line)?.[0];
  assert.ok(name !== undefined, `no metric name: ${line}`);
  let rest = line.slice(name.length);
  const labels = new Map<string, string>();
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    while (!rest.startsWith('}')) {
      const label = LABEL.exec(rest);
      assert.ok(label !== null, `no label: ${line}`);
      const [all, key = '', raw = ''] = label;
      assert.ok(!labels.has(key), `label ${key} twice: ${line}`);
      labels.set(
        key,
        raw.replace(/\\[\\"n]/g, (pair) => ESCAPES[pair] ?? pair),
      );
      rest = rest.slice(all.length).replace(/^, ?(?=[a-zA-Z_])/, '');
    }
    rest = rest.slice(1);
  }
  const value = /^ (\S+)$/.exec(rest)?.[1];
  assert.ok(value !== undefined && NUMBER.test(value), `no value: ${line}`);
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

export function parseExposition(text: string): Exposition {
  assert.ok(text.endsWith('\n'), 'the last line must end');
  const types = new Map<string, string>();
  const finished = new Set<string>();
  const series = new Set<string>();
  const samples: Sample[] = [];
  let current: string | undefined;
  const enter = (family: string) => {
    if (family === current) return;
    assert.ok(!finished.has(family), `samples of ${family} do not stand together`);
    if (current !== undefined) finished.add(current);
    current = family;
  };
  for (const line of text.slice(0, -1).split('\n')) {
    const type = /^# TYPE (\S+) (counter|gauge|summary|histogram|untyped)$/.exec(line);
    if (type !== null) {
      const [, name = '', kind = ''] = type;
      assert.ok(NAME.exec(name)?.[0] === name, `bad family name ${name}`);
      assert.ok(!types.has(name), `type of ${name} twice`);
      types.set(name, kind);
      enter(name);
      continue;
    }
    if (line === '' || line.startsWith('# HELP ')) continue;
    const sample = parseSample(line);
    enter(familyOf(sample.name, types));
    const identity = `${sample.name} ${JSON.stringify([...sample.labels].sort())}`;
    assert.ok(!series.has(identity), `series twice: ${line}`);
    series.add(identity);
    samples.push(sample);
  }
  return { types, samples };
}
