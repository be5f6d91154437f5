import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { JsonLog, type LogStream } from '../../src/json-log.ts';
import { HandClock } from '../support/hand-clock.ts';

class Sink implements LogStream {
  readonly lines: string[] = [];
  writableLength = 0;
  destroyed = false;
  readonly #listeners: Record<string, () => void> = {};

  write(line: string): boolean {
    this.lines.push(line);
    return true;
  }

  on(event: string, listener: () => void): void {
    this.#listeners[event] = listener;
  }

  emit(event: string): void {
    this.#listeners[event]?.();
  }

  get records(): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line));
  }
}

function rig(level?: 'DEBUG' | 'INFO' | 'OFF') {
  const stream = new Sink();
  let counted = 0;
  const dropped = {
    add(n: number) {
      counted += n;
    },
  };
  const log = new JsonLog({
    clock: new HandClock(),
    stream,
    dropped,
    ...(level === undefined ? {} : { level }),
  });
  return { log, stream, counted: () => counted };
}

describe('JsonLog', () => {
  it('writes one object a line with time, level, message and fields', () => {
    const { log, stream } = rig();
    log.info('started', { port: 4140, version: '0.1.0', nothing: undefined });
    log.warn('w');
    log.error('e', { level: 'mine' });
    assert.equal(
      stream.lines[0],
      '{"time":"2020-09-13T12:26:41.000Z","level":"INFO","msg":"started","port":4140,"version":"0.1.0"}\n',
    );
    assert.equal(stream.records[1]?.['level'], 'WARNING');
    assert.deepEqual([stream.records[2]?.['level'], stream.records[2]?.['level_']], ['ERROR', 'mine']);
  });

  it('follows a level that changes while it runs', () => {
    const { log, stream } = rig();
    log.debug('unseen');
    assert.equal(log.debugEnabled, false);
    log.level = 'DEBUG';
    assert.equal(log.debugEnabled, true);
    log.debug('seen');
    log.level = 'OFF';
    log.error('unseen');
    assert.deepEqual(
      stream.records.map((record) => record['msg']),
      ['seen'],
    );
  });

  it('drops and counts lines while the stream is backed up, and says so once it recovers', () => {
    const { log, stream, counted } = rig();
    stream.writableLength = (1 << 20) + 1;
    for (let i = 0; i < 5; i++) log.info(`line ${i}`);
    assert.equal(stream.lines.length, 0);
    assert.equal(counted(), 5);
    stream.writableLength = 0;
    log.info('after');
    assert.deepEqual(
      stream.records.map((record) => record['msg']),
      ['5 lines dropped', 'after'],
    );
    stream.writableLength = 2 << 20;
    log.info('gone');
    stream.writableLength = 0;
    stream.emit('drain');
    assert.equal(stream.records.at(-1)?.['dropped'], 1);
    assert.equal(log.dropped, 6);
  });

  it('never throws when the stream fails', () => {
    const { log, stream } = rig();
    stream.write = () => {
      throw new Error('EPIPE');
    };
    log.error('x');
    stream.emit('error');
    stream.destroyed = true;
    log.error('y');
    assert.equal(log.dropped, 2);
  });

  it('cuts long strings, and no value breaks out of its line', () => {
    const { log, stream } = rig();
    log.info('m'.repeat(10_000), { text: 'v'.repeat(10_000) });
    assert.ok((stream.lines[0]?.length ?? 0) < 7000);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, value) => {
        stream.lines.length = 0;
        log.info(message, { value });
        const line = stream.lines[0] ?? '';
        assert.equal(line.indexOf('\n'), line.length - 1);
        assert.ok(!/[\x00-\x09\x0b-\x1f]/.test(line));
        assert.equal(JSON.parse(line).value, value);
      }),
    );
  });
});
