import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HostResolver } from '../../namers/host-resolver.ts';
import { Inet } from '../../namers/inet.ts';
import { isHostName, numericHost } from '../../namers/numeric-host.ts';
import { statusName } from '../../namers/status.ts';
import { ManualClock } from './manual-clock.ts';
import { onlyBound, path, recordingLog, settle, showAddr, showState, watching } from './watching.ts';

class DnsError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

type Answer = readonly string[] | Error;

function rig(answers: Record<string, Answer> = {}) {
  const clock = new ManualClock();
  const log = recordingLog();
  const asked: string[] = [];
  const lookup = async (host: string): Promise<readonly string[]> => {
    asked.push(host);
    const answer = answers[host] ?? new DnsError('ENOTFOUND');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const inet = new Inet(new HostResolver({ clock, log, lookup }));
  const named = (text: string) => {
    const found = inet.inet(path(text));
    assert.ok(found !== undefined);
    return onlyBound(watching(found).latest);
  };
  return { clock, log, asked, answers, inet, named, addr: (text: string) => watching(named(text).addr) };
}

describe('inet', () => {
  it('takes a host and a port and leaves the rest', () => {
    const name = rig().named('/10.0.0.1/80/a/b');
    assert.equal(name.id.show, '/$/inet/10.0.0.1/80');
    assert.equal(name.residual.show, '/a/b');
  });

  it('means loopback when only a port is given', () => {
    const name = rig().named('/8080/foo');
    assert.equal(name.id.show, '/$/inet/8080');
    assert.equal(name.residual.show, '/foo');
    assert.equal(showAddr(watching(name.addr).latest), '127.0.0.1:8080');
  });

  it('resolves numeric hosts in every form without DNS', () => {
    const { addr, asked } = rig();
    for (const [host, expected] of [
      ['127.1', '127.0.0.1'],
      ['0x7f.1', '127.0.0.1'],
      ['2130706433', '127.0.0.1'],
      ['10.0.258', '10.0.1.2'],
      ['::1', '::1'],
      ['[fd00::1]', 'fd00::1'],
      ['localhost', '127.0.0.1'],
    ] as const) {
      assert.equal(showAddr(addr(`/${host}/80`).latest), `${expected}:80`);
    }
    assert.deepEqual(asked, []);
  });

  it('is of another shape without a numeric port', () => {
    const { inet } = rig();
    for (const text of ['/foo', '/foo/http', '/foo/99999999999'])
      assert.equal(inet.inet(path(text)), undefined);
    assert.equal(inet.inet(path('')), undefined);
  });

  it('fails the address set, not the name, for a port out of range', () => {
    assert.equal(
      showAddr(rig().addr('/a/70000').latest),
      'failed: /$/inet/a/70000: port 70000 is not in 1..65535',
    );
  });

  it('asks DNS again every 5 s and only while it is observed', async () => {
    const { addr, clock, asked, answers } = rig({ web: ['10.0.0.2', '10.0.0.1', '10.0.0.1'] });
    const web = addr('/web/80');
    assert.equal(showAddr(web.latest), 'pending');
    await settle();
    assert.equal(showAddr(web.latest), '10.0.0.1:80 10.0.0.2:80');
    answers['web'] = ['10.0.0.3'];
    clock.advance(5000);
    await settle();
    assert.equal(showAddr(web.latest), '10.0.0.3:80');
    assert.equal(asked.length, 2);
    web.close();
    assert.equal(clock.timers, 0);
  });

  it('shares one question between names with the same host', async () => {
    const { addr, asked } = rig({ web: ['10.0.0.1'] });
    const first = addr('/web/80');
    const second = addr('/web/81');
    await settle();
    assert.deepEqual([showAddr(first.latest), showAddr(second.latest)], ['10.0.0.1:80', '10.0.0.1:81']);
    assert.deepEqual(asked, ['web']);
  });

  it('does not tell its observers of the same addresses in another order', async () => {
    const { addr, clock, answers } = rig({ web: ['10.0.0.1', '10.0.0.2'] });
    const web = addr('/web/80');
    await settle();
    answers['web'] = ['10.0.0.2', '10.0.0.1'];
    clock.advance(5000);
    await settle();
    assert.equal(web.seen.length, 2);
  });

  it('gives an unknown host no addresses and finds it when it appears', async () => {
    const { addr, clock, answers } = rig();
    const web = addr('/web/80');
    await settle();
    assert.equal(showAddr(web.latest), 'neg');
    answers['web'] = ['10.0.0.1'];
    clock.advance(5000);
    await settle();
    assert.equal(showAddr(web.latest), '10.0.0.1:80');
  });

  it('keeps the last good addresses while DNS fails, and says so once', async () => {
    const { addr, clock, answers, log } = rig({ web: ['10.0.0.1'] });
    const web = addr('/web/80');
    await settle();
    answers['web'] = new DnsError('EAI_AGAIN');
    for (let i = 0; i < 3; i++) {
      clock.advance(5000);
      await settle();
    }
    assert.equal(showAddr(web.latest), '10.0.0.1:80');
    assert.deepEqual(log.warnings, ['DNS lookup of web failed: EAI_AGAIN']);
  });

  it('fails at once when the first answer is an error, and recovers', async () => {
    const { addr, clock, answers } = rig({ web: new DnsError('EAI_AGAIN') });
    const web = addr('/web/80');
    await settle();
    assert.equal(showAddr(web.latest), 'failed: DNS lookup of web failed: EAI_AGAIN');
    answers['web'] = ['10.0.0.1'];
    clock.advance(5000);
    await settle();
    assert.equal(showAddr(web.latest), '10.0.0.1:80');
  });

  it('asks about two hosts at a time and about the others after them', async () => {
    const clock = new ManualClock();
    const asked: string[] = [];
    const gates = new Map<string, () => void>();
    const lookup = (host: string): Promise<readonly string[]> => {
      asked.push(host);
      return new Promise((resolve) => gates.set(host, () => resolve(['10.0.0.1'])));
    };
    const resolver = new HostResolver({ clock, log: recordingLog(), lookup });
    const [, , abandoned, last] = ['a', 'b', 'c', 'd'].map((host) => watching(resolver.addresses(host)));
    await settle();
    assert.deepEqual(asked, ['a', 'b']);
    abandoned?.close();
    gates.get('a')?.();
    await settle();
    assert.deepEqual(asked, ['a', 'b', 'd']);
    gates.get('d')?.();
    await settle();
    assert.deepEqual(last?.latest, { state: 'ok', value: ['10.0.0.1'] });
  });

  it('never asks DNS about what cannot be a host name', () => {
    const { addr, asked } = rig();
    for (const host of ['a b', 'a\u0000.b', '-', 'a..b', 'x'.repeat(300), '\u00fc']) {
      assert.equal(showAddr(addr(`/${host}/80`).latest), 'neg');
    }
    assert.deepEqual(asked, []);
  });
});

describe('fixedinet', () => {
  it('resolves once and remembers', async () => {
    const { inet, clock, asked, answers } = rig({ web: ['10.0.0.1'] });
    const name = onlyBound(watching(inet.fixedinet(path('/web/80/x'))!).latest);
    assert.equal(name.id.show, '/$/fixedinet/web/80');
    const first = watching(name.addr);
    await settle();
    first.close();
    answers['web'] = ['10.0.0.9'];
    clock.advance(60_000);
    assert.equal(showAddr(watching(name.addr).latest), '10.0.0.1:80');
    assert.equal(asked.length, 1);
  });

  it('asks again until the host exists', async () => {
    const { inet, clock, answers } = rig();
    const addr = watching(onlyBound(watching(inet.fixedinet(path('/web/80'))!).latest).addr);
    await settle();
    assert.equal(showAddr(addr.latest), 'neg');
    answers['web'] = ['10.0.0.1'];
    clock.advance(5000);
    await settle();
    assert.equal(showAddr(addr.latest), '10.0.0.1:80');
    assert.equal(clock.timers, 0);
  });
});

describe('rinet', () => {
  it('takes the port first', () => {
    const name = onlyBound(watching(rig().inet.rinet(path('/12345/localhost/rest'))).latest);
    assert.equal(name.id.show, '/$/io.buoyant.rinet/12345/localhost');
    assert.equal(name.residual.show, '/rest');
    assert.equal(showAddr(watching(name.addr).latest), '127.0.0.1:12345');
  });

  it('is neg without a host or with a port that is no number', () => {
    const { inet } = rig();
    for (const text of ['/80', '/http/web'])
      assert.equal(showState(watching(inet.rinet(path(text))).latest), 'neg');
  });
});

describe('http.status', () => {
  it('binds a status to a pseudo-service', () => {
    const name = onlyBound(watching(statusName(path('/404/a'))).latest);
    assert.equal(name.id.show, '/$/io.buoyant.http.status/404');
    assert.equal(name.residual.show, '/a');
    assert.deepEqual(watching(name.addr).latest, { type: 'bound', addresses: [], meta: { status: 404 } });
  });

  it('is neg for anything else', () => {
    for (const text of ['/99', '/600', '/abc', '/2000']) {
      assert.equal(showState(watching(statusName(path(text))).latest), 'neg');
    }
    assert.equal(showState(watching(statusName(path(''))).latest), 'neg');
  });
});

describe('numericHost', () => {
  it('refuses numbers that do not fit and octal digits above 7', () => {
    for (const host of [
      '256.1',
      '1.2.3.256',
      '1.2.65536',
      '4294967296',
      '08.1',
      '1.2.3.4.5',
      '1..2',
      '',
      '0x',
      '+1',
    ]) {
      assert.equal(numericHost(host), undefined, host);
    }
  });

  it('reads every number below 2^32 as the address with those bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(10, 16), (n, base) => {
        const text = base === 16 ? `0x${n.toString(16)}` : String(n);
        const bytes = numericHost(text)!.split('.').map(Number);
        assert.equal(
          bytes.reduce((sum, byte) => sum * 256 + byte, 0),
          n,
        );
      }),
    );
  });

  it('ends with an answer for any text', () => {
    fc.assert(fc.property(fc.string(), (text) => void [numericHost(text), isHostName(text)]));
  });
});
