/**
 * The command line, from words to a command of the table. Pure; every mistake is one line that says what to
 * write instead. `turnout CONFIG` and `turnout -validate CONFIG` are the forms that linkerd 1.x has.
 */
import { suggest } from '../config/suggest.ts';
import { type Command, type Given, Mistake, optionName } from './command.ts';

export type Parsed =
  | { readonly kind: 'version' }
  /** The command and the group that it is in, outermost first; none: of the program. */
  | { readonly kind: 'help'; readonly commands: readonly Command[] }
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly given: Given;
      readonly operands: readonly string[];
    };

/** Throws a Mistake. */
export function parseCommandLine(words: readonly string[], table: readonly Command[]): Parsed {
  const { commands, rest } = findCommand(words, table);
  const end = words.indexOf('--');
  const options = end === -1 ? words : words.slice(0, end);
  if (options.some((word) => word === '--help' || word === '-h' || word === '-help')) {
    return { kind: 'help', commands: words[0]?.startsWith('-') ? [] : commands };
  }
  if (options.some((word) => word === '--version' || word === '-version')) return { kind: 'version' };
  const command = commands.at(-1);
  if (command === undefined) throw new Mistake('no command');
  return { kind: 'command', command, ...readWords(command, rest) };
}

/** The words that begin a command line's command: `certs issue`; none for a line without one. */
export function commandWords(words: readonly string[], table: readonly Command[]): string {
  return nameOf(findCommand(words, table).commands);
}

/** `certs issue`: the words of a command and its groups, as a user writes them. */
export function nameOf(commands: readonly Command[]): string {
  return commands.map((command) => command.name).join(' ');
}

function findCommand(
  words: readonly string[],
  table: readonly Command[],
): { commands: readonly Command[]; rest: readonly string[] } {
  const [word, ...rest] = words;
  if (word === undefined) return { commands: [], rest };
  const named = (name: string): Command | undefined => table.find((command) => command.name === name);
  const command = /^--?validate$/.test(word) ? named('validate') : named(word);
  if (command === undefined) {
    // A configuration without a word before it.
    const run = named('run');
    return { commands: run === undefined ? [] : [run], rest: words };
  }
  const [next, ...after] = rest;
  const inner = command.commands?.find(({ name }) => name === next);
  return inner === undefined ? { commands: [command], rest } : { commands: [command, inner], rest: after };
}

function readWords(command: Command, words: readonly string[]): { given: Given; operands: string[] } {
  const keys = new Map(
    Object.entries(command.options).flatMap(([key, { short }]) =>
      [optionName(key), ...(short === undefined ? [] : [short])].map((name) => [name, key] as const),
    ),
  );
  const given = new Map<string, string[]>();
  const operands: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--') {
      operands.push(...words.slice(i + 1));
      break;
    }
    if (word === '-' || !word.startsWith('-')) {
      operands.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const name = equals === -1 ? word : word.slice(0, equals);
    const key = keys.get(name);
    const option = key === undefined ? undefined : command.options[key];
    if (key === undefined || option === undefined) {
      throw new Mistake(`unknown option ${name} of ${command.name}${didYouMean(name, [...keys.keys()])}`);
    }
    const before = given.get(key) ?? [];
    if (before.length > 0 && option.repeats !== true) throw new Mistake(`${name} stands twice`);
    if (option.value === undefined) {
      if (equals !== -1) throw new Mistake(`${name} takes no value`);
      given.set(key, ['']);
      continue;
    }
    const value = equals === -1 ? words[++i] : word.slice(equals + 1);
    if (value === undefined || value === '') throw new Mistake(`${name} needs a value`);
    given.set(key, [...before, value]);
  }
  checkOperands(command, operands);
  return { given, operands };
}

function checkOperands(command: Command, operands: readonly string[]): void {
  const { name, commands } = command;
  if (commands !== undefined && operands[0] !== undefined) {
    const names = commands.map((one) => one.name);
    throw new Mistake(
      `${name} has no command ${operands[0]}${didYouMean(operands[0], names)} (it has ${names.join(', ')})`,
    );
  }
  const { synopsis, min, max, what } = command.operands ?? {
    synopsis: 'no operand',
    min: 0,
    max: 0,
    what: '',
  };
  if (operands.length < min) throw new Mistake(`${name} needs ${what}`);
  const extra = operands[max];
  if (extra === undefined || commands !== undefined) return;
  throw new Mistake(`${name} takes ${max === 0 ? synopsis : `one ${synopsis}`}: ${extra} is too much`);
}

function didYouMean(word: string, known: readonly string[]): string {
  const near = suggest(word, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
}
