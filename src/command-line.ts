/**
 * The command line, from words to a command. Pure; every mistake is one line that says what to write instead.
 * `turnout CONFIG` and `turnout -validate CONFIG` are the forms that linkerd 1.x has.
 */
export type Threads = number | 'auto';

export type DemoPorts = { readonly outgoing: number; readonly incoming: number; readonly admin: number };

export type Command =
  /** `config` is a file name, or `-` for standard input. */
  | { readonly name: 'run'; readonly config: string; readonly threads: Threads }
  | { readonly name: 'validate'; readonly config: string }
  | { readonly name: 'demo'; readonly ports: DemoPorts }
  | { readonly name: 'version' }
  | { readonly name: 'help' }
  | { readonly name: 'mistake'; readonly message: string };

export const usage = `turnout - a service-mesh router for every node

  turnout run CONFIG       route by CONFIG (YAML or JSON; - reads standard input)
  turnout CONFIG           the same
  turnout validate CONFIG  check CONFIG as a real start would; prints ok, or every mistake
  turnout demo             two routers, TLS between them, and applications to try it on

  --threads N|auto         data threads of run: 0 is none (one event loop), auto is one a core (auto)
  --outgoing-port N        port of the demo's outgoing router (4140)
  --incoming-port N        port of the demo's incoming router (4141)
  --admin-port N           port of the demo's admin server (9990)
  --version, --help

Exit codes: 0 done, 1 the configuration or a port cannot be used, 2 a mistake on the command line.
`;

const DEMO_PORTS: DemoPorts = { outgoing: 4140, incoming: 4141, admin: 9990 };
const THREADS_MAX = 256;

/** Options of each command, with their number of values: one. */
const OPTIONS: Readonly<Record<'run' | 'validate' | 'demo', readonly string[]>> = {
  run: ['--threads'],
  validate: [],
  demo: ['--outgoing-port', '--incoming-port', '--admin-port'],
};

export function parseCommandLine(words: readonly string[]): Command {
  if (words.includes('--help') || words.includes('-h') || words.includes('-help')) return { name: 'help' };
  if (words.includes('--version') || words.includes('-version')) return { name: 'version' };
  const [first, ...rest] = words;
  switch (first) {
    case undefined:
      return mistake('no command');
    case 'run':
      return parseOptions('run', rest);
    case 'demo':
      return parseOptions('demo', rest);
    case 'validate':
    case '-validate':
    case '--validate':
      return parseOptions('validate', rest);
    default:
      return parseOptions('run', words);
  }
}

function parseOptions(command: 'run' | 'validate' | 'demo', words: readonly string[]): Command {
  const values = new Map<string, string>();
  const files: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '-' || !word.startsWith('-')) {
      files.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const option = equals === -1 ? word : word.slice(0, equals);
    if (!OPTIONS[command].includes(option)) return mistake(`unknown option ${option} of ${command}`);
    if (values.has(option)) return mistake(`${option} stands twice`);
    const value = equals === -1 ? words[++i] : word.slice(equals + 1);
    if (value === undefined || value === '') return mistake(`${option} needs a value`);
    values.set(option, value);
  }
  return command === 'demo' ? demo(values, files) : withConfig(command, values, files);
}

function withConfig(
  command: 'run' | 'validate',
  values: ReadonlyMap<string, string>,
  files: readonly string[],
): Command {
  const [config, extra] = files;
  if (config === undefined)
    return mistake(`${command} needs a configuration: a file, or - for standard input`);
  if (extra !== undefined) return mistake(`one configuration is enough: ${config}, then ${extra}`);
  if (command === 'validate') return { name: 'validate', config };
  const threads = parseThreads(values.get('--threads') ?? 'auto');
  if (threads === undefined) {
    return mistake(
      `--threads takes auto or a number from 0 to ${THREADS_MAX}, not ${values.get('--threads')}`,
    );
  }
  return { name: 'run', config, threads };
}

function demo(values: ReadonlyMap<string, string>, files: readonly string[]): Command {
  if (files[0] !== undefined) return mistake(`demo takes no configuration, not ${files[0]}`);
  const ports = { ...DEMO_PORTS };
  const taken = new Map<number, string>();
  for (const role of ['outgoing', 'incoming', 'admin'] as const) {
    const option = `--${role}-port`;
    const port = wholeNumber(values.get(option) ?? String(ports[role]), 1, 65_535);
    if (port === undefined)
      return mistake(`${option} takes a port from 1 to 65535, not ${values.get(option)}`);
    const other = taken.get(port);
    if (other !== undefined) return mistake(`${other} and ${option} are both ${port}`);
    taken.set(port, option);
    ports[role] = port;
  }
  return { name: 'demo', ports };
}

function parseThreads(text: string): Threads | undefined {
  return text === 'auto' ? 'auto' : wholeNumber(text, 0, THREADS_MAX);
}

function wholeNumber(text: string, min: number, max: number): number | undefined {
  if (!/^\d{1,6}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

/** One line, whatever the words hold. */
const mistake = (message: string): Command => ({
  name: 'mistake',
  message: `turnout: ${message.replace(/\p{Cc}|[\u2028\u2029]/gu, '?')}. Try: turnout --help`,
});
