/** Names that are pending, absent, failed or change, over real sockets. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { leaf } from '../../../dtab/names.ts';
import { Failure } from '../../../src/base/failure.ts';
import { header } from '../../support/raw-client.ts';
import { noSocketsLeft, Rig, type RigOptions } from '../../support/rig.ts';
import { OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: web\r\n\r\n';

let a: ScriptedBackend;
let b: ScriptedBackend;
let rig: Rig;
const start = async (options: RigOptions): Promise<void> => {
  await rig.close();
  rig = await Rig.start(options);
};
beforeEach(async () => {
  a = await ScriptedBackend.start();
  b = await ScriptedBackend.start();
  rig = await Rig.start();
});
afterEach(async () => {
  await rig.close();
  await a.close();
  await b.close();
});
after(noSocketsLeft);

describe('A name', () => {
  it('that is pending is waited for, and the request then goes through', async () => {
    rig.pend('web');
    const client = await rig.connect();
    client.send(GET);
    await until(() => rig.serviceStat('pending') === 1, 'the request');
    await settled();
    assert.equal(client.text, '');
    rig.bind('web', [a]);
    assert.equal((await client.answer()).status, 200);
  });

  it('whose address set is pending is waited for too', async () => {
    rig.tree('web', leaf(rig.bound('web')));
    const client = await rig.connect();
    client.send(GET);
    await until(() => rig.serviceStat('pending') === 1, 'the request');
    rig.addresses('web', [a]);
    assert.equal((await client.answer()).status, 200);
  });

  it('that stays pending leads to 502 at the binding timeout', async () => {
    rig.pend('web');
    const client = await rig.connect();
    client.send(GET);
    await until(() => rig.serviceStat('pending') === 1, 'the request');
    rig.clock.advance(10_050);
    const answer = await client.answer();
    assert.equal(answer.status, 502);
    assert.match(answer.body, /^Exceeded 10\.seconds binding timeout while resolving name: \/svc\/web/);
    rig.tree('late', leaf(rig.bound('late')));
    client.send('GET / HTTP/1.1\r\nHost: late\r\n\r\n');
    await until(() => rig.serviceStat('pending', 'late') === 1, 'the request');
    rig.clock.advance(10_050);
    const late = await client.answer();
    assert.equal(late.status, 502);
    assert.match(late.body, /binding timeout while connecting to \/#\/test\/late for name: \/svc\/late/);
  });

  it('that does not exist leads to 502 with the text that linkerd has', async () => {
    const client = await rig.connect();
    client.send('GET / HTTP/1.1\r\nHost: nowhere\r\n\r\n');
    const answer = await client.answer();
    assert.equal(answer.status, 502);
    assert.match(
      answer.body,
      /^Unable to route request!\n\nservice name: \/svc\/nowhere\ndtab:\n\nbase dtab:\n {2}\/svc => \/#\/io\.l5d\.fs\noverride dtab:\n\n/,
    );
    assert.match(header(answer, 'l5d-err') ?? '', /^Unable\+to\+route\+request%21/);
    assert.equal(header(answer, 'l5d-success-class'), undefined);
    client.send('GET / HTTP/1.1\r\nHost: nowhere\r\nl5d-dtab: /svc/a=>/svc/b\r\n\r\n');
    assert.match((await client.answer()).body, /override dtab:\n {2}\/svc\/a => \/svc\/b\n/);
  });

  it('with an empty set of addresses leads to 502', async () => {
    rig.bind('web', []);
    const client = await rig.connect();
    client.send(GET);
    const answer = await client.answer();
    assert.equal(answer.status, 502);
    assert.match(answer.body, /^Unable to route request!/);
    assert.match(answer.body, /has no endpoints/);
  });

  it('that failed leads to that failure at once, until it recovers', async () => {
    rig.failName('web', new Failure('naming', 'the namer is unwell', true));
    const client = await rig.connect();
    client.send(GET);
    const answer = await client.answer();
    assert.equal(answer.status, 502);
    assert.match(answer.body, /^the namer is unwell/);
    rig.bind('web', [a]);
    client.send(GET);
    assert.equal((await client.answer()).status, 200);
  });

  it('keeps what was last known when it fails or becomes pending', async () => {
    rig.bind('web', [a]);
    const client = await rig.connect();
    client.send(GET);
    await client.answer();
    rig.failName('web', new Failure('naming', 'gone', true));
    client.send(GET);
    assert.equal((await client.answer()).status, 200);
    rig.pend('web');
    client.send(GET);
    assert.equal((await client.answer()).status, 200);
    rig.addr('web').set({ type: 'failed', failure: new Failure('naming', 'gone', true) });
    client.send(GET);
    assert.equal((await client.answer()).status, 200);
    rig.addr('web').set({ type: 'neg' });
    client.send(GET);
    assert.equal((await client.answer()).status, 502);
  });

  it('that changes takes the next request elsewhere, while those in flight finish where they are', async () => {
    rig.bind('web', [a], 'one');
    a.script = () => undefined;
    const first = await rig.connect();
    first.send(GET);
    await a.untilRequests(1);
    rig.bind('web', [b], 'two');
    const second = await rig.connect();
    second.send(GET);
    assert.equal((await second.answer()).status, 200);
    assert.equal(b.requests.length, 1);
    assert.equal(header(b.requests[0]!, 'l5d-dst-client'), '/#/test/two');
    a.connections[0]!.write(OK);
    assert.equal((await first.answer()).status, 200);
  });

  it('that is a union is spread by weight', async () => {
    rig.addresses('one', [a]);
    rig.addresses('two', [b]);
    rig.tree('web', {
      type: 'union',
      trees: [
        { weight: 3, tree: leaf(rig.bound('one')) },
        { weight: 1, tree: leaf(rig.bound('two')) },
      ],
    });
    const client = await rig.connect();
    for (let i = 0; i < 200; i++) {
      client.send(GET);
      await client.answer();
    }
    assert.ok(Math.abs(a.requests.length - 150) < 25, `${a.requests.length} of 200`);
  });

  it('that is a status is answered by the router, body and all of the rules included', async () => {
    rig.bind('web', []);
    rig.addresses('web', [], { status: 404 });
    const client = await rig.connect();
    client.send(`${GET}HEAD / HTTP/1.1\r\nHost: web\r\n\r\n`);
    const answer = await client.answer();
    assert.equal(answer.line, 'HTTP/1.1 404 Not Found');
    assert.equal(answer.body, '');
    assert.equal(header(answer, 'via'), '1.1 turnout');
    assert.equal((await client.answer(true)).status, 404);
    client.send('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 100000\r\n\r\nhello');
    assert.equal((await client.answer()).status, 404);
    await client.untilEnded();
  });
});

describe('The binding cache', () => {
  it('of one entry serves many names, and those in use are not closed', async () => {
    await start({
      router: { bindingCache: { paths: 1, trees: 1, bounds: 1, clients: 1, idleTtlMs: 600000 } },
    });
    rig.bind('a', [a]);
    rig.bind('b', [b]);
    a.script = () => undefined;
    const first = await rig.connect();
    first.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await a.untilRequests(1);
    const second = await rig.connect();
    second.send('GET / HTTP/1.1\r\nHost: b\r\n\r\n');
    assert.equal((await second.answer()).status, 200);
    assert.ok(rig.stats.value('rt/http/bindcache/path/oneshots') >= 1);
    await until(() => b.open === 0, 'the end of a client that was for one request only');
    a.connections[0]!.write(OK);
    assert.equal((await first.answer()).status, 200);
    second.send('GET / HTTP/1.1\r\nHost: b\r\n\r\n');
    assert.equal((await second.answer()).status, 200);
    assert.equal(rig.stats.value('rt/http/bindcache/path/evicts'), 1);
  });

  it('closes what nobody asked for within its idle time, except the last', async () => {
    await start({ router: { bindingCache: { paths: 9, trees: 9, bounds: 9, clients: 9, idleTtlMs: 1000 } } });
    rig.bind('a', [a]);
    rig.bind('b', [b]);
    const client = await rig.connect();
    for (const host of ['a', 'b']) {
      client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await client.answer();
    }
    assert.ok(rig.name('/svc/a').observed);
    rig.clock.advance(2500);
    assert.equal(rig.name('/svc/a').observed, false, 'nobody watches it any more');
    assert.ok(rig.name('/svc/b').observed);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal((await client.answer()).status, 200);
  });

  it('takes requests that wait for a name along when the tree moves on meanwhile', async () => {
    await start({
      router: { bindingCache: { paths: 9, trees: 0, bounds: 0, clients: 0, idleTtlMs: 600000 } },
    });
    rig.tree('web', leaf(rig.bound('never')));
    const client = await rig.connect();
    client.send(GET);
    await until(() => rig.serviceStat('pending') === 1, 'the request');
    rig.bind('web', [a], 'found');
    assert.equal((await client.answer()).status, 200);
  });
});

describe('Draining', () => {
  it('closes idle connections, and busy ones after an answer that says so', async () => {
    rig.bind('web', [a]);
    a.script = ({ target }) => (target === '/slow' ? undefined : OK);
    const idle = await rig.connect();
    const busy = await rig.connect();
    idle.send(GET);
    await idle.answer();
    busy.send('GET /slow HTTP/1.1\r\nHost: web\r\n\r\n');
    await a.untilRequests(2);
    let drained = false;
    const done = rig.server.drain().then(() => {
      drained = true;
    });
    rig.clock.advance(1020);
    await idle.untilEnded();
    await until(() => !rig.server.listening, 'the end of the listener');
    await assert.rejects(() => rig.connect(), 'nobody listens any more');
    await settled();
    assert.equal(drained, false);
    a.requests[1]!.connection.write(OK);
    const last = await busy.answer();
    assert.equal(last.status, 200);
    assert.equal(header(last, 'connection'), 'close');
    await busy.untilEnded();
    idle.end();
    busy.end();
    await done;
    assert.equal(rig.server.connections, 0);
  });

  it('does not wait for callers that leave their side open', async () => {
    rig.bind('web', [a]);
    const idle = await rig.connect();
    idle.send(GET);
    await idle.answer();
    const done = rig.server.drain();
    rig.clock.advance(1020);
    await idle.untilEnded();
    rig.clock.advance(2100);
    await done;
  });

  it('closes at once what has been quiet for a second', async () => {
    const quiet = await rig.connect();
    await until(() => rig.server.connections === 1, 'the connection');
    rig.clock.advance(1000);
    void rig.server.drain();
    rig.clock.advance(20);
    await quiet.untilEnded();
  });

  it('answers one more request of a caller that was just active, and says that it is the last', async () => {
    rig.bind('web', [a]);
    const client = await rig.connect();
    await client.send(GET).answer();
    void rig.server.drain();
    rig.clock.advance(900);
    const last = await client.send(GET).answer();
    assert.equal(last.status, 200);
    assert.equal(header(last, 'connection'), 'close');
    await client.untilEnded();
  });

  it('serves whoever has connected, before and behind the drain', async () => {
    rig.bind('web', [a]);
    const clients = [rig.connect(), rig.connect(), rig.connect()];
    void rig.server.drain();
    for (const client of await Promise.all(clients)) {
      const answer = await client.send(GET).answer();
      assert.equal(answer.status, 200);
      assert.equal(header(answer, 'connection'), 'close');
    }
    await until(() => !rig.server.listening, 'the end of the listener');
    await assert.rejects(() => rig.connect());
  });

  it('tells how much it cuts when time is up', async () => {
    rig.bind('web', [a]);
    a.script = () => undefined;
    const [busy, idle] = [await rig.connect(), await rig.connect()];
    busy.send(GET);
    await a.untilRequests(1);
    await until(() => rig.server.connections === 2, 'both connections');
    void rig.server.drain();
    assert.equal(rig.server.close(), 1);
    assert.equal(rig.serverStat('cut'), 1);
    await busy.untilEnded();
    idle.end();
  });
});
