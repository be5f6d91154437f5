import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '../../../routers/fields.ts';
import { stripHopByHop } from '../../../routers/headers/hop-by-hop.ts';

function stripped(...pairs: [string, string][]): string[] {
  const fields = Fields.of(pairs);
  stripHopByHop(fields);
  return fields.pairs().map(([name]) => name);
}

describe('stripHopByHop', () => {
  it('removes the fixed list in any case of letters, and nothing else', () => {
    assert.deepEqual(
      stripped(
        ['TE', 'trailers'],
        ['trailer', 'x'],
        ['TRANSFER-ENCODING', 'chunked'],
        ['Upgrade', 'h2c'],
        ['proxy-authorization', 'x'],
        ['Proxy-Authenticate', 'x'],
        ['Accept', '*/*'],
      ),
      ['Accept'],
    );
  });

  it('removes every field that any Connection line names', () => {
    assert.deepEqual(
      stripped(
        ['Connection', ' close , X-A,, x-b'],
        ['X-A', '1'],
        ['x-a', '2'],
        ['connection', 'Cookie'],
        ['X-B', '3'],
        ['Cookie', 'c'],
        ['X-C', '4'],
      ),
      ['X-C'],
    );
  });

  it('leaves Keep-Alive and Proxy-Connection when Connection does not name them', () => {
    assert.deepEqual(stripped(['Keep-Alive', 'timeout=5'], ['Proxy-Connection', 'keep-alive']), [
      'Keep-Alive',
      'Proxy-Connection',
    ]);
    assert.deepEqual(stripped(['Connection', 'keep-alive'], ['Keep-Alive', 'timeout=5']), []);
    assert.deepEqual(stripped(['Connection', 'KEEP-ALIVE'], ['Keep-Alive', 'timeout=5']), []);
  });

  it('does not let Connection remove what the next hop relies on', () => {
    const kept: [string, string][] = [
      ['Host', 'web'],
      ['Content-Length', '3'],
      ['Via', '1.1 a'],
      ['Max-Forwards', '1'],
      ['X-Forwarded-Client-Cert', 'Hash=1'],
      ['X-Forwarded-For', '1.2.3.4'],
      ['Forwarded', 'for=1.2.3.4'],
    ];
    const names = kept.map(([name]) => name);
    assert.deepEqual(stripped(['Connection', names.join(', ')], ...kept), names);
  });
});
