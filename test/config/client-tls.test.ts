import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { clientTlsFor } from '../../config/client-tls.ts';
import type { ClientTlsSpec } from '../../config/spec.ts';
import { readPath } from '../../dtab/parse.ts';
import { Failure } from '../../src/base/failure.ts';
import { good, router } from './harness.ts';

function chosen(client: string, id: string): unknown {
  const choice = clientTlsFor(router(`client: ${client}`).client, readPath(id));
  return choice instanceof Failure ? choice.message : choice;
}

describe('clientTlsFor', () => {
  it('is plain text without a tls object, and where the last one switches it off', () => {
    const off =
      '{kind: io.l5d.static, configs: ' +
      '[{prefix: /, tls: {commonName: a}}, {prefix: /b, tls: {enabled: false}}]}';
    assert.deepEqual(chosen('{}', '/a'), { type: 'plain' });
    assert.deepEqual(chosen(off, '/b/c'), { type: 'plain' });
    assert.deepEqual(chosen(off, '/c'), { type: 'tls', serverName: 'a', validate: true });
  });

  it('puts the captures of its own prefix into the name', () => {
    const client =
      '{kind: io.l5d.static, configs: ' +
      "[{prefix: '/{a}', tls: {commonName: '{a}.{b}', protocols: [TLSv1.3]}}]}";
    assert.deepEqual(chosen(client, '/x/y'), {
      type: 'tls',
      serverName: 'x.{b}',
      validate: true,
      protocols: ['TLSv1.3'],
    });
  });

  it('takes captures out of what a transformer has put its own name in front of', () => {
    const client =
      '{kind: io.l5d.static, configs: [' +
      '{prefix: "/%/io.l5d.port/4141/#/io.l5d.fs/{ns}/{service}", tls: {commonName: "{service}.{ns}"}}, ' +
      '{prefix: "/%/io.l5d.port/4141/#/io.l5d.fs/test", tls: {enabled: false}}]}';
    const named = { type: 'tls', serverName: 'web.prod', validate: true };
    assert.deepEqual(chosen(client, '/%/io.l5d.port/4141/#/io.l5d.fs/prod/web'), named);
    assert.deepEqual(chosen(client, '/%/io.l5d.port/4141/#/io.l5d.fs/test/web'), { type: 'plain' });
    assert.deepEqual(chosen(client, '/#/io.l5d.fs/prod/web'), { type: 'plain' });
  });

  it('fails, and is never plain, for a client that the strict names of an old config do not match', () => {
    const text = readFileSync(new URL('golden/issue-2016.yaml', import.meta.url), 'utf8');
    const section = good(text).spec.routers[1]?.client ?? [];
    const found = clientTlsFor(section, readPath('/#/ns/prod/router/hello'));
    assert.deepEqual(found, {
      type: 'tls',
      serverName: 'hello',
      validate: true,
      trustCerts: ['/certificates/cacertificate.pem'],
    });
    const refused = clientTlsFor(section, readPath('/$/inet/127.1/80'));
    assert.ok(refused instanceof Failure);
    assert.equal(
      refused.message,
      'Unable to match /$/inet/127.1/80 with available names: /#/ns/*/*/{service}',
    );
    assert.equal(refused.undelivered, true);
  });

  it('fails for a section that validates without a name, or trusts two things', () => {
    const tls: ClientTlsSpec = { enabled: true, disableValidation: false };
    const of = (spec: ClientTlsSpec): unknown => {
      const choice = clientTlsFor([{ prefix: '/', params: { tls: spec } }], readPath('/a'));
      return choice instanceof Failure && choice.kind;
    };
    assert.equal(of(tls), 'tls');
    assert.equal(of({ ...tls, commonName: 'a', trustCerts: ['b'], trustCertsBundle: 'c' }), 'tls');
    assert.equal(of({ ...tls, commonName: 'a' }), false);
  });
});
