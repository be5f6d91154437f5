import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { notBuiltKeys, notBuiltKinds, notBuiltProtocols } from '../../config/not-built.ts';
import { load, routerText } from './harness.ts';

const documentation = readFileSync(new URL('../../docs/config.md', import.meta.url), 'utf8');
const listed = documentation.slice(documentation.indexOf('## Not supported yet'));

/** A configuration in which an object of this kind stands where its family belongs. */
const withKind: Readonly<Record<keyof typeof notBuiltKinds, (object: string) => string>> = {
  namer: (object) => `namers: [${object}]\n${routerText('')}`,
  interpreter: (object) => routerText(`interpreter: ${object}`),
  identifier: (object) => routerText(`identifier: ${object}`),
};

function codes(text: string): string[] {
  const loaded = load(text);
  return 'errors' in loaded ? loaded.errors.map((error) => error.code) : [];
}

describe('What linkerd has and Turnout has not', () => {
  for (const [family, rows] of Object.entries(notBuiltKinds)) {
    for (const [kind, row] of Object.entries(rows)) {
      it(`is known, checked and refused: ${family} ${kind}`, () => {
        const wrap = withKind[family as keyof typeof withKind];
        const known = codes(wrap(`{kind: ${kind}, nonsense: 1}`));
        assert.ok(known.includes('not-supported'), known.join());
        assert.ok(known.includes('unknown-key'));
        assert.equal(known.includes('experimental'), 'experimental' in row);
        assert.ok(!codes(wrap(`{kind: ${kind}, experimental: true}`)).includes('experimental'));
      });

      it(`is listed in docs/config.md: ${family} ${kind}`, () => {
        assert.ok(listed.includes(`\`${kind}\``));
      });
    }
  }

  for (const protocol of notBuiltProtocols) {
    it(`is known, checked and refused: protocol ${protocol}`, () => {
      const found = codes(`routers: [{protocol: ${protocol}, servers: [{prot: 1}]}]`);
      assert.ok(found.includes('not-supported'));
      assert.ok(found.includes('unknown-key'));
      assert.equal(found.includes('experimental'), protocol === 'thriftmux');
      assert.ok(listed.includes(`\`${protocol}\``));
    });
  }

  it('is listed in docs/config.md: every key', () => {
    for (const keys of Object.values(notBuiltKeys)) {
      for (const key of Object.keys(keys)) assert.ok(listed.includes(`\`${key}`), key);
    }
  });

  it('is accepted as far as it asks for nothing that is not there', () => {
    const nothing = 'announcers: []\ncompressionLevel: 0';
    assert.deepEqual(codes(routerText(nothing)), []);
    for (const keys of [
      'announcers: [{kind: io.l5d.serversets, zkAddrs: [{host: a, port: 1}]}]',
      'compressionLevel: 1',
      'compressionLevel: -1',
      'client: {requestAuthorizers: [{kind: io.l5d.k8s.istio}]}',
    ]) {
      assert.deepEqual(codes(routerText(keys)), ['not-supported'], keys);
    }
  });
});
