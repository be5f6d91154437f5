import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { command, flag, group, Mistake, number, text, texts } from '../../src/command.ts';
import { commandHelp, programHelp } from '../../src/command-help.ts';
import { commandWords, parseCommandLine } from '../../src/command-line.ts';
import { commands } from '../../src/commands/index.ts';

type Call = { command: string; options: object; operands: readonly string[] };

/** A table whose commands say how they were called. */
function table(calls: Call[]) {
  const options = {
    dir: text('DIR', 'where', '.'),
    name: text('NAME', 'a name'),
    san: texts('NAME', 'more names'),
    days: number('a number of days', 1, 100, 'how long', 7),
    dryRun: flag('writes nothing'),
  };
  const recorded = (name: string, min: number, max: number) =>
    command({
      name,
      summary: `what ${name} does`,
      operands: { synopsis: 'FILE', min, max, what: 'a file' },
      options,
      run(values, operands) {
        calls.push({ command: name, options: values, operands });
        return 0;
      },
    });
  return [
    recorded('run', 1, 1),
    recorded('validate', 1, 1),
    command({ name: 'bare', summary: 'takes nothing', options: {}, run: () => 0 }),
    group('certs', 'of certificates', [recorded('issue', 1, 3), recorded('verify', 0, 3)]),
  ];
}

const words = (line: string): string[] => (line === '' ? [] : line.split(' '));

async function called(line: string): Promise<Call> {
  const calls: Call[] = [];
  const parsed = parseCommandLine(words(line), table(calls));
  assert.equal(parsed.kind, 'command');
  if (parsed.kind === 'command') await parsed.command.start(parsed.given, parsed.operands, process);
  return calls[0] ?? assert.fail('nothing was called');
}

/** The message of the mistake in a line, made by the words or by the value of an option. */
function mistake(line: string, commands = table([])): string {
  try {
    const parsed = parseCommandLine(words(line), commands);
    if (parsed.kind === 'command') parsed.command.start(parsed.given, parsed.operands, process);
  } catch (error) {
    if (error instanceof Mistake) return error.message;
    throw error;
  }
  return assert.fail(`no mistake in: ${line}`);
}

