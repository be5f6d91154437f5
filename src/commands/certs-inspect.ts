/** `turnout certs inspect FILE...`: what stands in certificates. */
import { command, exitCode } from '../command.ts';

export const certsInspectCommand = command({
  name: 'inspect',
  summary: 'show names, issuer, dates, key and fingerprint of each certificate in FILE',
  operands: {
    synopsis: 'FILE...',
    min: 1,
    max: 100,
    what: 'a file, or - for standard input',
    completes: 'file',
  },
  options: {},
  async run(_options, files, { stdout }) {
    const { inspectFile } = await import('../certificates/inspect.ts');
    for (const [i, file] of files.entries())
      stdout.write(`${i > 0 ? '\n' : ''}${inspectFile(file, Date.now())}`);
    return exitCode.done;
  },
});
