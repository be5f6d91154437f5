import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { verifyCertificate } from '../../src/certificates/verify.ts';
import { CertificateAuthority, pathLengthOf } from '../../src/certs.ts';

const certificates = (...pems: string[]): X509Certificate[] => pems.map((pem) => new X509Certificate(pem));

const root = await CertificateAuthority.create({ commonName: 'root' });
const middle = await root.intermediate({ commonName: 'middle' });
const web = await middle.issue({ commonName: 'web', dnsNames: ['web'] });
const trusted = certificates(root.certPem);

function problems(pems: readonly string[], trust = trusted, nowMs = Date.now()): string {
  return verifyCertificate({ certificates: certificates(...pems), trusted: trust, names: [] }, nowMs).join(
    '; ',
  );
}

describe('verifyCertificate', () => {
  it('finds the way to a trusted certificate, whatever the order of those between', async () => {
    assert.equal(problems([web.certPem, middle.certPem]), '');
    assert.equal(problems([web.certPem, root.certPem, middle.certPem]), '');
    assert.equal(problems([web.certPem], certificates(middle.certPem)), '');
    assert.equal(problems([web.certPem], certificates(web.certPem)), '');
  });

  it('tells an unknown CA, a namesake of the CA and a missing intermediate apart', async () => {
    const namesake = await CertificateAuthority.create({ commonName: 'root' });
    const leaf = await root.issue({ commonName: 'leaf' });
    assert.match(problems([web.certPem]), /^unknown CA: its issuer \(CN=middle\) is neither/);
    assert.match(
      problems([leaf.certPem], certificates(namesake.certPem)),
      /^its signature is not by the trusted CA/,
    );
    assert.match(
      problems([web.certPem, middle.certPem], certificates(namesake.certPem)),
      /leads to no trusted/,
    );
    assert.match(problems([namesake.certPem]), /^it is self-signed and not among the trusted/);
  });

  it('lets nobody sign who is no authority, or has too many authorities below', async () => {
    const forged = await CertificateAuthority.load([root.certPem], root.keyPem).issue({
      commonName: 'middle',
    });
    assert.match(problems([web.certPem, forged.certPem]), /^unknown CA|^its signature/);
    assert.equal(pathLengthOf(new X509Certificate(middle.certPem)), 0);
    assert.equal(pathLengthOf(new X509Certificate(root.certPem)), undefined);
    const lower = await middle.intermediate({ commonName: 'lower' });
    const leaf = await lower.issue({ commonName: 'leaf' });
    assert.match(problems([leaf.certPem, lower.certPem, middle.certPem]), /leads to no trusted certificate/);
  });

  it('looks at the dates of the whole chain', async () => {
    const dates = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
    const old = await CertificateAuthority.create({ commonName: 'old', ...dates });
    const leaf = await old.issue({ commonName: 'leaf' });
    assert.match(
      problems([leaf.certPem], certificates(old.certPem)),
      /^EXPIRED \d+ days ago: CN=old, which signs it$/,
    );
    const expired = await root.issue({ commonName: 'leaf', ...dates });
    assert.match(problems([expired.certPem]), /^EXPIRED \d+ days ago$/);
    assert.match(
      problems([expired.certPem], trusted, Date.parse('2019-12-31')),
      /NOT VALID before 2020-01-01/,
    );
  });

  it('tells everything that is wrong at once', async () => {
    const other = await root.issue({ commonName: 'api', dnsNames: ['api'] });
    const found = verifyCertificate(
      {
        certificates: certificates(web.certPem),
        trusted: certificates(other.certPem),
        names: ['web', 'api'],
        key: createPrivateKey(other.keyPem),
      },
      Date.now(),
    );
    assert.equal(found.length, 3);
    assert.match(
      found.join('\n'),
      /^unknown CA.*\nwrong name: it is not for "api".*\nthe key does not belong to it$/,
    );
  });
});
