import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import forge from 'node-forge';
import { appendClientCert, clientCertValue } from '../../../routers/headers/client-cert.ts';

function certificate(): X509Certificate {
  const keys = forge.pki.rsa.generateKeyPair({ bits: 1024, e: 65537 });
  const cert = forge.pki.createCertificate();
  cert.publicKey = keys.publicKey;
  cert.serialNumber = '01';
  cert.validity.notBefore = new Date(0);
  cert.validity.notAfter = new Date(4e12);
  const name = [
    { shortName: 'O', value: 'Acme, Inc' },
    { shortName: 'CN', value: 'web "quoted"' },
  ];
  cert.setSubject(name);
  cert.setIssuer(name);
  cert.setExtensions([
    {
      name: 'subjectAltName',
      altNames: [
        { type: 6, value: 'spiffe://cluster/ns/prod' },
        { type: 2, value: 'web.example.com' },
        { type: 7, ip: '127.0.0.1' },
        { type: 2, value: 'a;b, DNS:evil\r\nX: y' },
      ],
    },
  ]);
  cert.sign(keys.privateKey, forge.md.sha256.create());
  return new X509Certificate(forge.pki.certificateToPem(cert));
}

describe('clientCertValue', () => {
  it('has hash, names in order and subject, and no element that the certificate smuggles in', () => {
    const value = clientCertValue(certificate());
    assert.match(value, /^Hash=[0-9A-F]{64};/);
    assert.equal(
      value.slice('Hash='.length + 64),
      ';SAN=spiffe://cluster/ns/prod;DNS=web.example.com;DNS=a%3Bb%2C%20DNS:evil%0D%0AX:%20y' +
        ';Subject="CN=web \\"quoted\\",O=Acme\\, Inc"',
    );
  });

  it('leaves an empty subject out', () => {
    const value = clientCertValue({ raw: Buffer.from('x'), subject: '', subjectAltName: undefined });
    assert.match(value, /^Hash=[0-9A-F]{64}$/);
  });
});

describe('appendClientCert', () => {
  it('writes the presented certificate, else the received field, and only if forwarding is on', () => {
    assert.equal(appendClientCert('', true, 'r', 'p'), 'x-forwarded-client-cert: p\r\n');
    assert.equal(appendClientCert('', true, 'r', undefined), 'x-forwarded-client-cert: r\r\n');
    assert.equal(appendClientCert('', true, undefined, undefined), '');
    assert.equal(appendClientCert('', false, 'r', 'p'), '');
  });
});
