import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '../../../routers/fields.ts';
import { appendVia, checkCallDepth, countHops, viaValue } from '../../../routers/headers/via.ts';

describe('Via', () => {
  it('gets an item with the version of the message', () => {
    assert.equal(appendVia('', undefined, 1), 'Via: 1.1 turnout\r\n');
    assert.equal(appendVia('', undefined, 0), 'Via: 1.0 turnout\r\n');
    assert.equal(appendVia('', '1.0 bob', 1), 'Via: 1.0 bob, 1.1 turnout\r\n');
    assert.equal(viaValue('1.0 bob', 0, 'linkerd'), '1.0 bob, 1.0 linkerd');
  });

  it('is counted over all lines', () => {
    assert.equal(countHops(Fields.of([['Host', 'a']])), 0);
    assert.equal(
      countHops(
        Fields.of([
          ['Via', '1.1 a, 1.1 b'],
          ['via', '1.1 c'],
          ['VIA', ''],
          ['Via', '1.1 d,,'],
        ]),
      ),
      4,
    );
  });

  it('refuses a message only above the limit', () => {
    const fields = Fields.of([
      ['Via', 'a, b'],
      ['Via', 'c'],
    ]);
    assert.equal(checkCallDepth(fields, 3), undefined);
    const failure = checkCallDepth(fields, 2);
    assert.equal(failure?.kind, 'call-depth');
    assert.match(failure?.message ?? '', /\(2\) has been exceeded/);
  });
});
