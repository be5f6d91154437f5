import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { IdentifierSpec } from '../../../config/spec.ts';
import { Path } from '../../../dtab/path.ts';
import { Fields } from '../../../routers/fields.ts';
import type { RequestHead } from '../../../routers/head.ts';
import { makeH2Identifier } from '../../../routers/identify/h2.ts';
import { makeIdentifier } from '../../../routers/identify/index.ts';
import { NameMemo } from '../../../routers/identify/name-memo.ts';
import { isShowable, labelText } from '../../../routers/identify/name-text.ts';
import { parsePath } from '../../../routers/identify/parse-path.ts';
import { Failure } from '../../../src/base/failure.ts';

type Request = { target?: string; method?: string; minor?: number; headers?: [string, string][] };

function head({ target = '/', method = 'GET', minor = 1, headers = [] }: Request): RequestHead {
  return { method, target, minor, fields: Fields.of(headers) };
}

function identify(specs: IdentifierSpec[], request: Request, prefix = '/svc'): string | Failure {
  return makeIdentifier(specs, prefix).identify(head(request), { peer: '1.2.3.4:5' });
}

function messageOf(answer: string | Failure): string {
  assert.ok(answer instanceof Failure, `${answer} is no failure`);
  return answer.message;
}

const token: IdentifierSpec = { kind: 'io.l5d.header.token', header: 'Host' };
const path = (segments: number, consume = false): IdentifierSpec => ({
  kind: 'io.l5d.path',
  segments,
  consume,
});
const host = (value: string): [string, string][] => [['Host', value]];

describe('io.l5d.header.token', () => {
  it('makes one label of the value, as received', () => {
    assert.equal(identify([token], { headers: host('Web:8080') }), '/svc/Web:8080');
    assert.equal(identify([token], { headers: host('a/b') }), '/svc/\\x61\\x2f\\x62');
    assert.equal(identify([token], { headers: host('web') }, '/'), '/web');
  });

  it('prints what Path prints, for any value and again', () => {
    const identifier = makeIdentifier([token], '/svc');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
        const value = Buffer.from(bytes).toString('latin1');
        const expected = Path.of('svc', value).show;
        assert.equal(identifier.identify(head({ headers: host(value) }), { peer: '' }), expected);
        assert.equal(identifier.identify(head({ headers: host(value) }), { peer: '' }), expected);
        const read = parsePath(expected, 'name');
        assert.ok(read instanceof Path);
        assert.deepEqual(read.segments, ['svc', value]);
      }),
    );
  });

  it('says which header is missing, who asked, and what for', () => {
    const answer = identify([token], { target: '/p', headers: host('') });
    assert.equal(
      messageOf(answer),
      'Unknown destination: Request("GET /p", from /1.2.3.4:5) / Host header is absent',
    );
    assert.equal((answer as Failure).kind, 'unidentified');
  });

  it('shows a long target in part', () => {
    const answer = identify([token], { target: `/${'x'.repeat(4000)}` });
    assert.ok(messageOf(answer).length < 400);
  });

  it('finds headers that share an id with others by their name', () => {
    const spec: IdentifierSpec = { kind: 'io.l5d.header.token', header: 'L5d-Name' };
    assert.equal(
      identify([spec], {
        headers: [
          ['l5d-foo', 'no'],
          ['l5d-name', 'yes'],
        ],
      }),
      '/svc/yes',
    );
    const refresh: IdentifierSpec = { kind: 'io.l5d.header.token', header: 'refresh' };
    assert.match(
      messageOf(identify([refresh], { headers: [['Location', 'x']] })),
      /refresh header is absent$/,
    );
  });
});

describe('io.l5d.header', () => {
  const spec: IdentifierSpec = { kind: 'io.l5d.header', header: 'l5d-name' };

  it('appends the path to the prefix, in printed form', () => {
    assert.equal(identify([spec], { headers: [['l5d-name', '/a/\\x62']] }), '/svc/a/b');
    assert.equal(identify([spec], { headers: [['l5d-name', '/']] }), '/svc');
    assert.equal(identify([spec], { headers: [['l5d-name', '/']] }, '/'), '/');
  });

  it('does not go on to the next identifier after a value that is no path', () => {
    const answer = identify([spec, token], {
      headers: [
        ['l5d-name', 'one'],
        ['Host', 'web'],
      ],
    });
    assert.match(messageOf(answer), /^Unknown destination: .* \/ l5d-name:1:1: /);
  });
});

