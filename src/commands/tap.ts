/** `turnout tap`: requests as they finish. */
import { CannotRun, command, exitCode, flag, Mistake, number, text } from '../command.ts';
import type { StoryRecord } from '../telemetry/tap.ts';
import { adminOption, interruption, outputOption, paintFor } from './common.ts';

export const tapCommand = command({
  name: 'tap',
  summary: 'requests as they finish: name, endpoint, TLS, latency, retries',
  details: `  turnout tap --where 'path=/svc/web status>=500'

  Conditions: router server peer method host target path client endpoint failure with = != ~ (begins
  with); tls (to the endpoint) with = and true or false; status latency retries with = != < <= > >=.
  It ends with Ctrl-C.`,
  options: {
    admin: adminOption,
    where: text('CONDITIONS', 'only requests that meet all of them', ''),
    rate: text('SHARE', 'of the requests, from above 0 to 1', '1'),
    max: number('a number of requests', 1, 999_999_999, 'end after so many', 999_999_999),
    seconds: number('seconds', 1, 999_999_999, 'end after so long', 999_999_999),
    headers: flag('show the headers; those that give access to something are redacted'),
    unredacted: flag('show all headers as they are'),
    output: outputOption,
  },
  async run({ admin, where, rate, max, seconds, headers, unredacted, output }, _operands, { stdout }) {
    const [{ AdminClient }, { readWhere }, { linesOf }, { redacted, tapLine }] = await Promise.all([
      import('../inspect/admin-client.ts'),
      import('../telemetry/where.ts'),
      import('../watch/lines.ts'),
      import('../watch/tap-line.ts'),
    ]);
    const conditions = readWhere(where);
    if (typeof conditions === 'string') throw new Mistake(`--where: ${conditions}`);
    if (!(Number(rate) > 0 && Number(rate) <= 1)) {
      throw new Mistake(`--rate takes a number above 0 and up to 1, not ${rate}`);
    }
    const leave = interruption();
    const timer = setTimeout(leave.stop, Math.min(seconds * 1000, 2 ** 31 - 1));
    const query = new URLSearchParams({ where, rate, ...(headers || unredacted ? { headers: '1' } : {}) });
    const paint = paintFor(stdout);
    let shown = 0;
    try {
      const answer = await new AdminClient(admin).open(`/admin/tap?${query}`, leave.signal);
      for await (const line of linesOf(answer.body ?? new ReadableStream<Uint8Array>())) {
        const told = JSON.parse(line) as StoryRecord;
        const story = unredacted ? told : redacted(told);
        stdout.write(`${output === 'json' ? JSON.stringify(story) : tapLine(story, paint)}\n`);
        shown++;
        if (shown >= max) break;
      }
      if (shown < max && !leave.signal.aborted) throw new CannotRun(`${admin} has ended the tap`);
    } catch (error) {
      if (!leave.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
      leave.stop();
      leave.close();
    }
    return exitCode.done;
  },
});
