/** `turnout validate CONFIG`: checks it as a real start would, without opening a socket. */
import { command, exitCode } from '../command.ts';
import { readConfig } from '../read-config.ts';
import { runCommand } from './run.ts';

export const validateCommand = command({
  name: 'validate',
  summary: 'check CONFIG as a real start would; prints ok, or every mistake',
  ...(runCommand.operands === undefined ? {} : { operands: runCommand.operands }),
  options: {},
  async run(_options, [name = '-'], { stdin, stdout, stderr }) {
    const { text, source } = await readConfig(name, stdin);
    const { validateText } = await import('../validate.ts');
    const errors = validateText(text, source);
    for (const error of errors) stderr.write(`${error}\n`);
    if (errors.length > 0) return exitCode.cannotRun;
    stdout.write('ok\n');
    return exitCode.done;
  },
});
