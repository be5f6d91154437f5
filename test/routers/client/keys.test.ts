/** Keys of `client` and `service`, from the text of a configuration to what callers and endpoints see of them. */
import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { configured } from '../../support/configured.ts';
import { header, type RawClient } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

const ERROR = 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n';
const NACK = 'HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n';
const request = (host: string, method = 'GET'): string =>
  `${method} / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`;

let rig: Rig;
const backends: ScriptedBackend[] = [];
let client: RawClient;
afterEach(async () => {
  await rig.close();
  for (const backend of backends.splice(0)) await backend.close();
});
after(noSocketsLeft);

/** A router with these lines of configuration, before so many endpoints of `/#/test/web`. */
async function start(count: number, lines: string): Promise<ScriptedBackend> {
  for (let i = 0; i < count; i++) backends.push(await ScriptedBackend.start());
  rig = await Rig.over(backends, configured(lines));
  client = await rig.connect();
  return backends[0] as ScriptedBackend;
}

async function answerTo(text: string) {
  return await client.send(text).answer();
}

const inAll = (): number => backends.reduce((sum, { requests }) => sum + requests.length, 0);

describe('client.loadBalancer', () => {
  it('is the one that is named: roundRobin', async () => {
    await start(3, 'client: {loadBalancer: {kind: roundRobin}}');
    for (let i = 0; i < 9; i++) await answerTo(request('web'));
    assert.deepEqual(
      backends.map(({ requests }) => requests.length),
      [3, 3, 3],
    );
  });
});

describe('client.failureAccrual', () => {
  // A second between two requests; a dot is one that fails.
  const kinds: [string, string, boolean][] = [
    ['kind: io.l5d.consecutiveFailures, failures: 3', '...', true],
    ['kind: io.l5d.consecutiveFailures, failures: 4', '...', false],
    ['kind: io.l5d.successRate, successRate: 0.5, requests: 4', '++++...', true],
    ['kind: io.l5d.successRate, successRate: 0.4, requests: 4', '++++...', false],
    ['kind: io.l5d.successRate, successRate: 0.5, requests: 8', '++++...', false],
    ['kind: io.l5d.successRateWindowed, successRate: 0.6, window: 10', '+++++++++++......', true],
    ['kind: io.l5d.successRateWindowed, successRate: 0.4, window: 10', '+++++++++++......', false],
    ['kind: io.l5d.successRateWindowed, successRate: 0.6, window: 20', '+++++++++++......', false],
    ['kind: none', '....................', false],
  ];
  for (const [spec, outcomes, dies] of kinds) {
    it(`{${spec}} ${dies ? 'is over' : 'bears'} ${outcomes}`, async () => {
      const backend = await start(1, `client: {failureAccrual: {${spec}}}`);
      const removals = (): number => rig.clientStat('failure_accrual/removals');
      for (const outcome of outcomes) {
        assert.equal(removals(), 0, 'dead before the last of them');
        backend.script = () => (outcome === '.' ? ERROR : OK);
        await answerTo(request('web'));
        rig.clock.advance(1000);
      }
      assert.equal(removals(), dies ? 1 : 0);
    });
  }

  it('tries a dead endpoint again when its backoff says', async () => {
    const backend = await start(
      2,
      'client: {failureAccrual: {kind: io.l5d.consecutiveFailures, failures: 1, backoff: {kind: constant, ms: 700}}}',
    );
    backend.script = () => ERROR;
    while (backend.requests.length === 0) await answerTo(request('web'));
    const after = async (ms: number): Promise<number> => {
      rig.clock.advance(ms);
      for (let i = 0; i < 10; i++) await answerTo(request('web'));
      return backend.requests.length;
    };
    assert.equal(await after(680), 1);
    assert.equal(await after(40), 2);
  });
});