describe('io.l5d.path', () => {
  it('takes the first segments and leaves the target alone', () => {
    const request = head({ target: '/a/b/c?x=/y' });
    assert.equal(makeIdentifier([path(2)], '/svc').identify(request, { peer: '' }), '/svc/a/b');
    assert.equal(request.target, '/a/b/c?x=/y');
  });

  it('escapes labels one by one', () => {
    assert.equal(identify([path(2)], { target: '/a+b/c' }), '/svc/\\x61\\x2b\\x62/c');
  });

  it('does not count empty pieces at the end', () => {
    for (const target of ['/', '', '*', '?a/b', '///', '/?/a']) {
      assert.match(messageOf(identify([path(1)], { target })), /not enough segments in path$/, target);
    }
    assert.match(messageOf(identify([path(2)], { target: '/a//' })), /not enough/);
  });

  it('refuses an empty segment that it would need', () => {
    const answer = identify([path(1), token], { target: '//a', headers: host('web') });
    assert.ok(answer instanceof Failure && answer.kind === 'naming');
    assert.equal(identify([path(1)], { target: '/a//b' }), '/svc/a');
  });

  it('consumes the segments from the target', () => {
    const table: [string, number, string][] = [
      ['/true/love/waits.php?x=1', 2, '/waits.php?x=1'],
      ['/a/b/', 2, '/'],
      ['/a/b', 2, '/'],
      ['/a/b/c/', 2, '/c/'],
      ['/a/b/c///?q', 1, '/b/c/?q'],
      ['/a//b', 1, '//b'],
      ['/a?q=/z', 1, '/?q=/z'],
      ['/a/b%2Fc#d', 1, '/b%2Fc#d'],
    ];
    for (const [target, segments, expected] of table) {
      const request = head({ target });
      assert.equal(
        typeof makeIdentifier([path(segments, true)], '/svc').identify(request, { peer: '' }),
        'string',
      );
      assert.equal(request.target, expected, target);
    }
  });

  it('does not consume what it does not name', () => {
    const request = head({ target: '/a/b', headers: host('web') });
    assert.equal(makeIdentifier([path(3, true), token], '/svc').identify(request, { peer: '' }), '/svc/web');
    assert.equal(request.target, '/a/b');
  });
});

describe('io.l5d.methodAndHost', () => {
  const plain: IdentifierSpec = { kind: 'io.l5d.methodAndHost', httpUriInDst: false };
  const withUri: IdentifierSpec = { kind: 'io.l5d.methodAndHost', httpUriInDst: true };

  it('names by version, method and lower-case host', () => {
    assert.equal(identify([plain], { headers: host('Foo:8080') }), '/svc/1.1/GET/foo:8080');
    assert.equal(identify([plain], { minor: 0, method: 'POST', headers: host('x') }), '/svc/1.0/POST');
  });

  it('leaves bytes alone that are not ASCII', () => {
    assert.equal(identify([plain], { headers: host('A\u00c0') }), '/svc/1.1/GET/\\x61\\xc0');
  });

  it('does not know an HTTP/1.1 request without a host', () => {
    assert.match(messageOf(identify([plain], {})), /\/ HTTP\/1\.1 request missing hostname$/);
  });

  it('appends the path without the query when asked', () => {
    assert.equal(identify([withUri], { target: '/a/b?x', headers: host('h') }), '/svc/1.1/GET/h/a/b');
    assert.equal(identify([withUri], { target: '/', headers: host('h') }), '/svc/1.1/GET/h');
    for (const target of ['/a/', '/a+b', '*']) {
      const answer = identify([withUri], { target, headers: host('h') });
      assert.ok(answer instanceof Failure && answer.kind === 'naming', target);
    }
  });
});

describe('a list of identifiers', () => {
  it('ends with the first that names the request, or with the reason of the last', () => {
    const named: IdentifierSpec = { kind: 'io.l5d.header.token', header: 'x-name' };
    const fixed: IdentifierSpec = { kind: 'io.l5d.static', path: '/a/b' };
    assert.equal(identify([named, token, fixed], { headers: host('web') }), '/svc/web');
    assert.equal(identify([named, token, fixed], {}), '/svc/a/b');
    assert.match(messageOf(identify([token, named], {})), /\/ x-name header is absent$/);
  });
});

describe('HTTP/2 identifiers', () => {
  const request = (...headers: [string, string][]): RequestHead => head({ headers });

  it('take the last field of a name', () => {
    const identifier = makeH2Identifier(
      { kind: 'io.l5d.header.token', header: ':authority' },
      Path.of('svc'),
    );
    assert.equal(identifier.identify(request([':authority', 'a'], [':authority', 'b'])), '/svc/b');
  });

  it('name by path', () => {
    const make = (segments?: number) =>
      makeH2Identifier(
        { kind: 'io.l5d.header.path', header: ':path', ...(segments === undefined ? {} : { segments }) },
        Path.of('svc'),
      );
    assert.equal(make(1).identify(request([':path', '/pkg.Service/Method'])), '/svc/pkg.Service');
    assert.equal(make().identify(request([':path', '/a/b/?c'])), '/svc/a/b');
    const short = make(3).identify(request([':path', '/a/b']));
    assert.ok(typeof short === 'object' && 'reason' in short);
    assert.equal(short.reason, 'Path must have at least 3 segment(s)');
    assert.ok(make().identify(request([':path', '/a//b'])) instanceof Failure);
    assert.throws(() => make(0), RangeError);
  });
});

describe('NameMemo', () => {
  it('forgets values that fall on a used slot, and never mixes them up', () => {
    const memo = new NameMemo();
    for (let i = 0; i < 5000; i++) memo.set(`host-${i}`, `/svc/host-${i}`);
    for (let i = 0; i < 5000; i++) {
      const name = memo.get(`host-${i}`);
      assert.ok(name === undefined || name === `/svc/host-${i}`);
    }
    assert.equal(memo.get(''), undefined);
    assert.equal(memo.get('host-4999'), '/svc/host-4999');
  });

  it('does not keep long values', () => {
    const memo = new NameMemo();
    const long = 'x'.repeat(1000);
    assert.equal(memo.set(long, 'name'), 'name');
    assert.equal(memo.get(long), undefined);
  });
});

describe('labelText', () => {
  it('agrees with Path on every byte', () => {
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code);
      assert.equal(`/${labelText(character)}`, Path.of(character).show);
      assert.equal(isShowable(character), labelText(character) === character);
    }
  });
});
