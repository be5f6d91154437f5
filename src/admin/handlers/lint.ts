/**
 * `/admin/lint`: what in the configuration in force is valid and cannot be meant, as `turnout lint` finds it;
 * `/admin/lint.json` in the form of linkerd's linter.
 */
import { json, type Page, text } from '../page.ts';
import type { AdminSources, LintFinding } from '../sources.ts';

/** What is looked for. */
const RULES: Readonly<Record<string, string>> = {
  shadowed: 'entries that a later one always answers before',
  unreachable: 'entries that no name of the router leads to',
  duplicate: 'entries that stand twice',
  loop: 'entries that lead back to themselves',
  'unknown-namer': 'names of namers that are not configured',
  'shadowed-namer': 'namers whose prefix a later one has',
};
/** It is looked at on the control thread, and the work grows with the square. */
const ENTRIES_MAX = 500;

export function lintPages(sources: AdminSources): Page[] {
  let running: Promise<readonly LintFinding[]> | undefined;
  const findings = (): Promise<readonly LintFinding[]> => {
    running ??= sources.lint().finally(() => {
      running = undefined;
    });
    return running;
  };
  const page = (path: string, show: (found: readonly LintFinding[]) => ReturnType<typeof text>): Page => ({
    path,
    methods: ['GET'],
    async answer() {
      if (sources.routers().some(({ dtab }) => dtab.length > ENTRIES_MAX)) {
        return text(
          503,
          `A dtab has more than ${ENTRIES_MAX} entries: turnout lint FILE looks at any number.\n`,
        );
      }
      return show(await findings());
    },
  });
  return [
    page('/admin/lint', (found) =>
      text(200, found.map((each) => `${shown(each)}\n`).join('') || 'nothing found\n'),
    ),
    page('/admin/lint.json', (found) => json({ lint_results: results(found) })),
  ];
}

function shown({ source, line, column, rule, message }: LintFinding): string {
  return `${line === undefined ? source : `${source}:${line}:${column}`}: ${rule}: ${message}`;
}

function results(found: readonly LintFinding[]): unknown {
  const byRule = Map.groupBy(found, ({ rule }) => rule);
  const rules = Object.keys(RULES);
  return {
    metadata: {
      num_rules_run: rules.length,
      num_rules_ok: rules.length - byRule.size,
      num_rules_failed: byRule.size,
      num_issues_found: found.length,
    },
    failed_rules: [...byRule].map(([id, issues]) => ({
      category: 'configuration',
      id,
      description: RULES[id],
      issues: issues.map(shown),
    })),
    ok_rules: rules.filter((id) => !byRule.has(id)),
  };
}
