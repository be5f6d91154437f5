/** What tests of live values share: look at the latest value, wait for one, print trees. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Addr, Bound, Name, NameTree } from '../../dtab/names.ts';
import { Path } from '../../dtab/path.ts';
import type { State } from '../../src/base/activity.ts';
import type { Closable } from '../../src/base/closable.ts';
import type { Log } from '../../src/base/log.ts';
import type { Var } from '../../src/base/var.ts';

export type Watching<T> = Closable & { readonly seen: T[]; readonly latest: T };

export function watching<T>(source: Var<T>): Watching<T> {
  const seen: T[] = [];
  const observation = source.observe((value) => seen.push(value));
  return {
    seen,
    get latest() {
      return seen.at(-1) as T;
    },
    close: () => observation.close(),
  };
}

/** Until `test` holds; fails with what `describe` says after two seconds. */
export async function eventually(test: () => boolean, describe: () => unknown = () => test.toString()) {
  for (let waited = 0; waited < 2000; waited += 5) {
    if (test()) return;
    await delay(5);
  }
  assert.fail(`did not happen within 2 s: ${JSON.stringify(describe())}`);
}

/** Lets promises that are ready be heard. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

export function showTree(tree: NameTree<Name>): string {
  switch (tree.type) {
    case 'leaf':
      return tree.value instanceof Path
        ? tree.value.show
        : `${tree.value.id.show} + ${tree.value.residual.show}`;
    case 'alt':
      return tree.trees.map(showTree).join(' | ');
    case 'union':
      return tree.trees.map((t) => `${t.weight}*${showTree(t.tree)}`).join(' & ');
    default:
      return tree.type;
  }
}

export function showState(state: State<NameTree<Name>>): string {
  if (state.state === 'ok') return showTree(state.value);
  return state.state === 'failed' ? `failed: ${state.failure.message}` : 'pending';
}

export function showAddr(addr: Addr): string {
  if (addr.type === 'failed') return `failed: ${addr.failure.message}`;
  if (addr.type !== 'bound') return addr.type;
  return addr.addresses
    .map((a) => `${a.host}:${a.port}${a.meta?.weight === undefined ? '' : `*${a.meta.weight}`}`)
    .join(' ');
}

export function onlyBound(state: State<NameTree<Name>>): Bound {
  assert.ok(state.state === 'ok' && state.value.type === 'leaf', showState(state));
  assert.ok(!(state.value.value instanceof Path), showState(state));
  return state.value.value;
}

/** A path from its plain text, for labels without escapes. */
export function path(text: string): Path {
  return Path.of(...text.split('/').slice(1));
}

export type RecordingLog = Log & { readonly warnings: string[] };

export function recordingLog(): RecordingLog {
  const warnings: string[] = [];
  const note = (message: string): void => void warnings.push(message);
  return { warnings, debugEnabled: false, debug() {}, info() {}, warn: note, error: note };
}
