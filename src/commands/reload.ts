/** `turnout reload [CONFIG]`: asks a running process, at its admin server, to take a configuration. */
import { CannotRun, command, exitCode, flag, type Terminal } from '../command.ts';
import { readConfig } from '../read-config.ts';
import type { Generation } from '../reload.ts';
import { adminOption, outputOption } from './common.ts';

const PAGE = '/config';

export const reloadCommand = command({
  name: 'reload',
  summary: 'have a running process take CONFIG, or its own file again',
  details:
    '  It prints what differs, and applies only that. Exit code 1: it is refused, and nothing has changed.',
  operands: { synopsis: '[CONFIG]', min: 0, max: 1, what: 'a configuration', completes: 'file' },
  options: {
    admin: adminOption,
    dryRun: flag('print what would change, and change nothing'),
    output: outputOption,
  },
  async run({ admin, dryRun, output }, [name], { stdin, stdout, stderr }) {
    const { AdminClient } = await import('../inspect/admin-client.ts');
    const client = new AdminClient(admin);
    const given = name === undefined ? undefined : await readConfig(name, stdin);
    // To the admin server no text at all means the process's own file.
    if (given?.text === '') throw new CannotRun(`${given.source}: the configuration is empty`);
    const body = given?.text ?? '';
    const response = await client.post(`${PAGE}${dryRun ? '?dry-run=1' : ''}`, body);
    const said = await response.text();
    if (!response.headers.get('content-type')?.startsWith('application/json')) {
      throw client.refused(PAGE, response.status, said);
    }
    const tried = JSON.parse(said) as Generation;
    if (output === 'json') stdout.write(`${JSON.stringify(tried, null, 2)}\n`);
    else tell(tried, dryRun, stdout, stderr);
    return tried.errors.length > 0 ? exitCode.cannotRun : exitCode.done;
  },
});

function tell(
  { outcome, generation, changes, afterRestart, errors }: Generation,
  dryRun: boolean,
  stdout: Terminal['stdout'],
  stderr: Terminal['stderr'],
): void {
  for (const line of changes) stdout.write(`${line}\n`);
  for (const line of afterRestart) stdout.write(`${line} (takes effect at the next start)\n`);
  for (const line of errors) stderr.write(`${line}\n`);
  if (errors.length > 0) stderr.write(`${outcome}: generation ${generation} stays in force\n`);
  else if (dryRun) stdout.write(`${outcome === 'unchanged' ? 'nothing' : 'this'} would change\n`);
  else stdout.write(`${outcome}: generation ${generation}\n`);
}
