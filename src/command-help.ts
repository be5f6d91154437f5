/** The help, made from the table of commands, so that it cannot say what is not there. */
import { type Command, optionName } from './command.ts';

type Row = readonly [left: string, right: string];

export function programHelp(table: readonly Command[]): string {
  const rows = table.map((command): Row => [synopsis([command]), command.summary]);
  const general: Row[] = [
    ['turnout COMMAND --help', 'the options of a command; the same as turnout help COMMAND'],
    ['turnout --version', 'the version'],
  ];
  return [
    'turnout - a service-mesh router for every node',
    '',
    ...columns([...rows, ...general]),
    '',
    'turnout CONFIG is turnout run CONFIG, turnout -validate CONFIG is turnout validate CONFIG.',
    'Exit codes: 0 done, 1 it cannot be done (standard error says why), 2 a mistake on the command line.',
    '',
  ].join('\n');
}

/** `commands` is the command with the group that it is in, outermost first. */
export function commandHelp(commands: readonly [Command, ...Command[]]): string {
  const command = commands.at(-1) ?? commands[0];
  const inner = (command.commands ?? []).map((one): Row => [synopsis([...commands, one]), one.summary]);
  const options = Object.entries(command.options).map(([key, option]): Row => {
    const name = `${option.short === undefined ? '' : `${option.short}, `}${optionName(key)}`;
    return [option.value === undefined ? name : `${name} ${option.value}`, option.help];
  });
  const sections = [
    [synopsis(commands)],
    [`  ${command.summary}`],
    command.details === undefined ? [] : [command.details.trimEnd()],
    columns(inner),
    columns(options),
  ];
  const shown = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${shown.join('\n\n')}\n`;
}

function synopsis(commands: readonly Command[]): string {
  const command = commands.at(-1);
  const words = ['turnout', ...commands.map(({ name }) => name)];
  if (command?.commands !== undefined) words.push('COMMAND');
  if (command?.operands !== undefined) words.push(command.operands.synopsis);
  return words.join(' ');
}

function columns(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
