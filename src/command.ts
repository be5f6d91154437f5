/**
 * What a command of the program is: its words, its options with the types of their values, and what it does.
 * One file a command in `commands/`; `commands/index.ts` is the table that parsing, help and completion read.
 * A command imports what is heavy when it runs, so that the others answer at once.
 */

/** A mistake on the command line: one line that says what to write instead. */
export class Mistake extends Error {}

/** The command was understood and cannot be carried out; the message says why and what to do. */
export class CannotRun extends Error {}

export const exitCode = { done: 0, cannotRun: 1, badUsage: 2, bug: 70 } as const;

/** `process` is one. */
export type Terminal = {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown };
};

export type Option<T> = {
  /** What stands for its value in the help; absent for a flag. */
  readonly value?: string;
  /** A second name of one letter: `-o`. */
  readonly short?: string;
  readonly help: string;
  /** May stand several times. */
  readonly repeats?: true;
  /** For completion: the words that it takes, or names of files. */
  readonly completes?: readonly string[] | 'file' | 'folder';
  /** Of the values in the order given; none when the option is absent. Throws a Mistake. */
  read(values: readonly string[], name: string): T;
};

export type Operands = {
  /** As in the help: `CONFIG`, `NAME...`, `[FILE]`. */
  readonly synopsis: string;
  readonly min: number;
  readonly max: number;
  /** `run needs ...` */
  readonly what: string;
  readonly completes?: readonly string[] | 'file';
};

type Options = Readonly<Record<string, Option<unknown>>>;
type ValuesOf<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

type CommandSpec<O extends Options> = {
  readonly name: string;
  /** One line, for the table of the help. */
  readonly summary: string;
  /** Lines below the synopsis in the command's own help. */
  readonly details?: string;
  readonly operands?: Operands;
  /** In camelCase; `outgoingPort` is `--outgoing-port`. */
  readonly options: O;
  /** Answers the exit code. */
  run(options: ValuesOf<O>, operands: readonly string[], terminal: Terminal): number | Promise<number>;
};

export type Command = Omit<CommandSpec<Options>, 'run'> & {
  /** The commands of a group, which does nothing itself. */
  readonly commands?: readonly Command[];
  /** `given` has the values of each option by its key. Throws a Mistake. */
  start(given: Given, operands: readonly string[], terminal: Terminal): number | Promise<number>;
};

export type Given = ReadonlyMap<string, readonly string[]>;

export function command<O extends Options>({ run, ...spec }: CommandSpec<O>): Command {
  return {
    ...spec,
    start(given, operands, terminal) {
      const values: Record<string, unknown> = {};
      for (const [key, option] of Object.entries(spec.options)) {
        values[key] = option.read(given.get(key) ?? [], optionName(key));
      }
      return run(values as ValuesOf<O>, operands, terminal);
    },
  };
}

/** Commands under one word: `turnout certs issue`. */
export function group(
  name: string,
  summary: string,
  commands: readonly Command[],
  details?: string,
): Command {
  return {
    name,
    summary,
    options: {},
    commands,
    ...(details === undefined ? {} : { details }),
    start() {
      throw new Mistake(`${name} needs one of ${commands.map((one) => one.name).join(', ')}`);
    },
  };
}

export function optionName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export function flag(help: string): Option<boolean> {
  return { help, read: (values) => values.length > 0 };
}

export function text(value: string, help: string): Option<string | undefined>;
export function text(value: string, help: string, preset: string): Option<string>;
export function text(value: string, help: string, preset?: string): Option<string | undefined> {
  return {
    value,
    help: preset === undefined ? help : `${help} (${preset})`,
    read: ([first]) => first ?? preset,
  };
}

/** A text that names a file or a folder. */
export function fileName(value: 'FILE', help: string): Option<string | undefined> {
  return { ...text(value, help), completes: 'file' };
}

export function folderName(help: string, preset: string): Option<string> {
  return { ...text('DIR', help, preset), completes: 'folder' };
}

/** May stand several times; one value may hold several, separated by commas. */
export function texts(value: string, help: string): Option<readonly string[]> {
  return {
    value,
    help,
    repeats: true,
    read: (values) => values.flatMap((one) => one.split(',')).map((one) => one.trim()),
  };
}

export function port(help: string, preset: number): Option<number> {
  return number('a port', 1, 65_535, help, preset);
}

export function number(what: string, min: number, max: number, help: string, preset: number): Option<number> {
  return {
    value: 'N',
    help: `${help} (${preset})`,
    read: ([first = String(preset)], name) => {
      const value = wholeNumber(first, min, max);
      if (value === undefined) throw new Mistake(`${name} takes ${what} from ${min} to ${max}, not ${first}`);
      return value;
    },
  };
}

export function wholeNumber(digits: string, min: number, max: number): number | undefined {
  if (!/^\d{1,9}$/.test(digits)) return undefined;
  const value = Number(digits);
  return value >= min && value <= max ? value : undefined;
}

/** One of some words. */
export function choice<T extends string>(words: readonly T[], help: string, preset: T): Option<T> {
  return {
    value: words.join('|'),
    help: `${help} (${preset})`,
    completes: words,
    read([first = preset], name) {
      const word = words.find((each) => each === first);
      if (word === undefined) throw new Mistake(`${name} takes ${words.join(' or ')}, not ${first}`);
      return word;
    },
  };
}
