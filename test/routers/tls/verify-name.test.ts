import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type CertificateNames, verifyPeerName } from '../../../routers/tls/verify-name.ts';

const vectors: {
  name: string;
  op: string;
  serverName: string;
  certificate: CertificateNames;
  expect: { accepted: boolean };
}[] = JSON.parse(readFileSync(new URL('../../vectors/tls-common-name.json', import.meta.url), 'utf8'));

const dns = (...dnsAltNames: string[]): CertificateNames => ({ dnsAltNames });
const cn = (name: string): CertificateNames => ({ cn: name, dnsAltNames: [] });

describe('verifyPeerName', () => {
  for (const vector of vectors.filter((v) => v.op === 'verify-peer')) {
    it(`agrees with the vector "${vector.name}"`, () => {
      assert.equal(verifyPeerName(vector.serverName, vector.certificate), vector.expect.accepted);
    });
  }

  it('lets the DNS names decide when there are any, whatever the common name says', () => {
    assert.equal(verifyPeerName('web', { cn: 'web', dnsAltNames: ['other'] }), false);
  });

  it('falls back to the common name when the alternative names hold no DNS name', () => {
    assert.equal(verifyPeerName('web', { cn: 'web', dnsAltNames: [], ipAltNames: ['10.0.0.1'] }), true);
  });

  it('ignores case and the dot of the root', () => {
    assert.equal(verifyPeerName('Bill.Buoyant.IO', dns('bill.buoyant.io')), true);
    assert.equal(verifyPeerName('web.example.com.', dns('web.example.com')), true);
  });

  it('takes a wildcard for exactly one label, the first', () => {
    assert.equal(verifyPeerName('a.b.example.com', dns('*.example.com')), false);
    assert.equal(verifyPeerName('example.com', dns('*.example.com')), false);
    assert.equal(verifyPeerName('.example.com', dns('*.example.com')), false);
    assert.equal(verifyPeerName('a.b.com', dns('a.*.com')), false);
    assert.equal(verifyPeerName('ab.example.com', dns('a*.example.com')), false);
    assert.equal(verifyPeerName('a.example.com', cn('*.example.com')), true);
  });

  it('refuses wildcards that speak for everyone', () => {
    assert.equal(verifyPeerName('web', dns('*')), false);
    assert.equal(verifyPeerName('example.com', dns('*.com')), false);
    assert.equal(verifyPeerName('a.b.com', dns('*.*.com')), false);
  });

  it('accepts an expected name that is itself the wildcard of the certificate', () => {
    assert.equal(verifyPeerName('*.foo.com', dns('*.foo.com')), true);
  });

  it('matches an IP address only with an IP alternative name, in any of its forms', () => {
    assert.equal(verifyPeerName('127.0.0.1', dns('127.0.0.1')), false);
    assert.equal(verifyPeerName('127.0.0.1', cn('127.0.0.1')), false);
    assert.equal(verifyPeerName('::1', { dnsAltNames: [], ipAltNames: ['0:0:0:0:0:0:0:1'] }), true);
    assert.equal(verifyPeerName('10.0.0.1', { dnsAltNames: [], ipAltNames: ['10.0.0.1'] }), true);
  });

  it('compares international names in their ASCII form', () => {
    assert.equal(verifyPeerName('bücher.example', dns('xn--bcher-kva.example')), true);
  });

  it('never accepts an empty name, and never throws', () => {
    assert.equal(verifyPeerName('', dns('')), false);
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary-ascii' }),
        fc.string({ unit: 'binary-ascii' }),
        (expected, presented) => {
          assert.equal(typeof verifyPeerName(expected, dns(presented)), 'boolean');
        },
      ),
    );
  });

  it('accepts a name without wildcard only when it is equal, but for case', () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    fc.assert(
      fc.property(name, name, (expected, presented) => {
        assert.equal(verifyPeerName(expected, dns(presented)), expected === presented);
      }),
    );
  });
});
