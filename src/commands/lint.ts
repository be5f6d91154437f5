/** `turnout lint CONFIG`: what is valid and cannot be meant. */
import { CannotRun, command, exitCode } from '../command.ts';
import { readConfig } from '../read-config.ts';
import { outputOption, paintFor } from './common.ts';

export const lintCommand = command({
  name: 'lint',
  summary: 'find entries that are never used, loops and unknown namers in CONFIG',
  details: `  Rules: shadowed, unreachable, duplicate (entries that no name comes to), loop, unknown-namer,
  shadowed-namer (two namers of one prefix). No service is asked. Exit code 1: something was found.`,
  operands: {
    synopsis: 'CONFIG',
    min: 1,
    max: 1,
    what: 'a configuration: a file, or - for standard input',
    completes: 'file',
  },
  options: { output: outputOption },
  async run({ output }, [name = '-'], { stdin, stdout }) {
    const config = await readConfig(name, stdin);
    const { loadConfig } = await import('../../config/load.ts');
    const { renderDiagnostic } = await import('../../config/errors.ts');
    const loaded = loadConfig(config.text, { source: config.source });
    if ('errors' in loaded) throw new CannotRun(loaded.errors.map(renderDiagnostic).join('\n'));
    const { lint } = await import('../lint/lint.ts');
    const findings = await lint(loaded.spec);
    const paint = paintFor(stdout);
    const lines = config.text.split('\n');
    if (output === 'json') stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
    else {
      for (const { source, line, column, rule, message } of findings) {
        const place = line === undefined ? source : `${source}:${line}:${column}`;
        stdout.write(`${place}: ${paint.yellow(rule)}: ${message}\n`);
        const text = line === undefined || source !== config.source ? undefined : lines[line - 1];
        if (text === undefined || column === undefined) continue;
        const gutter = `  ${line} | `;
        const caret = `${' '.repeat(gutter.length - 2)}| ${' '.repeat(column - 1)}${paint.yellow('^')}`;
        stdout.write(`${paint.dim(gutter)}${text.trimEnd()}\n${caret}\n`);
      }
      if (findings.length === 0) stdout.write('nothing found\n');
    }
    return findings.length === 0 ? exitCode.done : exitCode.cannotRun;
  },
});
