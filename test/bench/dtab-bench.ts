/**
 * The naming engine: reading a large dtab, binding a name among many unrelated entries, and what one update
 * costs. Prints medians of several rounds. Run alone: `node test/bench/dtab-bench.ts`.
 */
import { bindPath } from '../../dtab/bind.ts';
import { concatDtabs } from '../../dtab/lookup.ts';
import { type Addr, leaf, type Name, type NameTree, neg } from '../../dtab/names.ts';
import { readDtab, readPath } from '../../dtab/parse.ts';
import { Path } from '../../dtab/path.ts';
import { ok, type State } from '../../src/base/activity.ts';
import { Cell, constant } from '../../src/base/var.ts';

const ROUNDS = 15;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Median microseconds of one call, over rounds of `count` calls. */
function measure(count: number, call: (i: number) => void): number {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) call(i);
    rounds.push(((performance.now() - start) * 1000) / count);
  }
  return median(rounds);
}

/** Entries for names below one prefix, as a table of a large installation has them. */
function tableText(entries: number): string {
  const lines = ['/svc => /#/fs;'];
  for (let i = 0; i < entries; i++)
    lines.push(`/svc/service-${i} => 0.9*/#/fs/service-${i}-v1 & 0.1*/#/fs/v2;`);
  lines.push('/svc/web => /srv/web;', '/srv => /#/fs;');
  return lines.join('\n');
}

const addr = constant<Addr>({ type: 'neg' });
const bound = (name: string): NameTree<Name> =>
  leaf<Name>({ type: 'bound', id: Path.of('#', 'fs', name), addr, residual: Path.empty });

const answer = new Cell<State<NameTree<Name>>>(ok(bound('web')));
const namers = [{ prefix: Path.of('#', 'fs'), namer: { lookup: () => answer } }];
const path = readPath('/svc/web');

const large = tableText(10_000);
const parseUs = measure(1, () => readDtab(large));
console.log(
  `parse 10,000 dentries (${(large.length / 1024).toFixed(0)} KiB): ${(parseUs / 1000).toFixed(1)} ms`,
);
const indexed = Array.from({ length: ROUNDS }, () => readDtab(large));
const indexUs = measure(1, () =>
  bindPath({ dtab: indexed.pop() ?? [], path, namers })
    .observe(() => {})
    .close(),
);
console.log(`first binding by 10,000 dentries, which indexes them: ${(indexUs / 1000).toFixed(1)} ms`);

const local = readDtab('/svc/other => /#/fs/other');
for (const entries of [10, 100, 1000, 10_000]) {
  const base = readDtab(tableText(entries));
  const bindUs = measure(2000, () =>
    bindPath({ dtab: base, path, namers })
      .observe(() => {})
      .close(),
  );
  const localUs = measure(200, () => {
    bindPath({ dtab: concatDtabs(base, local), path, namers })
      .observe(() => {})
      .close();
  });
  const shown = `${bindUs.toFixed(2)} us, with a local dtab ${localUs.toFixed(2)} us`;
  console.log(`bind after ${entries} unrelated dentries: ${shown}`);
}

const base = readDtab(tableText(10));
for (const bindings of [1, 1000]) {
  const own = new Cell<State<NameTree<Name>>>(ok(bound('web')));
  const first = { prefix: Path.of('#', 'fs'), namer: { lookup: () => own } };
  const subscriptions = [bindPath({ dtab: base, path, namers: [first] }).observe(() => {})];
  for (let i = 1; i < bindings; i++)
    subscriptions.push(bindPath({ dtab: base, path, namers }).observe(() => {}));
  const updateUs = measure(5000, (i) => own.set(ok(i % 2 === 0 ? neg : bound('web'))));
  console.log(`update of one answer among ${bindings} bindings: ${updateUs.toFixed(2)} us`);
  for (const subscription of subscriptions) subscription.close();
}
