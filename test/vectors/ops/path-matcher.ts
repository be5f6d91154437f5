/** The ops of path-matcher.json. */
import { mergeConfigs, PathMatcher, substitute, type Variables } from '../../../config/path-matcher.ts';
import { readPath } from '../../../dtab/parse.ts';

type Config = { readonly prefix: string; readonly params: Readonly<Record<string, unknown>> };

export const ops = {
  extract: ({ pattern, path }: { pattern: string; path: string }) => ({
    vars: new PathMatcher(pattern).extract(readPath(path)) ?? null,
  }),
  substitute: ({ vars, template }: { vars: Variables; template: string }) => ({
    text: substitute(vars, template),
  }),
  'match-substitute'({
    pattern,
    path,
    template,
  }: {
    pattern: string;
    path: string;
    template: string;
  }): object {
    const variables = new PathMatcher(pattern).extract(readPath(path));
    return { text: variables === undefined ? null : substitute(variables, template) };
  },
  'merge-configs'({ configs, path }: { configs: readonly Config[]; path: string }): object {
    const compiled = configs.map(({ prefix, params }) => ({ prefix: new PathMatcher(prefix), params }));
    return { params: mergeConfigs(compiled, readPath(path)).params };
  },
};