describe('client.bodyIdleTimeoutMs', () => {
  it('cuts a response body that stalls for so long', async () => {
    const backend = await start(1, 'client: {bodyIdleTimeoutMs: 700}');
    backend.script = () => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello';
    await client.send(request('web')).untilText('hello');
    rig.clock.advance(680);
    await settled();
    assert.equal(client.closed, false);
    rig.clock.advance(40);
    await until(() => client.closed, 'the abort');
  });
});

describe('bindingTimeoutMs', () => {
  it('limits how long a name may take', async () => {
    await start(1, 'bindingTimeoutMs: 400');
    rig.pend('slow');
    client.send(request('slow'));
    await until(() => rig.serviceStat('pending', 'slow') === 1, 'the request');
    rig.clock.advance(380);
    await settled();
    assert.equal(client.text, '');
    rig.clock.advance(60);
    assert.equal((await client.answer()).status, 502);
  });
});

describe('client.requeueBudget', () => {
  it('allows a fifth of ttlSecs times minRetriesPerSec to one request', async () => {
    const budget = 'ttlSecs: 5, minRetriesPerSec: 3, percentCanRetry: 0';
    const backend = await start(1, `client: {requeueBudget: {${budget}}}`);
    backend.script = () => NACK;
    await answerTo(request('web'));
    assert.equal(inAll(), 1 + 3);
  });

  it('allows a share of the requests that succeed', async () => {
    const budget = 'minRetriesPerSec: 0, percentCanRetry: 0.5';
    const backend = await start(1, `client: {requeueBudget: {${budget}}, failureAccrual: {kind: none}}`);
    for (let i = 0; i < 10; i++) await answerTo(request('web'));
    backend.script = () => NACK;
    await answerTo(request('web'));
    assert.equal(inAll(), 10 + 1 + 1, 'a fifth of five');
  });
});

describe('service.retries', () => {
  const kind = 'io.l5d.http.retryableRead5XX';

  it('has a budget of ttlSecs times minRetriesPerSec', async () => {
    const budget = '{ttlSecs: 4, minRetriesPerSec: 2, percentCanRetry: 0}';
    const backend = await start(
      1,
      `service: {responseClassifier: {kind: ${kind}}, retries: {budget: ${budget}}}`,
    );
    backend.script = () => ERROR;
    await answerTo(request('web'));
    assert.equal(inAll(), 1 + 8);
  });

  it('has a budget that is a share of the requests', async () => {
    const budget = '{minRetriesPerSec: 0, percentCanRetry: 0.5}';
    const backend = await start(
      1,
      `service: {responseClassifier: {kind: ${kind}}, retries: {budget: ${budget}}}`,
    );
    backend.script = () => ERROR;
    for (let i = 0; i < 10; i++) await answerTo(request('web'));
    assert.equal(inAll(), 10 + 5);
  });

  for (const [backoff, pauses] of [
    ['{kind: constant, ms: 150}', [150, 150, 150]],
    ['{kind: jittered, minMs: 150, maxMs: 150}', [150, 150, 150]],
  ] as const) {
    it(`waits as long as its backoff says: ${backoff}`, async () => {
      const retries = `{budget: {ttlSecs: 1, minRetriesPerSec: 3, percentCanRetry: 0}, backoff: ${backoff}}`;
      const backend = await start(1, `service: {responseClassifier: {kind: ${kind}}, retries: ${retries}}`);
      backend.script = () => ERROR;
      client.send(request('web'));
      for (const [i, ms] of pauses.entries()) {
        await until(() => rig.serviceStat('retries/total') === i + 1, 'a retry');
        rig.clock.advance(ms - 20);
        await settled();
        assert.equal(inAll(), i + 1);
        rig.clock.advance(40);
        await backend.untilRequests(i + 2);
      }
      assert.equal((await client.answer()).status, 500);
    });
  }
});

