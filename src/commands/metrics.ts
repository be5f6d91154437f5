/** `turnout metrics [PREFIX]`: the metrics as they are now. */
import { CannotRun, command, exitCode } from '../command.ts';
import { adminOption, outputOption, table } from './common.ts';

export const metricsCommand = command({
  name: 'metrics',
  summary: 'the metrics whose names begin with PREFIX (all)',
  details: '  turnout metrics rt/outgoing/service',
  operands: { synopsis: '[PREFIX]', min: 0, max: 1, what: 'the beginning of a name' },
  options: { admin: adminOption, output: outputOption },
  async run({ admin, output }, [prefix = ''], { stdout }) {
    const { AdminClient } = await import('../inspect/admin-client.ts');
    const all = (await new AdminClient(admin).json('/admin/metrics.json')) as Record<string, number>;
    const chosen = Object.entries(all).filter(([name]) => name.startsWith(prefix));
    if (chosen.length === 0) throw new CannotRun(`no metric begins with ${prefix}`);
    chosen.sort(([a], [b]) => (a < b ? -1 : 1));
    stdout.write(
      output === 'json'
        ? `${JSON.stringify(Object.fromEntries(chosen), null, 2)}\n`
        : table(chosen.map(([name, value]) => [name, String(value)])),
    );
    return exitCode.done;
  },
});
