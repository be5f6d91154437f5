/**
 * The program: a command line in, an exit code out. Results and the log go to standard output, mistakes to
 * standard error.
 */
import { suggest } from '../config/suggest.ts';
import { CannotRun, exitCode, Mistake } from './command.ts';
import { commandHelp, programHelp } from './command-help.ts';
import { commandWords, parseCommandLine } from './command-line.ts';
import { commands } from './commands/index.ts';
import { version } from './version.ts';

export async function cli(words: readonly string[]): Promise<number> {
  let broken: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error) => {
    broken ??= error;
  });
  let code: number;
  try {
    code = await perform(words);
  } catch (error) {
    if (!(error instanceof Mistake || error instanceof CannotRun)) throw error;
    code = error instanceof Mistake ? exitCode.badUsage : exitCode.cannotRun;
    process.stderr.write(`turnout: ${messageOf(error, words)}\n`);
  }
  await new Promise((resolve) => process.stdout.write('', resolve));
  // A reader that has seen enough (`turnout install | head`) is no failure.
  if (broken === undefined || broken.code === 'EPIPE') return code;
  process.stderr.write(`turnout: cannot write the output: ${broken.message}\n`);
  return exitCode.cannotRun;
}

async function perform(words: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(words, commands);
  switch (parsed.kind) {
    case 'version':
      process.stdout.write(`turnout ${version()}\n`);
      return exitCode.done;
    case 'help': {
      const [outer, ...inner] = parsed.commands;
      process.stdout.write(outer === undefined ? programHelp(commands) : commandHelp([outer, ...inner]));
      return exitCode.done;
    }
    case 'command':
      return parsed.command.start(parsed.given, parsed.operands, process);
  }
}

/** A mistake is one line, whatever the words hold. */
function messageOf(error: Error, words: readonly string[]): string {
  const known = commands.map(({ name }) => name);
  if (!(error instanceof Mistake)) {
    const near = known.includes(words[0] ?? '') ? undefined : suggest(words[0] ?? '', known);
    return near === undefined ? error.message : `${error.message}. Did you mean: turnout ${near}?`;
  }
  const help = ['turnout', commandWords(words, commands), '--help'].filter((word) => word !== '').join(' ');
  const message = error.message.replace(/\p{Cc}|[\u2028\u2029]/gu, '?');
  return `${message}${message.endsWith('?') ? '' : '.'} Try: ${help}`;
}
