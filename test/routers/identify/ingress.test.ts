import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { RouterSpec } from '../../../config/spec.ts';
import {
  IngressMatcher,
  type IngressRoute,
  type IngressRules,
} from '../../../routers/identify/ingress-rules.ts';
import { PathPattern } from '../../../routers/identify/path-pattern.ts';
import { failed, ok, type State } from '../../../src/base/activity.ts';
import { Failure } from '../../../src/base/failure.ts';
import { noSocketsLeft, Rig } from '../../support/rig.ts';
import { ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

/** `host type path`, `*` standing for every host; the backend's service is the text itself. */
function matcher(routes: readonly string[], fallback?: string): IngressMatcher<string> {
  return new IngressMatcher(
    {
      routes: routes.map((text): IngressRoute => {
        const [host = '', type, path = ''] = text.split(' ');
        return {
          host: host === '*' ? '' : host,
          type: type as IngressRoute['type'],
          path,
          backend: ['default', '80', text],
        };
      }),
      ...(fallback !== undefined && { defaultBackend: ['default', '80', fallback] }),
    },
    ([, , service]) => service,
  );
}

describe('The rules of Ingress objects', () => {
  /** The examples of the API's documentation. */
  const table: [type: string, path: string, request: string, matches: boolean][] = [
    ['prefix', '/', '/any/path', true],
    ['prefix', '', '/any', true],
    ['exact', '/foo', '/foo', true],
    ['exact', '/foo', '/bar', false],
    ['exact', '/foo', '/foo/', false],
    ['exact', '/foo/', '/foo', false],
    ['prefix', '/foo', '/foo', true],
    ['prefix', '/foo', '/foo/', true],
    ['prefix', '/foo/', '/foo', true],
    ['prefix', '/foo/', '/foo/', true],
    ['prefix', '/aaa/bb', '/aaa/bbb', false],
    ['prefix', '/aaa/bbb', '/aaa/bbb', true],
    ['prefix', '/aaa/bbb/', '/aaa/bbb', true],
    ['prefix', '/aaa/bbb', '/aaa/bbb/', true],
    ['prefix', '/aaa/bbb', '/aaa/bbb/ccc', true],
    ['prefix', '/aaa/bbb', '/aaa/bbbxyz', false],
    ['prefix', '/foo', '/FOO', false],
  ];
  for (const [type, path, request, matches] of table) {
    it(`${matches ? 'match' : 'do not match'}: ${type} ${path || '(no path)'} and ${request}`, () => {
      assert.equal(matcher([`* ${type} ${path}`]).match('web', request) !== undefined, matches);
    });
  }

  it('prefer the longest path, then an exact one, then the first', () => {
    const rules = matcher(['* prefix /', '* prefix /a/b', '* exact /a/b', '* prefix /a', '* prefix /a/']);
    assert.equal(rules.match('web', '/a/b'), '* exact /a/b');
    assert.equal(rules.match('web', '/a/b/c'), '* prefix /a/b');
    assert.equal(rules.match('web', '/a/x'), '* prefix /a');
    assert.equal(rules.match('web', '/x'), '* prefix /');
  });

  it('look up no more of a long path than a prefix could be', () => {
    const rules = matcher(['* prefix /a/a', '* prefix /aa']);
    const segments = '/a'.repeat(4000);
    assert.equal(rules.match('web', segments), '* prefix /a/a');
    assert.equal(rules.match('web', '/aab/c'), undefined);
    assert.equal(rules.match('web', '/a'), undefined);
    const startedMs = performance.now();
    for (let i = 0; i < 1000; i++) rules.match('web', `/b${i}${segments}`);
    assert.ok(performance.now() - startedMs < 2000);
  });

  it('prefer a host to a wildcard, and a wildcard, which is one label, to no host', () => {
    const rules = matcher(['* prefix /', '*.foo.com prefix /', 'bar.foo.com prefix /bar']);
    assert.equal(rules.match('bar.foo.com', '/bar/x'), 'bar.foo.com prefix /bar');
    assert.equal(rules.match('bar.foo.com', '/other'), '*.foo.com prefix /');
    assert.equal(rules.match('x.foo.com', '/'), '*.foo.com prefix /');
    for (const host of ['foo.com', 'a.b.foo.com', '.foo.com', 'foo', '']) {
      assert.equal(rules.match(host, '/'), '* prefix /', host);
    }
  });

  it('use the default backend for what no rule matches', () => {
    const rules = matcher(['web prefix /a'], 'fallback');
    assert.equal(rules.match('web', '/b'), 'fallback');
    assert.equal(rules.match('shop', '/a'), 'fallback');
    assert.equal(matcher(['web prefix /a']).match('web', '/b'), undefined);
  });

  it('rank a pattern by its length', () => {
    const rules = matcher(['* prefix /users', '* pattern /users/[^/]+/orders', '* pattern /u.*']);
    assert.equal(rules.match('web', '/users/1/orders'), '* pattern /users/[^/]+/orders');
    assert.equal(rules.match('web', '/users/1'), '* prefix /users');
    assert.equal(rules.match('web', '/u1'), '* pattern /u.*');
  });
});

describe('A pattern of a path', () => {
  it('means what the same regular expression means, for the whole path', () => {
    const atom = fc.constantFrom('a', 'b', '/', '.', '[^/]', '\\.', '-');
    const part = fc.tuple(atom, fc.constantFrom('', '', '*', '+', '?')).map(([a, q]) => a + q);
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '-'), maxLength: 12 }),
        (parts, path) => {
          const text = parts.join('');
          const pattern = PathPattern.of(text);
          assert.ok(pattern !== undefined, text);
          assert.equal(pattern.matches(path), new RegExp(`^(?:${text})$`, 's').test(path), `${text} ${path}`);
        },
      ),
    );
  });

  it('takes no longer for a hostile one', () => {
    const pattern = PathPattern.of(`${'.*a'.repeat(60)}b`);
    const startedMs = performance.now();
    assert.equal(pattern?.matches('a'.repeat(4000)), false);
    assert.ok(performance.now() - startedMs < 1000);
  });

  it('is nothing that says more, and a plain path is none', () => {
    for (const text of ['/(a|b)', '/a{2}', '/[a-z]', '/**', '/\\d', 'x'.repeat(300)]) {
      assert.equal(PathPattern.of(text), undefined, text);
    }
    for (const text of ['/', '/a.b/c-d', '/index.html'])
      assert.equal(PathPattern.isPattern(text), false, text);
    for (const text of ['/.*', '/a+', '/[^/]*', '/(a|b)', '/a$'])
      assert.ok(PathPattern.isPattern(text), text);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, path) => void PathPattern.of(text)?.matches(path)),
    );
  });
});

