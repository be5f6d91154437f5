/** Tests of a configuration's routing: what a request is bound to, without any router that runs. */

import { percent, tell } from '../inspect/explain.ts';
import type { Outcome } from '../inspect/node.ts';
import type { Offline } from '../inspect/offline.ts';
import { questionOf } from '../inspect/question.ts';
import type { StubAnswer } from './stub-namer.ts';

export type Expected =
  /** By bound id; they add up to 1. */
  | { readonly type: 'shares'; readonly shares: ReadonlyMap<string, number> }
  | { readonly type: 'error'; readonly code: string };

export type RoutingTest = {
  readonly name: string;
  /** A request or a name, as `turnout explain` takes it. */
  readonly asked: string;
  readonly method: string;
  readonly headers: readonly string[];
  /** Absent: the first of the configuration. */
  readonly router?: string;
  readonly expected: Expected;
};

export type RoutingTests = {
  /** Relative to the file of the tests. */
  readonly config?: string;
  /** What the namers answer, in place of the real ones. */
  readonly answers?: ReadonlyMap<string, StubAnswer>;
  readonly tests: readonly RoutingTest[];
};

/** `wrong` is absent for a test that holds. */
export type Result = { readonly name: string; readonly ms: number; readonly wrong?: string };

const SHARE_TOLERANCE = 0.001;

export async function runRoutingTest(test: RoutingTest, offline: Offline): Promise<Result> {
  const startMs = performance.now();
  const question = questionOf(test.asked, test.headers, test.method);
  const [first] = await offline.routers();
  const [story] = await tell(offline, question, test.router ?? first);
  const ms = performance.now() - startMs;
  const outcome: Outcome = story?.outcome ?? { type: 'error', code: 'internal', why: 'there is no router' };
  if (holds(test.expected, outcome)) return { name: test.name, ms };
  const path = story?.path === undefined ? '' : ` (as ${story.path})`;
  const wrong = `expected ${expectedText(test.expected)}\n     got ${outcomeText(outcome)}${path}`;
  return { name: test.name, ms, wrong };
}

function holds(expected: Expected, outcome: Outcome): boolean {
  if (expected.type === 'error') return outcome.type === 'error' && outcome.code === expected.code;
  if (outcome.type === 'error') return false;
  const ids = new Set([...expected.shares.keys(), ...outcome.shares.keys()]);
  return [...ids].every((id) => {
    const difference = (expected.shares.get(id) ?? 0) - (outcome.shares.get(id) ?? 0);
    return Math.abs(difference) <= SHARE_TOLERANCE;
  });
}

function expectedText(expected: Expected): string {
  return expected.type === 'error' ? `the error ${expected.code}` : sharesText(expected.shares);
}

function outcomeText(outcome: Outcome): string {
  return outcome.type === 'error' ? `the error ${outcome.code}: ${outcome.why}` : sharesText(outcome.shares);
}

function sharesText(shares: ReadonlyMap<string, number>): string {
  return [...shares].map(([id, share]) => (share === 1 ? id : `${percent(share)} ${id}`)).join(', ');
}