describe('service.totalTimeoutMs', () => {
  it('ends the retries too', async () => {
    const backoff = '{kind: constant, ms: 300}';
    const classifier = '{kind: io.l5d.http.retryableRead5XX}';
    const keys = `totalTimeoutMs: 500, responseClassifier: ${classifier}, retries: {backoff: ${backoff}}`;
    const backend = await start(1, `service: {${keys}}`);
    backend.script = () => ERROR;
    client.send(request('web'));
    for (const count of [1, 2]) {
      await backend.untilRequests(count);
      await settled();
      rig.clock.advance(320);
    }
    await client.answer();
    rig.clock.advance(1000);
    await settled();
    assert.equal(inAll(), 2);
  });
});

describe('service.responseClassifier', () => {
  const methods = ['GET', 'PUT', 'POST'];
  const kinds: [string, string[], string][] = [
    ['nonRetryable5XX', [], '0.0'],
    ['retryableRead5XX', ['GET'], '0.0'],
    ['retryableIdempotent5XX', ['GET', 'PUT'], '0.0'],
    ['retryableAll5XX', ['GET', 'PUT', 'POST'], '0.0'],
    ['allSuccessful', [], '1.0'],
  ];
  for (const [kind, retried, fraction] of kinds) {
    it(`decides what is retried, and what counts as a success: ${kind}`, async () => {
      const budget = '{ttlSecs: 1, minRetriesPerSec: 3, percentCanRetry: 0}';
      const classifier = `responseClassifier: {kind: io.l5d.http.${kind}}`;
      const backend = await start(1, `service: {${classifier}, retries: {budget: ${budget}}}`);
      backend.script = () => ERROR;
      const found: string[] = [];
      for (const method of methods) {
        const before = inAll();
        const answer = await answerTo(request('web', method));
        assert.equal(header(answer, 'l5d-success-class'), fraction);
        if (inAll() > before + 1) found.push(method);
        rig.clock.advance(1100);
      }
      assert.deepEqual(found, retried);
      const successes = fraction === '1.0' ? methods.length : 0;
      assert.equal(rig.serviceStat('success'), successes);
      assert.equal(rig.serverStat('success'), successes);
    });
  }
});

describe('Entries with a prefix', () => {
  it('apply in order, the last one that has a key decides: client', async () => {
    const backend = await start(
      1,
      `client:
  kind: io.l5d.static
  configs:
  - {prefix: /, requestAttemptTimeoutMs: 300}
  - {prefix: "/#/test/{any}", clientSession: {idleTimeMs: 1000}}
  - {prefix: /#/test/other, requestAttemptTimeoutMs: 900}
`,
    );
    rig.bind('other', backends);
    for (const [host, ms] of [
      ['web', 300],
      ['other', 900],
    ] as const) {
      backend.script = () => undefined;
      const before = inAll();
      client.send(request(host));
      await backend.untilRequests(before + 1);
      rig.clock.advance(ms - 20);
      await settled();
      assert.equal(client.text, '', host);
      rig.clock.advance(40);
      assert.equal((await client.answer()).status, 503, host);
    }
    backend.script = () => OK;
    assert.equal((await answerTo(request('web'))).status, 200);
    rig.clock.advance(1100);
    await until(() => backend.open === 0, 'the end of an idle connection');
  });

  it('apply in order, the last one that has a key decides: service', async () => {
    const backend = await start(
      1,
      `service:
  kind: io.l5d.static
  configs:
  - {prefix: /svc, retries: {budget: {ttlSecs: 1, minRetriesPerSec: 2, percentCanRetry: 0}}}
  - {prefix: /svc/web, responseClassifier: {kind: io.l5d.http.retryableRead5XX}}
  - {prefix: /svc/other, responseClassifier: {kind: io.l5d.http.allSuccessful}}
`,
    );
    rig.bind('other', backends);
    backend.script = () => ERROR;
    assert.equal(header(await answerTo(request('web')), 'l5d-success-class'), '0.0');
    assert.equal(inAll(), 3);
    assert.equal(header(await answerTo(request('other')), 'l5d-success-class'), '1.0');
    assert.equal(inAll(), 4);
  });
});
