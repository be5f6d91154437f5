/**
 * Many callers at once over few connections to endpoints that misbehave: each gets its own answer, or an
 * error.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { noSocketsLeft, Rig } from '../support/rig.ts';
import { type Message, readResponse } from './strict-reader.ts';
import { echoBody, Upstream } from './upstream.ts';

const CALLERS = 50;
const EACH = 30;

after(noSocketsLeft);

const response = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const chunked = (body: string): string =>
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const POISON = response('POISON');

/** One answer in some is followed, or replaced, by something that must not reach anybody. */
function poisonous(request: Message, turn: number): string {
  const body = echoBody(request);
  if (turn % 7 === 0) return response(body) + POISON;
  if (turn % 11 === 0) return chunked(body) + POISON;
  if (turn % 13 === 0) return `HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nPOISON`;
  if (turn % 17 === 0) return `HTTP/1.1 204 No\r\n\r\n${POISON}`;
  return turn % 2 === 0 ? response(body) : chunked(body);
}

/** The id that a request carries in its target and in its body. */
const idOf = (caller: number, n: number): string => `c${caller}n${n}`;

function requestText(id: string, n: number): string {
  if (n % 3 === 0) return `GET /${id} HTTP/1.1\r\nHost: web\r\n\r\n`;
  const body = id.repeat(n % 5 === 0 ? 2000 : 3);
  if (n % 3 === 1)
    return `POST /${id} HTTP/1.1\r\nHost: web\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const size = body.length.toString(16);
  return `POST /${id} HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n${body}\r\n0\r\n\r\n`;
}

/** Sends its requests, some of them pipelined, and checks every answer; returns how many were its echo. */
async function caller(rig: Rig, number: number): Promise<number> {
  const client = await rig.connect();
  let own = 0;
  for (let n = 0; n < EACH; ) {
    const ids = Array.from({ length: Math.min(1 + (n % 4), EACH - n) }, (_, i) => idOf(number, n + i));
    client.send(ids.map((id, i) => requestText(id, n + i)).join(''));
    for (const id of ids) {
      const before = client.text;
      const { status, body } = await client.answer();
      assert.ok(!body.includes('POISON'), `poison for ${id}`);
      if (status === 200) {
        assert.match(body, new RegExp(`^(?:GET|POST) /${id} HTTP/1.1 `), `another's answer for ${id}`);
        own++;
      } else assert.ok(status === 204 || status === 502, `status ${status} for ${id}`);
      assert.ok(before === '' || readResponse(before, false, false) !== undefined || client.text !== before);
    }
    n += ids.length;
  }
  await client.close();
  return own;
}

describe('Crosstalk', () => {
  it(`does not happen: ${CALLERS} callers, ${EACH} requests each, over 8 connections of two endpoints`, async () => {
    let turn = 0;
    const upstreams = [
      await Upstream.start((request) => poisonous(request, ++turn)),
      await Upstream.start((request) => poisonous(request, ++turn)),
    ];
    const rig = await Rig.start({
      client: { hostConnectionPool: { minSize: 0, maxSize: 4, maxWaiters: 1000 } },
    });
    rig.addresses('web', upstreams);
    rig.tree('web', { type: 'leaf', value: rig.bound('web') });
    const own = await Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(rig, number)));
    const sum = own.reduce((a, b) => a + b);
    assert.ok(sum > CALLERS * EACH * 0.75, `${sum} answers of ${CALLERS * EACH}`);
    for (const upstream of upstreams) {
      assert.deepEqual(upstream.ambiguous, []);
      const posts = upstream.requests.map(({ line }) => line).filter((line) => line.startsWith('POST'));
      assert.equal(new Set(posts).size, posts.length, 'a POST came twice');
    }
    await rig.close();
    for (const upstream of upstreams) await upstream.close();
  });
});
