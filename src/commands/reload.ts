/** `turnout reload [CONFIG]`: asks a running process, at its admin server, to take a configuration. */
import { CannotRun, command, exitCode, flag, Mistake, text } from '../command.ts';
import { readConfig } from '../read-config.ts';
import type { Generation } from '../reload.ts';

const LIMIT_MS = 30_000;

export const reloadCommand = command({
  name: 'reload',
  summary: 'have a running process take CONFIG, or its own file again',
  operands: { synopsis: '[CONFIG]', min: 0, max: 1, what: 'a configuration', completes: 'file' },
  options: {
    admin: text('HOST:PORT', 'the admin server of the process', '127.0.0.1:9990'),
    dryRun: flag('print what would change, and change nothing'),
  },
  async run({ admin, dryRun }, [name], { stdin, stdout, stderr }) {
    if (!/^[^/\s]+:\d{1,5}$/.test(admin)) throw new Mistake(`--admin takes HOST:PORT, not ${admin}`);
    const body = name === undefined ? '' : (await readConfig(name, stdin)).text;
    const answer = await post(`http://${admin}/config${dryRun ? '?dry-run=1' : ''}`, body);
    if (typeof answer === 'string') throw new CannotRun(`${admin}: ${answer.trim()}`);
    const { outcome, generation, changes, afterRestart, errors } = answer;
    for (const line of changes) stdout.write(`${line}\n`);
    for (const line of afterRestart) stdout.write(`${line} (takes effect at the next start)\n`);
    for (const line of errors) stderr.write(`${line}\n`);
    if (errors.length > 0) return exitCode.cannotRun;
    stdout.write(
      dryRun
        ? `${outcome === 'unchanged' ? 'nothing' : 'this'} would change\n`
        : `${outcome}: generation ${generation}\n`,
    );
    return exitCode.done;
  },
});

async function post(url: string, body: string): Promise<Generation | string> {
  let response: Response;
  try {
    response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(LIMIT_MS) });
  } catch (error) {
    const { cause, message } = error as Error;
    return `no answer: ${cause instanceof Error ? cause.message : message}`;
  }
  const answer = await response.text();
  if (!response.headers.get('content-type')?.startsWith('application/json')) {
    return answer === '' ? `status ${response.status}` : answer;
  }
  return JSON.parse(answer) as Generation;
}
