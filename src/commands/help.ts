/** `turnout help [COMMAND]`: what `turnout COMMAND --help` prints. */
import { type Command, command, exitCode, Mistake } from '../command.ts';
import { commandHelp, programHelp } from '../command-help.ts';

/** `table` answers all commands, this one included. */
export function helpCommand(table: () => readonly Command[]): Command {
  return command({
    name: 'help',
    summary: 'how to use the program or one of its commands',
    operands: { synopsis: '[COMMAND]', min: 0, max: 2, what: 'a command' },
    options: {},
    run(_options, words, { stdout }) {
      stdout.write(helpOf(words, table()));
      return exitCode.done;
    },
  });
}

function helpOf(words: readonly string[], table: readonly Command[]): string {
  const [first, second] = words;
  if (first === undefined) return programHelp(table);
  const outer = table.find(({ name }) => name === first);
  if (outer === undefined) throw new Mistake(`there is no command ${first}`);
  if (second === undefined) return commandHelp([outer]);
  const inner = outer.commands?.find(({ name }) => name === second);
  if (inner === undefined) throw new Mistake(`${first} has no command ${second}`);
  return commandHelp([outer, inner]);
}
