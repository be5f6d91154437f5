/** The way of a name as lines for a terminal: each step with its entry, what each alternative answered. */
import type { Paint } from '../commands/common.ts';
import type { EndpointHealth } from './namings.ts';
import { type BoundView, chosenAlternative, type DelegationNode, type DentryView } from './node.ts';

/** Endpoints of one name beyond this number are counted, not listed. */
const ENDPOINTS_MAX = 20;

export type TreeFacts = {
  readonly paint: Paint;
  /** By bound id, then by `host:port`. */
  readonly health: ReadonlyMap<string, ReadonlyMap<string, EndpointHealth>>;
  /** Names near one that does not exist. */
  nearest(path: string): readonly string[];
};

export function treeText(root: DelegationNode, facts: TreeFacts): string {
  const lines: string[] = [];
  write(root, '', true, { facts, lines });
  return lines.map((line) => `${line}\n`).join('');
}

export function boundIn(node: DelegationNode): readonly BoundView[] {
  const below = [
    node.delegate,
    node.tree,
    ...(node.alt ?? []),
    ...(node.union ?? []).map(({ tree }) => tree),
  ];
  const own = node.bound === undefined || node.type === 'transformation' ? [] : [node.bound];
  return [...own, ...below.flatMap((each) => (each === undefined ? [] : boundIn(each)))];
}

type Writing = { readonly facts: TreeFacts; readonly lines: string[] };

/** `taken`: traffic can come this way. */
function write(node: DelegationNode, indent: string, taken: boolean, to: Writing): void {
  const { paint } = to.facts;
  const name = taken ? paint.bold(node.path) : paint.dim(node.path);
  to.lines.push(`${indent}${name}${by(node.dentry, paint)}${answer(node, to.facts)}`);
  const deeper = `${indent}  `;
  if (node.type === 'transformation') {
    to.lines.push(`${deeper}transformed by ${paint.cyan(node.name ?? '')}`);
  }
  const inner = node.delegate ?? node.tree;
  if (inner !== undefined) write(inner, deeper, taken, to);
  if (node.alt !== undefined) writeAlternatives(node.alt, deeper, taken, to);
  for (const { weight, tree } of node.union ?? []) {
    to.lines.push(`${deeper}${paint.cyan(`${weight} *`)}`);
    write(tree, `${deeper}  `, taken && weight > 0, to);
  }
  if (node.bound !== undefined && node.type === 'leaf') writeBound(node.bound, deeper, to);
}

function writeAlternatives(
  alternatives: readonly DelegationNode[],
  indent: string,
  taken: boolean,
  to: Writing,
): void {
  const chosen = chosenAlternative(alternatives);
  alternatives.forEach((each, i) => {
    const passed = chosen === -1 || i < chosen;
    const role = i === chosen ? 'taken' : passed ? 'absent' : 'a fallback, not used';
    to.lines.push(`${indent}${to.facts.paint.cyan(`alternative ${i + 1}`)}: ${role}`);
    write(each, `${indent}  `, taken && i === chosen, to);
  });
}

function by(dentry: DentryView | undefined, paint: Paint): string {
  if (dentry === undefined) return '';
  const { prefix, dst } = dentry;
  return `  ${paint.dim(`by ${prefix} => ${dst}${placeOf(dentry)}`)}`;
}

function placeOf({ position }: DentryView): string {
  if (position === undefined) return '';
  const { source, line, column } = position;
  return source === undefined ? '' : ` (${source}:${line}:${column})`;
}

function answer(node: DelegationNode, { paint, nearest }: TreeFacts): string {
  const namer = node.namer === undefined ? '' : `the namer ${node.namer} `;
  switch (node.type) {
    case 'neg': {
      const near = nearest(node.path);
      const names = near.length === 0 ? '' : `; nearest names: ${near.join(', ')}`;
      return `  ${paint.red('absent')}: ${absence(node)}${names}`;
    }
    case 'empty':
      return `  ${paint.red('empty')}: ${namer === '' ? 'an entry says $' : `${namer}has no endpoints`}`;
    case 'fail':
      return `  ${paint.red('blocked')}: ${namer === '' ? 'an entry says !' : `${namer}says no`}`;
    case 'exception':
      return node.message?.startsWith('pending') === true
        ? `  ${paint.yellow('pending')}: ${namer}has not answered yet`
        : `  ${paint.red('failed')}: ${namer}${namer === '' ? '' : 'says: '}${node.message ?? ''}`;
    default:
      return '';
  }
}

function absence({ path, namer }: DelegationNode): string {
  if (path === '~') return 'an entry says ~';
  return namer === undefined ? 'no entry and no namer matches' : `the namer ${namer} knows no such name`;
}

function writeBound({ id, addr, path, tls }: BoundView, indent: string, { facts, lines }: Writing): void {
  const { paint } = facts;
  const secure =
    tls === undefined
      ? 'plain text'
      : tls.error === undefined
        ? `TLS, must prove ${paint.green(tls.name === '' ? 'nothing' : (tls.name ?? ''))}`
        : paint.red(`TLS: ${tls.error}`);
  const residual = path === '/' ? '' : `, residual ${path}`;
  lines.push(`${indent}${paint.green('bound')} to ${id}${residual}; ${secure}`);
  if (addr.type !== 'bound') {
    const what = { neg: 'no such address set', pending: 'no address yet', failed: addr.cause ?? 'failed' }[
      addr.type
    ];
    lines.push(`${indent}  ${paint.red(what)}`);
    return;
  }
  const addresses = addr.addrs ?? [];
  if (addresses.length === 0) lines.push(`${indent}  ${paint.red('no endpoints')}`);
  for (const { ip, port } of addresses.slice(0, ENDPOINTS_MAX)) {
    const address = `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
    const health = facts.health.get(id)?.get(address);
    const words = [health?.status, health?.accrual].filter((word) => word !== undefined);
    lines.push(`${indent}  ${address}${words.length === 0 ? '' : `  ${words.join(', ')}`}`);
  }
  if (addresses.length > ENDPOINTS_MAX) lines.push(`${indent}  and ${addresses.length - ENDPOINTS_MAX} more`);
}
