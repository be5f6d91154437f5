import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '../../../routers/fields.ts';
import {
  appendDeadline,
  parseDeadline,
  strictest,
  takeDeadline,
  withTimeout,
} from '../../../routers/headers/deadline.ts';

describe('parseDeadline', () => {
  it('reads two integers of 64 bits', () => {
    assert.deepEqual(parseDeadline('1500000000000000001 1500000001000000000'), {
      timestampNs: 1500000000000000001n,
      deadlineNs: 1500000001000000000n,
    });
    assert.deepEqual(parseDeadline('-1 +2'), { timestampNs: -1n, deadlineNs: 2n });
  });

  it('ignores everything else', () => {
    for (const bad of [
      '',
      ' ',
      '1',
      '1 ',
      ' 1',
      '1  2',
      '1.5 2',
      'x 2',
      '1 0x2',
      '1\t2',
      '9223372036854775808 1',
    ]) {
      assert.equal(parseDeadline(bad), undefined, JSON.stringify(bad));
    }
  });
});

describe('deadlines', () => {
  it('combine to the latest timestamp and the earliest deadline, and are removed', () => {
    const fields = Fields.of([
      ['l5d-ctx-deadline', '1 10'],
      ['Host', 'a'],
      ['L5D-CTX-DEADLINE', 'bad'],
      ['l5d-ctx-deadline', '2 8'],
    ]);
    assert.deepEqual(takeDeadline(fields, { timestampNs: 1n, deadlineNs: 9n }), {
      timestampNs: 2n,
      deadlineNs: 8n,
    });
    assert.deepEqual(fields.pairs(), [['Host', 'a']]);
  });

  it('keep the one in force when there is no header', () => {
    assert.equal(takeDeadline(Fields.of([]), undefined), undefined);
    const current = { timestampNs: 1n, deadlineNs: 2n };
    assert.equal(takeDeadline(Fields.of([]), current), current);
    assert.equal(strictest(undefined, current), current);
  });

  it('are made by timeouts', () => {
    assert.deepEqual(withTimeout(undefined, 1_700_000_000_000.25, 500), {
      timestampNs: 1_700_000_000_000_250_000n,
      deadlineNs: 1_700_000_000_500_250_000n,
    });
    assert.equal(withTimeout({ timestampNs: 0n, deadlineNs: 5n }, 1000, 500).deadlineNs, 5n);
  });

  it('are written as two integers', () => {
    assert.equal(appendDeadline('', { timestampNs: 1n, deadlineNs: 2n }), 'l5d-ctx-deadline: 1 2\r\n');
    assert.equal(appendDeadline('x', undefined), 'x');
  });
});
