/**
 * io.l5d.rewrite: a name is another name. What the pattern captures of the path is put into `name`, which is
 * then resolved like any path; segments beyond the pattern are dropped. No match is neg.
 *
 *     namers:
 *     - kind: io.l5d.rewrite
 *       prefix: /split
 *       pattern: "/{svc}.{ns}"
 *       name: "/#/io.l5d.k8s/{ns}/http/{svc}"
 */
import { PathMatcher, substitute } from '../config/path-matcher.ts';
import { leaf, type Name, type Namer, type NameTree, neg } from '../dtab/names.ts';
import { readPath } from '../dtab/parse.ts';
import type { Path } from '../dtab/path.ts';
import { DtabSyntaxError } from '../dtab/syntax-error.ts';
import { type Activity, failedActivity, okActivity } from '../src/base/activity.ts';
import { Failure } from '../src/base/failure.ts';

export class RewriteNamer implements Namer {
  readonly #matcher: PathMatcher;
  readonly #name: string;

  /** Throws PatternError. `name` is a template of path text. */
  constructor(pattern: string, name: string) {
    this.#matcher = new PathMatcher(pattern);
    this.#name = name;
  }

  lookup(path: Path): Activity<NameTree<Name>> {
    const variables = this.#matcher.extract(path);
    if (variables === undefined) return okActivity(neg);
    const text = substitute(variables, this.#name);
    try {
      return okActivity(leaf<Name>(readPath(text)));
    } catch (error) {
      if (!(error instanceof DtabSyntaxError)) throw error;
      const message = `io.l5d.rewrite makes no path of ${path.show}: ${error.summary}`;
      return failedActivity(new Failure('naming', message));
    }
  }
}
