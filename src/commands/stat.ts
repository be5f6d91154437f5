/** `turnout stat` and `turnout top`: rates, success and latency of what a router does now. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Command, command, exitCode, number, type Terminal, text } from '../command.ts';
import { adminOption, interruption, outputOption, paintFor, progress, table, widthOf } from './common.ts';

const CLEAR = '\x1b[H\x1b[2J';
/** Rows of a screen whose height is not known. */
const ROWS_MAX = 40;

export const statCommand = command({
  name: 'stat',
  summary: 'rates, success, latency and retries of servers, services and clients',
  details: `  Rates are of the seconds between two readings; latencies of the last minute.`,
  options: {
    admin: adminOption,
    seconds: number('seconds', 1, 3600, 'between the readings', 2),
    router: text('LABEL', 'only this router (all)'),
    output: outputOption,
  },
  async run({ admin, seconds, router, output }, _operands, terminal) {
    const { stdout } = terminal;
    const reading = await reader(admin, router);
    await reading.next(undefined);
    progress(terminal, `looking at ${seconds} s of traffic`);
    await wait(seconds * 1000);
    const rows = await reading.next(undefined);
    stdout.write(
      output === 'json' ? `${JSON.stringify(rows, null, 2)}\n` : table(reading.cells(rows), widthOf(stdout)),
    );
    return exitCode.done;
  },
});

export const topCommand: Command = command({
  name: 'top',
  summary: 'the same, live: what fails first, then what is busy',
  details: '  It ends with Ctrl-C. In a pipe: one table after the other, or with -o json one line.',
  options: {
    admin: adminOption,
    seconds: number('seconds', 1, 3600, 'between the readings', 1),
    router: text('LABEL', 'only this router (all)'),
    count: number('a number of tables', 1, 999_999_999, 'end after so many', 999_999_999),
    output: outputOption,
  },
  async run({ admin, seconds, router, count, output }, _operands, { stdout }) {
    const leave = interruption();
    try {
      const reading = await reader(admin, router);
      await reading.next('trouble');
      for (let shown = 0; shown < count; shown++) {
        await wait(seconds * 1000, undefined, { signal: leave.signal });
        const rows = await reading.next('trouble');
        if (output === 'json') stdout.write(`${JSON.stringify(rows)}\n`);
        else show(reading.cells(rows), admin, stdout);
      }
    } catch (error) {
      if (!leave.signal.aborted) throw error;
    } finally {
      leave.close();
    }
    return exitCode.done;
  },
});

function show(
  cells: string[][],
  admin: string,
  stdout: Terminal['stdout'] & { readonly rows?: number },
): void {
  const paint = paintFor(stdout);
  const screen = stdout.isTTY === true;
  const rows = screen ? cells.slice(0, (stdout.rows ?? ROWS_MAX) - 3) : cells;
  const title = `${paint.bold(`turnout ${admin}`)}  ${new Date().toISOString().slice(11, 19)}Z`;
  stdout.write(`${screen ? CLEAR : ''}${title}\n${table(rows, widthOf(stdout))}${screen ? '' : '\n'}`);
}

async function reader(admin: string, router: string | undefined) {
  const [{ AdminClient }, { labelsOf }, { byTrouble, statCells, statRows }] = await Promise.all([
    import('../inspect/admin-client.ts'),
    import('../inspect/namings.ts'),
    import('../watch/stat-rows.ts'),
  ]);
  const client = new AdminClient(admin);
  if (router !== undefined) await labelsOf(client, router);
  let before: unknown = {};
  let beforeMs = performance.now();
  return {
    cells: statCells,
    /** What happened since the last call. */
    async next(order: 'trouble' | undefined) {
      const now = await client.json('/admin/metrics.json?tree=1');
      const nowMs = performance.now();
      const rows = statRows(before, now, Math.max(0.001, (nowMs - beforeMs) / 1000)).filter(
        (row) => router === undefined || row.router === router,
      );
      before = now;
      beforeMs = nowMs;
      return order === undefined ? rows : rows.toSorted(byTrouble);
    },
  };
}
