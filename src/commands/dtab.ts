/** `turnout dtab`: the tables that a router runs with, and how those of a configuration differ. */
import type { RouterSummary } from '../admin/sources.ts';
import { CannotRun, command, exitCode, group, text } from '../command.ts';
import type { DiffLine } from '../inspect/diff.ts';
import { readConfig } from '../read-config.ts';
import { adminOption, outputOption, type Paint, paintFor } from './common.ts';

/** Two tables are compared entry by entry, in memory that grows with the product of their lengths. */
const ENTRIES_MAX = 5000;

const routerOption = text('LABEL', 'only this router (all)');

const showCommand = command({
  name: 'show',
  summary: "each router's dtab, with the line of each entry",
  options: { admin: adminOption, router: routerOption, output: outputOption },
  async run({ admin, router, output }, _operands, { stdout }) {
    const routers = await runningDtabs(admin, router);
    if (output === 'json') {
      stdout.write(
        `${JSON.stringify(
          routers.map(({ label, dtab }) => ({ router: label, dtab })),
          null,
          2,
        )}\n`,
      );
      return exitCode.done;
    }
    const paint = paintFor(stdout);
    for (const { label, dtab } of routers) {
      stdout.write(`${paint.cyan('router')} ${label}\n`);
      for (const { dentry, line } of dtab) {
        stdout.write(`${paint.dim(line === undefined ? '      ' : String(line).padStart(6))}  ${dentry};\n`);
      }
    }
    return exitCode.done;
  },
});

const diffCommand = command({
  name: 'diff',
  summary: 'entries that CONFIG adds (+) and takes away (-)',
  details: '  Exit code 1: they differ. What that means for traffic: turnout what-if CONFIG.',
  operands: { synopsis: 'CONFIG', min: 1, max: 1, what: 'a configuration', completes: 'file' },
  options: { admin: adminOption, router: routerOption, output: outputOption },
  async run({ admin, router, output }, [name = '-'], { stdin, stdout }) {
    const [{ specOf }, { routerSummaries }, { diffLines }] = await Promise.all([
      import('../inspect/offline.ts'),
      import('../router-views.ts'),
      import('../inspect/diff.ts'),
    ]);
    const next = new Map(
      routerSummaries(specOf(await readConfig(name, stdin)).routers).map(({ label, dtab }) => [label, dtab]),
    );
    const now = new Map((await runningDtabs(admin, undefined)).map(({ label, dtab }) => [label, dtab]));
    const labels = [...new Set([...now.keys(), ...next.keys()])];
    if (router !== undefined && !labels.includes(router)) throw new CannotRun(`there is no router ${router}`);
    const found: { router: string; lines: readonly DiffLine[] }[] = [];
    for (const label of router === undefined ? labels : [router]) {
      const [before, after] = [now.get(label), next.get(label)].map((dtab) =>
        (dtab ?? []).map(({ dentry }) => `${dentry};`),
      );
      if ((before?.length ?? 0) > ENTRIES_MAX || (after?.length ?? 0) > ENTRIES_MAX) {
        throw new CannotRun(`the dtab of ${label} has more than ${ENTRIES_MAX} entries`);
      }
      const lines = diffLines(before ?? [], after ?? []);
      if (lines.every(({ sign }) => sign === ' ')) continue;
      found.push({ router: label, lines });
    }
    stdout.write(
      output === 'json' ? `${JSON.stringify(found, null, 2)}\n` : diffText(found, paintFor(stdout)),
    );
    return found.length > 0 ? exitCode.cannotRun : exitCode.done;
  },
});

function diffText(
  found: readonly { readonly router: string; readonly lines: readonly DiffLine[] }[],
  paint: Paint,
): string {
  if (found.length === 0) return 'no difference\n';
  const colours = { '+': paint.green, '-': paint.red, ' ': (text: string) => text };
  return found
    .flatMap(({ router, lines }) => [
      `${paint.cyan('router')} ${router}\n`,
      ...lines.map(({ sign, line }) => `${colours[sign](`${sign} ${line}`)}\n`),
    ])
    .join('');
}

export const dtabCommand = group('dtab', 'the dtabs of a router that runs: show, diff', [
  showCommand,
  diffCommand,
]);

async function runningDtabs(admin: string, router: string | undefined): Promise<readonly RouterSummary[]> {
  const { AdminClient } = await import('../inspect/admin-client.ts');
  const all = (await new AdminClient(admin).json('/routers.json')) as readonly RouterSummary[];
  const chosen = all.filter(({ label }) => router === undefined || label === router);
  if (chosen.length === 0 && router !== undefined) {
    throw new CannotRun(
      `there is no router ${router}; there are ${all.map(({ label }) => label).join(', ')}`,
    );
  }
  return chosen;
}
