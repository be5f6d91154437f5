/** `turnout certs ca`: a certificate authority of one's own. */
import { command, exitCode, flag, folderName, number, text } from '../command.ts';

const DAYS_MAX = 36_500;

export const rsa = flag('an RSA key of 2048 bits instead of EC P-256');
export const folder = folderName('the folder that holds the files', '.');
export const lifetime = (preset: number) =>
  number('a number of days', 1, DAYS_MAX, 'how many days it is valid', preset);

export const certsCaCommand = command({
  name: 'ca',
  summary: 'make a certificate authority: DIR/ca.pem and DIR/ca.key',
  options: {
    dir: folder,
    name: text('NAME', 'its common name', 'Turnout CA'),
    days: lifetime(3650),
    rsa,
  },
  async run({ dir, name, days, rsa }, _operands, { stdout }) {
    const { makeAuthority } = await import('../certificates/issue.ts');
    const wish = { folder: dir, commonName: name, days, keyType: rsa ? 'rsa' : 'ec' } as const;
    stdout.write((await makeAuthority(wish)).report);
    return exitCode.done;
  },
});
