/**
 * Why a name is bound to nothing, in a few lines for the person whose request was refused: for each branch
 * that had a say, where it ended, what was answered there, which entry led to it and where that entry is
 * written, and which names do exist nearby.
 */
import { Failure } from '../src/base/failure.ts';
import type { Delegation } from './delegation.ts';
import type { Path } from './path.ts';
import { shorten, showDentryPlace } from './show.ts';

const ENDS_MAX = 6;
const NEAREST_MAX = 3;

/** Existing names near one that does not exist, the nearest first. */
export type Suggest = (path: Path) => readonly string[];

type End = Extract<Delegation, { readonly type: 'neg' | 'fail' | 'empty' | 'pending' | 'exception' }>;

/** Undefined when the name is bound. */
export function explain(delegation: Delegation | Failure, suggest: Suggest = () => []): string | undefined {
  if (delegation instanceof Failure) return delegation.message;
  const ends: Ended[] = [];
  const outcome = decide(delegation, undefined, ends);
  if (outcome === 'bound') return undefined;
  const lines = ends.slice(0, ENDS_MAX).map((end) => lineOf(end, suggest));
  if (ends.length > ENDS_MAX) lines.push(`and ${ends.length - ENDS_MAX} more`);
  return [`${shorten(delegation.path.show)} ${OUTCOMES[outcome]}`, ...lines].join('\n');
}

type Outcome = 'bound' | End['type'];

const OUTCOMES: Readonly<Record<Exclude<Outcome, 'bound'>, string>> = {
  neg: 'does not exist',
  fail: 'is blocked',
  empty: 'exists, but has no endpoints',
  pending: 'is not known yet',
  exception: 'cannot be resolved',
};

/** `path` is the last one on the way, for ends that have none of their own. */
type Ended = { readonly end: End; readonly path: Path };

/** Follows the rules of binding; adds the ends that account for an outcome other than `bound`. */
function decide(node: Delegation, way: Path | undefined, ends: Ended[]): Outcome {
  const path = node.path.isEmpty && way !== undefined ? way : node.path;
  switch (node.type) {
    case 'leaf':
      return 'bound';
    case 'delegate':
    case 'transformation':
      return decide(node.tree, path, ends);
    case 'alt':
      return decideAlternatives(node.trees, path, ends);
    case 'union':
      return decideUnion(
        node.trees.map(({ tree }) => tree),
        path,
        ends,
      );
    default:
      ends.push({ end: node, path });
      return node.type;
  }
}

function decideAlternatives(trees: readonly Delegation[], path: Path, ends: Ended[]): Outcome {
  const passed: Ended[] = [];
  for (const tree of trees) {
    const own: Ended[] = [];
    const outcome = decide(tree, path, own);
    if (outcome !== 'neg') {
      // This alternative ends the search. `/a | !` means a or nothing: then why there is no a matters too.
      ends.push(...own);
      if (outcome === 'fail' || outcome === 'empty') ends.push(...passed);
      return outcome;
    }
    passed.push(...own);
  }
  ends.push(...passed);
  return 'neg';
}

function decideUnion(trees: readonly Delegation[], path: Path, ends: Ended[]): Outcome {
  const outcomes = trees.map((tree) => decide(tree, path, ends));
  if (outcomes.includes('bound')) return 'bound';
  if (outcomes.includes('empty')) return 'empty';
  if (outcomes.includes('neg') || outcomes.includes('fail')) return 'neg';
  return outcomes.includes('exception') ? 'exception' : 'pending';
}

function lineOf({ end, path }: Ended, suggest: Suggest): string {
  const parts = [`${shorten(path.show)}: ${answerOf(end)}`];
  if (end.dentry !== undefined) parts.push(`led here by ${showDentryPlace(end.dentry)}`);
  const nearest = end.type === 'neg' ? suggest(path).slice(0, NEAREST_MAX) : [];
  if (nearest.length > 0) parts.push(`nearest names: ${nearest.join(', ')}`);
  return parts.join('; ');
}

function answerOf(end: End): string {
  const namer = end.namer?.show;
  switch (end.type) {
    case 'neg':
      if (namer !== undefined) return `absent: the namer ${namer} knows no such name`;
      return end.path.isEmpty && end.dentry !== undefined
        ? 'absent: the dtab says ~'
        : 'absent: no dtab entry and no namer matches';
    case 'fail':
      return namer === undefined ? 'blocked: the dtab says !' : `blocked by the namer ${namer}`;
    case 'empty':
      return namer === undefined
        ? 'empty: the dtab says $'
        : `empty: the namer ${namer} has it without endpoints`;
    case 'pending':
      return namer === undefined ? 'pending' : `pending: the namer ${namer} has not answered yet`;
    case 'exception':
      return namer === undefined
        ? `failed: ${end.failure.message}`
        : `failed: the namer ${namer} says: ${end.failure.message}`;
  }
}