describe('parseCommandLine', () => {
  it('runs a configuration with and without the word', async () => {
    for (const line of ['run a.yaml', 'a.yaml']) {
      const { command, operands } = await called(line);
      assert.deepEqual([command, operands], ['run', ['a.yaml']]);
    }
    for (const line of ['run -', '-']) assert.deepEqual((await called(line)).operands, ['-']);
  });

  it('validates in the forms that there are', async () => {
    for (const line of ['validate a.yaml', '-validate a.yaml', '--validate a.yaml']) {
      const { command, operands } = await called(line);
      assert.deepEqual([command, operands], ['validate', ['a.yaml']]);
    }
  });

  it('finds the commands of a group', async () => {
    const { command, operands } = await called('certs issue a b');
    assert.deepEqual([command, operands], ['issue', ['a', 'b']]);
    assert.match(mistake('certs'), /^certs needs one of issue, verify$/);
    assert.match(
      mistake('certs isue a'),
      /^certs has no command isue; did you mean issue\? \(it has issue, verify\)$/,
    );
  });

  it('takes options before and after operands, with = and without, and their values by type', async () => {
    const { options, operands } = await called(
      'certs issue --dir=x a --days 9 --san b,c --san d --dry-run e',
    );
    assert.deepEqual(options, { dir: 'x', name: undefined, san: ['b', 'c', 'd'], days: 9, dryRun: true });
    assert.deepEqual(operands, ['a', 'e']);
    const { options: presets } = await called('certs issue a');
    assert.deepEqual(presets, { dir: '.', name: undefined, san: [], days: 7, dryRun: false });
  });

  it('takes everything after -- for operands', async () => {
    assert.deepEqual((await called('certs issue -- --help --days')).operands, ['--help', '--days']);
  });

  it('says what is wrong with options', () => {
    assert.match(mistake('run a --dirr x'), /^unknown option --dirr of run; did you mean --dir\?$/);
    assert.match(mistake('run a --dir'), /^--dir needs a value$/);
    assert.match(mistake('run a --dir='), /^--dir needs a value$/);
    assert.match(mistake('run a --dir x --dir y'), /^--dir stands twice$/);
    assert.match(mistake('run a --dry-run=yes'), /^--dry-run takes no value$/);
    for (const days of ['0', '101', '-1', 'x', '1.5']) {
      const expected = `--days takes a number of days from 1 to 100, not ${days}`;
      assert.equal(mistake(`run a --days ${days}`), expected);
    }
  });

  it('says what is wrong with operands', () => {
    assert.match(mistake(''), /^no command$/);
    assert.match(mistake('run'), /^run needs a file$/);
    assert.match(mistake('run a b'), /^run takes one FILE: b is too much$/);
    assert.match(mistake('bare a'), /^bare takes no operand: a is too much$/);
  });

  it('shows help and version wherever they are asked for', () => {
    const help = (line: string): string[] => {
      const parsed = parseCommandLine(words(line), table([]));
      assert.equal(parsed.kind, 'help');
      return parsed.kind === 'help' ? parsed.commands.map(({ name }) => name) : [];
    };
    assert.deepEqual(help('--help'), []);
    assert.deepEqual(help('-h run'), []);
    assert.deepEqual(help('run -h'), ['run']);
    assert.deepEqual(help('run --nonsense --help'), ['run']);
    assert.deepEqual(help('certs --help'), ['certs']);
    assert.deepEqual(help('certs issue --help'), ['certs', 'issue']);
    assert.deepEqual(parseCommandLine(['--version'], table([])), { kind: 'version' });
    assert.equal(commandWords(words('certs issue --nope'), table([])), 'certs issue');
  });

  it('answers any words with a command, help, or a mistake', () => {
    const word = fc.oneof(
      fc.constantFrom('run', 'certs', 'issue', 'bare', '-', '--', '--dir', '--days', '--san', '1', '--help'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (some) => {
        try {
          parseCommandLine(some, table([]));
        } catch (error) {
          assert.ok(error instanceof Mistake);
        }
      }),
    );
  });
});

describe('The commands of the program', () => {
  it('have names, options and operands that the help shows', () => {
    const overview = programHelp(commands);
    for (const command of commands) {
      const row = overview.split('\n').find((line) => line.startsWith(`  turnout ${command.name} `));
      assert.ok(row?.endsWith(command.summary), overview);
      for (const inner of command.commands ?? []) {
        assert.match(commandHelp([command]), new RegExp(`^  turnout ${command.name} ${inner.name}\\b`, 'm'));
      }
    }
    const run = commandHelp([commands[0] ?? assert.fail()]);
    assert.match(run, /^turnout run CONFIG\n/);
    assert.match(run, /^ {2}--threads N\|auto +data threads/m);
  });

  it('fit a terminal of 110 columns', () => {
    const pages = commands.flatMap((command) => [
      commandHelp([command]),
      ...(command.commands ?? []).map((inner) => commandHelp([command, inner])),
    ]);
    for (const line of [programHelp(commands), ...pages].join('\n').split('\n')) {
      assert.ok(line.length <= 110, line);
    }
  });

  it('check the values of their options', () => {
    assert.match(
      mistake('a.yaml --threads many', [...commands]),
      /--threads takes auto or a number from 0 to 256, not many/,
    );
    assert.match(
      mistake('demo --admin-port 4140', [...commands]),
      /--outgoing-port and --admin-port are both 4140/,
    );
    assert.match(
      mistake('demo --admin-port 0', [...commands]),
      /--admin-port takes a port from 1 to 65535, not 0/,
    );
    assert.match(mistake('run', [...commands]), /run needs a configuration: a file, or - for standard input/);
    assert.match(mistake('help nope', [...commands]), /there is no command nope/);
  });
});
