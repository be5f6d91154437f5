/** `turnout config`: the configuration in force, and those that were tried. */
import { command, exitCode, flag, type Terminal } from '../command.ts';
import type { Generation } from '../reload.ts';
import { adminOption, outputOption, paintFor, table, widthOf } from './common.ts';

/** Digits: enough to tell two configurations apart. */
const SHA256_SHOWN = 12;

export const configCommand = command({
  name: 'config',
  summary: 'the configuration in force; --generations: those tried',
  details: '  It may hold secrets. As YAML, or with -o json as JSON.',
  options: {
    admin: adminOption,
    generations: flag('the last configurations that were tried, and what came of each'),
    output: outputOption,
  },
  async run({ admin, generations, output }, _operands, { stdout }) {
    const { AdminClient } = await import('../inspect/admin-client.ts');
    const client = new AdminClient(admin);
    const value = await client.json(generations ? '/config/generations.json' : '/config.json');
    if (output === 'json') stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    else if (generations) stdout.write(generationsText(value as readonly Generation[], stdout));
    else {
      const { yamlText } = await import('../inspect/yaml-text.ts');
      stdout.write(yamlText(value));
    }
    return exitCode.done;
  },
});

function generationsText(all: readonly Generation[], stdout: Terminal['stdout']): string {
  const rows = all.map(({ generation, outcome, by, time, sha256, errors }) => [
    String(generation),
    time,
    outcome,
    by,
    sha256.slice(0, SHA256_SHOWN),
    errors[0]?.split('\n', 1)[0] ?? '',
  ]);
  const text = table([['GENERATION', 'AT', 'OUTCOME', 'BY', 'SHA256', 'ERROR'], ...rows], widthOf(stdout));
  const { red } = paintFor(stdout);
  return text.replace(/ (refused|failed) /g, (_, word: string) => ` ${red(word)} `);
}
