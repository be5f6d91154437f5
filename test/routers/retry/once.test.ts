/** What goes wrong with an attempt, and whether the request is sent again: one that is streamed never is. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { noSocketsLeft, Rig } from '../../support/rig.ts';
import { type BackendConnection, OK, ScriptedBackend } from '../../support/scripted-backend.ts';
import { settled, until } from '../../support/until.ts';

/** What the endpoint does when it has the whole request. */
const FAULTS: Record<string, (connection: BackendConnection) => string | undefined> = {
  'an error': () => 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n',
  'an error of another router that may be retried': () =>
    'HTTP/1.1 502 Bad\r\nl5d-err: x\r\nl5d-retryable: true\r\nContent-Length: 0\r\n\r\n',
  'a nack': () =>
    'HTTP/1.1 503 Busy\r\nfinagle-http-nack: true\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n',
  'a reset': (connection) => void connection.reset(),
  'an end without an answer': (connection) => void connection.end(),
  'half a head': (connection) => {
    connection.write('HTTP/1.1 200 OK\r\nConte');
    connection.end();
    return undefined;
  },
  'an answer that cannot be read': () => 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n',
  'no answer in time': () => undefined,
};
const ATTEMPT_MS = 300;
const put = (framing: string, body: string): string =>
  `PUT /once HTTP/1.1\r\nHost: web\r\n${framing}\r\n\r\n${body}`;
const STREAMED = {
  chunked: put('Transfer-Encoding: chunked', '2\r\nhi\r\n0\r\n\r\n'),
  long: put('Content-Length: 6000', 'x'.repeat(6000)),
};

let rig: Rig;
let backend: ScriptedBackend;
beforeEach(async () => {
  backend = await ScriptedBackend.start();
  rig = await Rig.over([backend], {
    client: { failureAccrual: { kind: 'none' }, requestAttemptTimeoutMs: ATTEMPT_MS },
    service: { responseClassifier: { kind: 'io.l5d.http.retryableAll5XX' } },
  });
});
afterEach(async () => {
  await rig.close();
  await backend.close();
});
after(noSocketsLeft);

/** How often the request is sent when the first attempt fails, on a connection that has served another. */
async function timesSent(text: string, fault: (connection: BackendConnection) => string | undefined) {
  const client = await rig.connect();
  await client.send('GET /before HTTP/1.1\r\nHost: web\r\n\r\n').answer();
  const sent = () => backend.requests.filter(({ target }) => target === '/once').length;
  backend.script = ({ connection }) => (sent() === 1 ? fault(connection) : OK);
  client.send(text);
  await until(() => sent() === 1, 'the first attempt');
  await settled();
  if (client.text === '' && sent() === 1) rig.clock.advance(ATTEMPT_MS + 20);
  await client.answer();
  await settled();
  return sent();
}

describe('A request whose attempt ends with', () => {
  for (const [what, fault] of Object.entries(FAULTS)) {
    it(`${what} is sent again when it can be, and its classifier says so`, async () => {
      assert.equal(await timesSent(put('Content-Length: 2', 'hi'), fault), 2);
    });
    for (const [framing, text] of Object.entries(STREAMED)) {
      it(`${what} is never sent again when it is streamed (${framing})`, async () => {
        assert.equal(await timesSent(text, fault), 1);
      });
    }
  }
});