describe('io.l5d.ingress', () => {
  const router: Partial<RouterSpec> = {
    identifiers: [
      {
        kind: 'io.l5d.ingress',
        ingressClass: 'linkerd',
        ignoreDefaultBackends: false,
        api: {},
      },
    ],
    bindingTimeoutMs: 2000,
  };
  const table: State<IngressRules> = ok({
    routes: [{ host: 'web.example', type: 'prefix', path: '/', backend: ['prod', 'http', 'web'] }],
  });
  const GET = 'GET /x?y HTTP/1.1\r\nHost: WEB.example:8080\r\n\r\n';

  let backend: ScriptedBackend;
  let rig: Rig;
  beforeEach(async () => {
    backend = await ScriptedBackend.start();
    rig = await Rig.start({ router });
    rig.bind('prod/http/web', [backend]);
  });
  afterEach(async () => {
    await rig.close();
    await backend.close();
  });
  after(noSocketsLeft);

  it('names by the host in lower case, without port and last dot, and the path; anything else is 400', async () => {
    rig.ingress.set(table);
    const client = await rig.connect();
    for (const request of [GET, GET.replace('.example', '.example.')]) {
      client.send(request);
      assert.equal((await client.answer()).status, 200);
    }
    client.send('GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n');
    const refused = await client.answer();
    assert.equal(refused.status, 400);
    assert.match(refused.body, /no ingress rule matches/);
  });

  it('lets requests wait for the first table, at most for the binding timeout', async () => {
    const client = await rig.connect();
    client.send(GET);
    await until(() => rig.serverStat('connections') === 1, 'the caller');
    await settled();
    assert.equal(client.text, '');
    rig.ingress.set(table);
    assert.equal((await client.answer()).status, 200);
  });

  it('answers 502 when there is none at the binding timeout', async () => {
    const client = await rig.connect();
    client.send(GET);
    await until(() => rig.clock.pending > 0, 'the request');
    await settled();
    rig.clock.advance(2050);
    const answer = await client.answer();
    assert.equal(answer.status, 502);
    assert.match(answer.body, /the Ingress objects of the cluster have not been read yet/);
  });

  it('forgets a caller that went away while it waited', async () => {
    const client = await rig.connect();
    client.send(GET);
    await settled();
    client.reset();
    await until(() => rig.server.connections === 0, 'the end of the caller');
    rig.ingress.set(table);
    assert.equal(backend.requests.length, 0);
  });

  it('answers no other request in the place of one whose time was over while it waited', async () => {
    await rig.close();
    rig = await Rig.start({ router, server: { timeoutMs: 1500 } });
    const client = await rig.connect();
    client.send(GET);
    await until(() => rig.serverStat('received_bytes') === GET.length, 'the first request');
    rig.clock.advance(1550);
    assert.equal((await client.answer()).status, 503);
    client.send(GET);
    await until(() => rig.serverStat('received_bytes') === 2 * GET.length, 'the second request');
    // The binding timeout of the first.
    rig.clock.advance(500);
    await settled();
    assert.equal(client.text, '');
    rig.bind('prod/http/web', [backend]);
    rig.ingress.set(table);
    assert.equal((await client.answer()).status, 200);
    assert.equal(backend.requests.length, 1);
  });

  it('says why the cluster cannot be asked, and keeps the last table', async () => {
    rig.ingress.set(failed(new Failure('naming', 'no "list" for ingresses')));
    const client = await rig.connect();
    client.send(GET);
    const refused = await client.answer();
    assert.equal(refused.status, 502);
    assert.match(refused.body, /no "list" for ingresses/);
    rig.ingress.set(table);
    rig.ingress.set(failed(new Failure('naming', 'gone')));
    client.send(GET);
    assert.equal((await client.answer()).status, 200);
  });
});
