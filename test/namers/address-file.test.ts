import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseAddresses } from '../../namers/address-file.ts';

describe('parseAddresses', () => {
  it('reads hosts, ports and weights between comments and blank lines', () => {
    const text =
      '\uFEFF# web\n\n10.0.0.1 80\r\n  web.local\t8080 # main\n10.0.0.2   80 * 0.5\n::1 80*2\n127.1 9';
    assert.deepEqual(parseAddresses(text), [
      { host: '10.0.0.1', port: 80 },
      { host: 'web.local', port: 8080 },
      { host: '10.0.0.2', port: 80, meta: { weight: 0.5 } },
      { host: '::1', port: 80, meta: { weight: 2 } },
      { host: '127.0.0.1', port: 9 },
    ]);
  });

  it('reads nothing from a file without lines', () => {
    for (const text of ['', '\n \n', '# all gone']) assert.deepEqual(parseAddresses(text), []);
  });

  it('counts an endpoint that stands there twice once', () => {
    assert.deepEqual(parseAddresses('a 1\na 1\na 2\n127.1 1\n127.0.0.1 1'), [
      { host: 'a', port: 1 },
      { host: 'a', port: 2 },
      { host: '127.0.0.1', port: 1 },
    ]);
  });

  it('says where a bad line is and what belongs there', () => {
    for (const [text, line, message] of [
      ['10.0.0.1 80\n\nfoo', 3, 'expected "host port" or "host port * weight" in "foo"'],
      ['a 80 c', 1, 'expected "host port" or "host port * weight" in "a 80 c"'],
      ['a 0', 1, 'expected a port in 1..65535 after the host in "a 0"'],
      ['a 65536', 1, 'expected a port in 1..65535 after the host in "a 65536"'],
      ['a http', 1, 'expected a port in 1..65535 after the host in "a http"'],
      ['a/b 80', 1, 'expected an IP address or a host name first in "a/b 80"'],
      ['a 80 * x', 1, 'expected a number, such as 0.5, after "*" in "a 80 * x"'],
      ['a 80 * -1', 1, 'expected a number, such as 0.5, after "*" in "a 80 * -1"'],
      [`a 80 * ${'9'.repeat(400)}`, 1, /^expected a number, such as 0\.5, after "\*" in "a 80 \* 9+…"$/],
      [`${'* '.repeat(9000)}`, 1, /^expected at most 1000 characters in /],
    ] as const) {
      const result = parseAddresses(text);
      assert.ok('line' in result, text);
      assert.equal(result.line, line);
      if (typeof message === 'string') assert.equal(result.message, message);
      else assert.match(result.message, message);
    }
  });

  it('gives endpoints or one error for any text', () => {
    const words = fc.constantFrom('a', '1.2.3.4', '80', '*', '#', '\n', ' ', '0.5', '\u0000', '::');
    fc.assert(
      fc.property(
        fc.array(words).map((all) => all.join('')),
        (text) => {
          const result = parseAddresses(text);
          if ('line' in result) assert.ok(result.line >= 1);
          else for (const address of result) assert.ok(address.port >= 1 && address.port <= 65535);
        },
      ),
    );
  });
});
