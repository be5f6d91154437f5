/** `turnout what-if DTAB|CONFIG`: what a candidate would change for the traffic of now. */
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { CannotRun, command, exitCode, number, text } from '../command.ts';
import { readConfig } from '../read-config.ts';
import { adminOption, outputOption, paintFor, progress, table, widthOf } from './common.ts';

export const whatIfCommand = command({
  name: 'what-if',
  summary: 'which requests would go elsewhere by a dtab or a CONFIG',
  details: `  turnout what-if '/svc/web => 0.9 * /srv/web & 0.1 * /srv/web-v2'
  turnout what-if new.yaml

  A dtab (or a file with one) comes after the router's own, as a new entry at its end would; a configuration
  takes the place of the running one. Exit code 1: a name in use would have no answer any more.`,
  operands: { synopsis: 'DTAB|CONFIG', min: 1, max: 1, what: 'a dtab or a configuration', completes: 'file' },
  options: {
    admin: adminOption,
    router: text('LABEL', 'only traffic of this router (all)'),
    seconds: number('seconds', 1, 600, 'of traffic to look at', 5),
    output: outputOption,
  },
  async run({ admin, router, seconds, output }, [word = ''], terminal) {
    const { stdin, stdout } = terminal;
    const [
      { AdminClient },
      { labelsOf },
      { Offline, specOf },
      { whatIf },
      { statRows },
      { readDtab },
      { DtabSyntaxError },
    ] = await Promise.all([
      import('../inspect/admin-client.ts'),
      import('../inspect/namings.ts'),
      import('../inspect/offline.ts'),
      import('../inspect/what-if.ts'),
      import('../watch/stat-rows.ts'),
      import('../../dtab/parse.ts'),
      import('../../dtab/syntax-error.ts'),
    ]);
    const isFile = word === '-' || existsSync(word);
    const given = isFile ? await readConfig(word, stdin) : { text: word, source: 'dtab' };
    const isConfig = isFile && /^\s*["']?routers["']?\s*:|^\s*\{/m.test(given.text);
    const now = new AdminClient(admin);
    if (!isConfig) {
      try {
        readDtab(given.text, { source: given.source });
      } catch (error) {
        if (error instanceof DtabSyntaxError) throw new CannotRun(error.message);
        throw error;
      }
    }
    const candidate = isConfig ? new Offline(specOf(given)) : now;
    try {
      await labelsOf(now, router);
      const before = await now.json('/admin/metrics.json?tree=1');
      progress(terminal, `looking at ${seconds} s of traffic`);
      const startMs = performance.now();
      await wait(seconds * 1000);
      const after = await now.json('/admin/metrics.json?tree=1');
      const traffic = statRows(before, after, (performance.now() - startMs) / 1000).filter(
        (row) => row.kind === 'service' && (router === undefined || row.router === router),
      );
      const changes = await whatIf(traffic, now, candidate, isConfig ? '' : given.text);
      const lost = changes.filter((change) => change.lost);
      if (output === 'json') stdout.write(`${JSON.stringify(changes, null, 2)}\n`);
      else stdout.write(report(changes, widthOf(stdout), paintFor(stdout)));
      return lost.length === 0 ? exitCode.done : exitCode.cannotRun;
    } finally {
      candidate.close();
    }
  },
});

type Changes = readonly import('../inspect/what-if.ts').Change[];

function report(changes: Changes, width: number | undefined, paint: ReturnType<typeof paintFor>): string {
  const shown = changes.filter(({ before, after }) => before !== after);
  const rows = shown.map(({ router, name, requestsPerSec, movedPerSec, before, after }) => [
    router,
    name,
    requestsPerSec.toFixed(1),
    movedPerSec.toFixed(1),
    before,
    after,
  ]);
  const head = ['ROUTER', 'NAME', 'RPS', 'MOVES', 'NOW', 'THEN'];
  const sum = (values: readonly number[]): string =>
    values.reduce((total, each) => total + each, 0).toFixed(1);
  const all = sum(changes.map(({ requestsPerSec }) => requestsPerSec));
  const moved = sum(changes.map(({ movedPerSec }) => movedPerSec));
  // A name may be in use at several routers.
  const lost = [...new Set(changes.filter((change) => change.lost).map(({ name }) => name))];
  return [
    rows.length === 0 ? '' : `${table([head, ...rows], width)}\n`,
    `${changes.length} names, ${all} requests/s; ${moved} requests/s would go elsewhere\n`,
    lost.length === 0 ? '' : `${paint.red('unroutable')}: ${lost.join(', ')}\n`,
  ].join('');
}
