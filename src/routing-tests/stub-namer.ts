/** A namer that answers as a routing test says, by the longest name that begins a path; else *absent*. */
import { empty, fail, leaf, type Name, type Namer, type NameTree, neg } from '../../dtab/names.ts';
import { Path } from '../../dtab/path.ts';
import { failedActivity, okActivity, pending } from '../base/activity.ts';
import { Failure } from '../base/failure.ts';
import { constant } from '../base/var.ts';

export type StubAnswer =
  | {
      readonly type: 'addresses';
      readonly addresses: readonly { readonly host: string; readonly port: number }[];
    }
  | { readonly type: 'absent' | 'empty' | 'blocked' | 'pending' }
  | { readonly type: 'failed'; readonly message: string };

/** `answers`: by whole name, `/#/io.l5d.fs/web`. */
export function stubNamer(prefix: Path, answers: ReadonlyMap<string, StubAnswer>): Namer {
  return {
    lookup(path) {
      const full = prefix.concat(path);
      for (let size = full.size; size > prefix.size; size--) {
        const name = full.take(size);
        const answer = answers.get(name.show);
        if (answer !== undefined) return answered(answer, name, full.drop(size));
      }
      return okActivity(neg);
    },
    names: () =>
      [...answers.keys()]
        .filter((name) => name.startsWith(`${prefix.show}/`))
        .map((name) => Path.of(...name.slice(1).split('/')).drop(prefix.size)),
  };
}

function answered(answer: StubAnswer, id: Path, residual: Path): ReturnType<Namer['lookup']> {
  switch (answer.type) {
    case 'addresses': {
      const addr = constant({ type: 'bound' as const, addresses: answer.addresses, meta: {} });
      const tree: NameTree<Name> = leaf({ type: 'bound', id, addr, residual });
      return okActivity(tree);
    }
    case 'absent':
      return okActivity(neg);
    case 'empty':
      return okActivity(empty);
    case 'blocked':
      return okActivity(fail);
    case 'pending':
      return constant(pending);
    case 'failed':
      return failedActivity(new Failure('naming', answer.message));
  }
}
