import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { clientRefusal, serverRefusal } from '../../../routers/tls/verification.ts';
import { CertificateAuthority } from '../../../src/certs.ts';
import { selfSigned } from '../../support/self-signed.ts';

const authority = await CertificateAuthority.create({ commonName: 'authority' });
const good = new X509Certificate((await authority.issue({ commonName: 'web', dnsNames: ['web'] })).certPem);

describe('A chain that OpenSSL does not trust', () => {
  const refusal = (certificate: X509Certificate, chainError: string) =>
    serverRefusal('web', { certificate, chainError }, Date.now());

  it('is explained where Node has no code for the reason', () => {
    const short = new X509Certificate(selfSigned('web', 1024).certPem);
    assert.match(refusal(short, 'UNSPECIFIED')?.text ?? '', /refused: its key is too short .*1024 bits/);
    const other = refusal(good, 'UNSPECIFIED');
    assert.deepEqual(other?.reasons, ['other']);
    assert.match(other?.text ?? '', /SHA-1 or MD5.*name that its authority may not sign.*critical extension/);
  });

  it('is told with the code when it is none that is known', () => {
    assert.match(refusal(good, 'CRL_HAS_EXPIRED')?.text ?? '', /refused: CRL_HAS_EXPIRED$/);
  });

  it('has an unknown CA when there are more authorities in it than one of them allows', () => {
    assert.deepEqual(refusal(good, 'PATH_LENGTH_EXCEEDED')?.reasons, ['unknown_ca']);
  });

  it('says which side a certificate is not for', () => {
    const client = clientRefusal({ certificate: good, chainError: 'INVALID_PURPOSE' }, Date.now());
    assert.deepEqual(client?.reasons, ['wrong_usage']);
    assert.match(client?.text ?? '', /may not be used by a client/);
  });
});
