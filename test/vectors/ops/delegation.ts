/** The ops of delegation.json: names resolved through a table, stub namers and the system names. */
import { bindPath } from '../../../dtab/bind.ts';
import { delegateNow } from '../../../dtab/delegate.ts';
import type { Delegation } from '../../../dtab/delegation.ts';
import { distribution } from '../../../dtab/distribution.ts';
import { evaluate } from '../../../dtab/evaluate.ts';
import type { BindInputs } from '../../../dtab/evaluation.ts';
import type { NamerEntry } from '../../../dtab/evaluation-nodes.ts';
import { mapTree } from '../../../dtab/lookup.ts';
import { type Addr, type Bound, leaf, type Name, type NameTree, neg } from '../../../dtab/names.ts';
import { readDtab, readPath, readTree } from '../../../dtab/parse.ts';
import type { Path } from '../../../dtab/path.ts';
import { showDentry } from '../../../dtab/show.ts';
import { Inet } from '../../../namers/inet.ts';
import { statusName } from '../../../namers/status.ts';
import { SYSTEM_PREFIX, systemNamer } from '../../../namers/system.ts';
import {
  type Activity,
  failedActivity,
  okActivity,
  pending,
  type State,
} from '../../../src/base/activity.ts';
import { Failure } from '../../../src/base/failure.ts';
import { constant } from '../../../src/base/var.ts';
import { boundData, type TreeData, treeData, treeOf } from '../encoding.ts';

type Stub = {
  readonly prefix: string;
  readonly bindAll?: boolean;
  readonly errorAll?: boolean;
  readonly entries?: Readonly<Record<string, string>>;
};

type Vector = {
  readonly dtab: string;
  readonly path: string;
  readonly namers?: readonly Stub[];
  readonly namerOrder?: 'config';
  readonly maxDepth?: number;
};

const pendingAddr = constant<Addr>({ type: 'pending' });
const error = failedActivity(new Failure('naming', 'the stub fails'));

const bound = (id: Path, residual: Path): NameTree<Name> =>
  leaf<Name>({ type: 'bound', id, addr: pendingAddr, residual });

function stubNamer(stub: Stub): NamerEntry {
  const prefix = readPath(stub.prefix);
  const lookup = (path: Path): Activity<NameTree<Name>> => {
    if (stub.errorAll === true) return error;
    if (stub.bindAll === true) return okActivity(bound(prefix, path));
    const element = path.take(1);
    const answer = element.isEmpty ? undefined : stub.entries?.[element.show.slice(1)];
    if (answer === undefined) return okActivity(neg);
    if (answer === 'error') return error;
    if (answer === 'bound') return okActivity(bound(prefix.concat(element), path.drop(1)));
    return okActivity(mapTree<Path, Name>(readTree(answer), (name) => name.concat(path.drop(1))));
  };
  return { prefix, namer: { lookup } };
}

/** No vector looks at addresses, so that hosts need not be resolved. */
const unresolved = () => constant(pending);

export function systemEntry(): NamerEntry {
  const inet = new Inet({ addresses: unresolved, fixedAddresses: unresolved } as never);
  const namer = systemNamer({
    inet: (rest) => inet.inet(rest),
    fixedinet: (rest) => inet.fixedinet(rest),
    'io.buoyant.rinet': (rest) => inet.rinet(rest),
    'io.buoyant.http.status': statusName,
  });
  return { prefix: SYSTEM_PREFIX, namer };
}

function inputsOf(vector: Vector): BindInputs {
  const stubs = (vector.namers ?? []).map(stubNamer);
  if (vector.namerOrder === 'config') stubs.reverse();
  return {
    dtab: readDtab(vector.dtab),
    path: readPath(vector.path),
    namers: [...stubs, systemEntry()],
    ...(vector.maxDepth !== undefined && { depthMax: vector.maxDepth }),
  };
}

function bind(vector: Vector): object {
  let state: State<NameTree<Bound>> | undefined;
  bindPath(inputsOf(vector))
    .observe((next) => {
      state = next;
    })
    .close();
  if (state?.state !== 'ok') return { error: true };
  const ids = evaluate(state.value, ({ id }) => id.show)?.map(({ id }) => id.show);
  return { tree: treeData(state.value), eval: ids ?? null };
}

function stepData(tree: Delegation): object {
  if (tree.type === 'transformation') throw new Error('no vector has transformers');
  const { type, path, dentry } = tree;
  const step = { type, path: path.show, dentry: dentry === undefined ? '' : showDentry(dentry) };
  switch (tree.type) {
    case 'delegate':
      return { ...step, tree: stepData(tree.tree) };
    case 'alt':
      return { ...step, trees: tree.trees.map(stepData) };
    case 'union':
      return {
        ...step,
        trees: tree.trees.map((each) => ({ weight: each.weight, tree: stepData(each.tree) })),
      };
    case 'leaf':
      return { ...step, bound: boundData(tree.bound) };
    default:
      return step;
  }
}

export const ops = {
  bind,
  explain(vector: Vector): object {
    const delegation = delegateNow(inputsOf(vector));
    return delegation instanceof Failure ? { error: true } : { tree: stepData(delegation) };
  },
  distribution({ tree }: { tree: TreeData }): object {
    const { shares, unavailable } = distribution(treeOf(tree, (id) => ({ id })));
    return { fractions: { ...Object.fromEntries(shares), unavailable } };
  },
};
