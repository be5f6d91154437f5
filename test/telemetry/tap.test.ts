import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Interest } from '../../routers/tap/interest.ts';
import { everything, type TakeLines, Tap } from '../../src/telemetry/tap.ts';
import { readWhere } from '../../src/telemetry/where.ts';

describe('Tap', () => {
  it('tells the data threads what all listeners want, and nothing when the last has left', () => {
    const told: (readonly Interest[])[] = [];
    const tap = new Tap((interests) => told.push(interests));
    const first = tap.listen(everything, () => {});
    const second = tap.listen({ ...everything, rate: 0.5 }, () => {});
    first?.close();
    first?.close();
    second?.close();
    assert.deepEqual(
      told.map((interests) => interests.map(({ rate }) => rate)),
      [[1], [1, 0.5], [0.5], []],
    );
  });

  it('leaves those out who listen for traces while tracing is off', () => {
    const told: (readonly Interest[])[] = [];
    const tap = new Tap((interests) => told.push(interests));
    tap.listen({ ...everything, rate: 0.1 }, () => {}, { traces: true });
    tap.listen({ ...everything, rate: 0.2 }, () => {});
    tap.tracing = false;
    tap.tracing = false;
    tap.listen({ ...everything, rate: 0.3 }, () => {}, { traces: true });
    tap.tracing = true;
    assert.deepEqual(
      told.map((interests) => interests.map(({ rate }) => rate)),
      [[0.1], [0.1, 0.2], [0.2], [0.2], [0.1, 0.2, 0.3]],
    );
  });

  it('gives each listener the lines that are his, whole', () => {
    const tap = new Tap(() => {});
    const heard: [string, string, number][] = [];
    const hears =
      (who: string): TakeLines =>
      (lines, count) =>
        heard.push([who, lines.toString(), count]);
    tap.listen(everything, hears('a'));
    tap.listen(everything, hears('b'));
    tap.listen(everything, hears('c'), { last: 2 });
    tap.receive({ lines: Buffer.from('{"n":1}\n{"n":2}\n{"n":3}\n'), masks: [0b101, 0b111, 0b001] });
    tap.receive({ lines: Buffer.from('{"n":4}\n{"n":5}\n{"n":6}\n{"n":7}\n'), masks: [4, 4, 6, 0] });
    assert.deepEqual(heard, [
      ['a', '{"n":1}\n{"n":2}\n{"n":3}\n', 3],
      ['b', '{"n":2}\n', 1],
      ['c', '{"n":1}\n{"n":2}\n', 2],
      ['b', '{"n":6}\n', 1],
      ['c', '{"n":5}\n{"n":6}\n', 2],
    ]);
  });

  it('hands on the loan of a batch with the batch, and copies what a listener may keep', () => {
    const tap = new Tap(() => {});
    const loan = { keep() {}, release() {} };
    const lines = Buffer.alloc(16, '{"n":1}\n');
    const heard: [string, boolean, boolean][] = [];
    const hears =
      (who: string): TakeLines =>
      (own, _count, lent) =>
        heard.push([who, own.buffer === lines.buffer, lent === loan]);
    tap.listen(everything, hears('whole'));
    tap.listen(everything, hears('some'));
    tap.listen(everything, hears('last'), { last: 2 });
    tap.receive({ lines, masks: [0b111, 0b101] }, loan);
    assert.deepEqual(heard, [
      ['whole', true, true],
      ['some', false, false],
      ['last', false, false],
    ]);
  });

  it('does not give a newcomer what was under way for one that has left', () => {
    const tap = new Tap(() => {});
    const heard: string[] = [];
    tap.listen(everything, () => {})?.close();
    tap.listen(everything, (lines) => heard.push(lines.toString()));
    tap.receive({ lines: Buffer.from('{}\n'), masks: [1] });
    assert.deepEqual(heard, []);
  });

  it('takes 31 listeners, and refuses the next', () => {
    const tap = new Tap(() => {});
    for (let i = 0; i < 31; i++)
      assert.notEqual(
        tap.listen(everything, () => {}),
        undefined,
      );
    assert.equal(
      tap.listen(everything, () => {}),
      undefined,
    );
  });
});

describe('readWhere', () => {
  it('reads conditions with blanks between them, and values in quotes', () => {
    assert.deepEqual(readWhere(' path=/svc/web  status>=500 target~"/a b" '), [
      { field: 'path', op: '=', value: '/svc/web' },
      { field: 'status', op: '>=', value: 500 },
      { field: 'target', op: '~', value: '/a b' },
    ]);
    assert.deepEqual(readWhere(''), []);
  });

  it('says what is wrong', () => {
    const messages: readonly (readonly [string, RegExp])[] = [
      ['status', /expected a condition such as status>=500 at "status"/],
      ['stats=1', /unknown field "stats"; known: router, server/],
      ['path>1', /path is a text: compare it with =, != or ~/],
      ['tls=yes', /tls is true or false: compare it with = or !=, not =yes/],
      ['tls~true', /tls is true or false/],
      ['status>=abc', /status is a number: .* not >=abc/],
    ];
    for (const [text, message] of messages) assert.match(String(readWhere(text)), message);
  });
});
