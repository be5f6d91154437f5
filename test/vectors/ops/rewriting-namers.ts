/** The ops of rewriting-namers.json: one step of a namer that answers with another path. */
import type { Namer } from '../../../dtab/names.ts';
import { readPath } from '../../../dtab/parse.ts';
import { Path } from '../../../dtab/path.ts';
import { RewriteNamer } from '../../../namers/rewrite.ts';
import { systemEntry } from './delegation.ts';

function answerOf(namer: Namer, path: Path): object {
  let answer: object = { pending: true };
  namer
    .lookup(path)
    .observe((state) => {
      if (state.state === 'failed') answer = { error: true };
      if (state.state !== 'ok') return;
      const tree = state.value;
      if (tree.type === 'neg') answer = { neg: true };
      else if (tree.type === 'leaf' && tree.value instanceof Path) answer = { path: tree.value.show };
      else answer = { tree };
    })
    .close();
  return answer;
}

export const ops = {
  lookup({ path }: { path: string }): object {
    const { prefix, namer } = systemEntry();
    return answerOf(namer, readPath(path).drop(prefix.size));
  },
  rewrite: ({ pattern, template, path }: { pattern: string; template: string; path: string }) =>
    answerOf(new RewriteNamer(pattern, template), readPath(path)),
};
