/** `turnout certs verify [FILE...]`: whether certificates do what a router needs of them. */
import { command, exitCode, fileName, Mistake, texts } from '../command.ts';
import { folder } from './certs-ca.ts';

export const certsVerifyCommand = command({
  name: 'verify',
  summary: 'check chain, dates, usage, names and key of certificates',
  details: `  Without FILE: every .pem file of DIR but that of the authority. A FILE has the certificate,
  then those between it and the authority. A key beside it (web.key) is checked too.`,
  operands: { synopsis: '[FILE...]', min: 0, max: 100, what: 'a file', completes: 'file' },
  options: {
    dir: folder,
    ca: fileName('FILE', 'the certificates to trust (DIR/ca.pem)'),
    name: texts('NAME', 'a name that it must be for; may stand several times'),
    key: fileName('FILE', 'its key'),
  },
  async run({ dir, ca, name, key }, files, { stdout, stderr }) {
    if (key !== undefined && files.length !== 1)
      throw new Mistake('--key needs the one FILE that it belongs to');
    const { verifyFiles } = await import('../certificates/verify-files.ts');
    const results = verifyFiles({ folder: dir, files, caFile: ca, keyFile: key, names: name }, Date.now());
    for (const { line, good } of results) (good ? stdout : stderr).write(`${line}\n`);
    return results.every(({ good }) => good) ? exitCode.done : exitCode.cannotRun;
  },
});
