import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ForwardedLine, forwardedLabel, forwardedValue } from '../../../routers/headers/forwarded.ts';
import { seededRng } from '../../../src/base/rng.ts';

const rng = seededRng(1);
const label = (kind: 'ip' | 'ip:port', ip: string): string | undefined =>
  forwardedLabel({ kind }, { ip, port: 80 }, 'r', rng);

describe('forwardedLabel', () => {
  it('quotes what is not a token', () => {
    assert.equal(label('ip', '1.2.3.4'), '1.2.3.4');
    assert.equal(label('ip:port', '1.2.3.4'), '"1.2.3.4:80"');
    assert.equal(label('ip', '2001:db8::1'), '"[2001:db8::1]"');
    assert.equal(label('ip:port', '2001:db8::1'), '"[2001:db8::1]:80"');
  });

  it('shows an IPv4 address of a dual-stack socket as such, and no zone', () => {
    assert.equal(label('ip', '::ffff:1.2.3.4'), '1.2.3.4');
    assert.equal(label('ip', 'fe80::1%eth0'), '"[fe80::1]"');
  });

  it('does not know wildcard addresses', () => {
    for (const ip of ['0.0.0.0', '::', '', 'socket']) {
      assert.equal(label('ip', ip), 'unknown');
      assert.equal(forwardedLabel({ kind: 'requestRandom' }, { ip, port: 1 }, 'r', rng), 'unknown');
    }
  });

  it('hides behind a configured label with one underscore', () => {
    const address = { ip: '1.2.3.4', port: 1 };
    assert.equal(forwardedLabel({ kind: 'static', label: 'http' }, address, 'r', rng), '_http');
    assert.equal(forwardedLabel({ kind: 'static', label: '_http' }, address, 'r', rng), '_http');
    assert.equal(forwardedLabel({ kind: 'router' }, address, 'bigfoot', rng), '_bigfoot');
    assert.equal(forwardedLabel({ kind: 'router' }, address, 'a;for="x\r\n', rng), '"_a;for=\\"x??"');
  });
});

describe('forwardedValue', () => {
  it('has host and proto when they are known', () => {
    assert.equal(forwardedValue('_a', '_b', undefined, undefined), 'by=_a;for=_b');
    assert.equal(forwardedValue('_a', '_b', 'h:80', 'http'), 'by=_a;for=_b;host=h:80;proto=http');
  });

  it('does not let a host pass for other parameters', () => {
    assert.equal(
      forwardedValue('_a', '_b', 'h;for=1.2.3.4, for="x"', undefined),
      'by=_a;for=_b;host="h;for=1.2.3.4, for=\\"x\\""',
    );
  });
});

describe('ForwardedLine', () => {
  it('draws a label a request or a connection', () => {
    const address = { ip: '1.2.3.4', port: 80 };
    const make = (kind: 'requestRandom' | 'connectionRandom'): ForwardedLine =>
      new ForwardedLine({ by: { kind }, for: { kind } }, address, address, 'r', rng);
    const shape = /^by=_[A-Za-z0-9]{6};for=_[A-Za-z0-9]{6}$/;
    const request = make('requestRandom');
    const first = request.value(undefined, undefined);
    assert.match(first, shape);
    assert.notEqual(request.value(undefined, undefined), first);
    const connection = make('connectionRandom');
    assert.match(connection.value(undefined, undefined), shape);
    assert.equal(connection.value(undefined, undefined), connection.value(undefined, undefined));
  });
});
