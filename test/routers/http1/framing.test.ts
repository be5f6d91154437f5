import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '../../../routers/fields.ts';
import { announcedKeepAliveMs, keepsAlive } from '../../../routers/http1/connection-header.ts';
import { CHUNKED, declaredLength, responseLength, UNTIL_CLOSE } from '../../../routers/http1/framing.ts';
import { HeadProblem } from '../../../routers/http1/head-parser.ts';

const of = (...pairs: [string, string][]): Fields => Fields.of(pairs);

describe('declaredLength', () => {
  it('is what one Content-Length says, said once or several times alike (RFC 9112 6.3)', () => {
    assert.equal(declaredLength(of(), 1), undefined);
    assert.equal(declaredLength(of(['content-length', '0']), 1), 0);
    assert.equal(declaredLength(of(['Content-Length', '12'], ['CONTENT-LENGTH', '12']), 1), 12);
  });

  it('is chunked for exactly one chunked, whatever its case', () => {
    assert.equal(declaredLength(of(['Transfer-Encoding', 'Chunked']), 1), CHUNKED);
  });

  it('refuses whatever leaves the length in doubt', () => {
    const doubtful: [string, string][][] = [
      [
        ['Content-Length', '1'],
        ['Content-Length', '2'],
      ],
      [['Content-Length', '1, 1']],
      [['Content-Length', '0x1']],
      [['Content-Length', '1.0']],
      [['Content-Length', '']],
      [['Content-Length', '1000000000000000']],
      [
        ['Content-Length', '1'],
        ['Transfer-Encoding', 'chunked'],
      ],
      [['Transfer-Encoding', 'chunked, chunked']],
      [
        ['Transfer-Encoding', 'chunked'],
        ['Transfer-Encoding', 'identity'],
      ],
      [['Transfer-Encoding', 'xchunked']],
      [['Transfer-Encoding', '']],
    ];
    for (const pairs of doubtful)
      assert.ok(declaredLength(of(...pairs), 1) instanceof HeadProblem, JSON.stringify(pairs));
    assert.ok(declaredLength(of(['Transfer-Encoding', 'chunked']), 0) instanceof HeadProblem);
  });
});

describe('responseLength', () => {
  it('is 0 for HEAD, 1xx, 204 and 304, whatever is declared', () => {
    const declared = of(['Content-Length', '5']);
    assert.equal(responseLength(declared, 1, 200, 'HEAD'), 0);
    for (const status of [103, 204, 304]) assert.equal(responseLength(declared, 1, status, 'GET'), 0);
    assert.equal(responseLength(declared, 1, 200, 'GET'), 5);
  });

  it('lasts until the close when nothing is declared', () => {
    assert.equal(responseLength(of(), 1, 200, 'GET'), UNTIL_CLOSE);
  });
});

describe('keepsAlive', () => {
  it('follows RFC 9112 9.3: 1.1 unless close, 1.0 only with keep-alive, close wins', () => {
    assert.equal(keepsAlive(of(), 1), true);
    assert.equal(keepsAlive(of(), 0), false);
    assert.equal(keepsAlive(of(['Connection', 'Close']), 1), false);
    assert.equal(keepsAlive(of(['Connection', 'x, close']), 1), false);
    assert.equal(keepsAlive(of(['Connection', 'keep-alive'], ['Connection', 'close']), 1), false);
    assert.equal(keepsAlive(of(['Connection', 'Keep-Alive']), 0), true);
    assert.equal(keepsAlive(of(['Connection', 'closed']), 1), true);
  });
});

describe('announcedKeepAliveMs', () => {
  it('reads timeout among other parameters', () => {
    assert.equal(announcedKeepAliveMs(of(['Keep-Alive', 'max=5, timeout=7'])), 7000);
    assert.equal(announcedKeepAliveMs(of(['Keep-Alive', 'Timeout="9"'])), 9000);
    assert.equal(announcedKeepAliveMs(of(['Keep-Alive', 'xtimeout=7'])), undefined);
    assert.equal(announcedKeepAliveMs(of()), undefined);
  });
});
