/**
 * A router with an endpoint, on which raw cases run one after the other, and the run of one case: its bytes,
 * then a request of the same caller and one of another, which must get their own answers.
 */
import assert from 'node:assert/strict';
import type { RawClient } from '../support/raw-client.ts';
import { Rig, type RigOptions } from '../support/rig.ts';
import { settled, until } from '../support/until.ts';
import type { ExpectedAnswer, ExpectedRequest, LaneKind, RawCase } from './raw-case.ts';
import { type Message, readResponse, valuesOf } from './strict-reader.ts';
import { echoBody, Upstream } from './upstream.ts';

const SLOW_MS = 120;
const OPTIONS: Readonly<Record<LaneKind, RigOptions>> = {
  plain: {},
  buffered: { router: { streamAfterBytes: Number.POSITIVE_INFINITY } },
  slow: {
    server: { headTimeoutMs: SLOW_MS, bodyIdleTimeoutMs: SLOW_MS, idleTimeMs: 3 * SLOW_MS },
    client: { connectTimeoutMs: SLOW_MS, bodyIdleTimeoutMs: SLOW_MS, requestAttemptTimeoutMs: 2 * SLOW_MS },
  },
};

export class Lane {
  readonly rig: Rig;
  readonly upstream: Upstream;
  #other: RawClient | undefined;
  #turn = 0;
  readonly #ticking: NodeJS.Timeout | undefined;

  private constructor(rig: Rig, upstream: Upstream, ticks: boolean) {
    this.rig = rig;
    this.upstream = upstream;
    rig.addresses('web', [upstream]);
    rig.tree('web', { type: 'leaf', value: rig.bound('web') });
    if (ticks) this.#ticking = setInterval(() => rig.clock.advance(10), 10);
  }

  static async open(kind: LaneKind): Promise<Lane> {
    return new Lane(await Rig.start(OPTIONS[kind]), await Upstream.start(), kind === 'slow');
  }

  async close(): Promise<void> {
    clearInterval(this.#ticking);
    await this.rig.close();
    await this.upstream.close();
  }

  async run(each: RawCase): Promise<void> {
    const { rig, upstream } = this;
    const turn = ++this.#turn;
    await this.#prepare(each);
    upstream.begin(each.upstream ?? []);
    const client = await rig.connect();
    const pieces = [each.send].flat();
    for (const [i, text] of pieces.entries()) {
      if (i > 0) await settled(6);
      client.send(text);
    }
    await this.#hangUp(each, client);
    const echoes = await this.#answers(each, client);
    if (each.closed) await client.untilEnded();
    else assert.equal(client.ended || client.closed, false, 'the connection has been closed');
    if (each.hangUp !== 'reset') assert.equal(client.text, '', 'more than the answers');
    const next = each.closed || each.hangUp !== undefined ? await rig.connect() : client;
    await this.#own(next, `/next-${turn}`);
    await this.#own(await this.#otherClient(), `/other-${turn}`);
    client.socket.destroy();
    next.socket.destroy();
    await this.#compare(each, echoes, [`GET /next-${turn} HTTP/1.1`, `GET /other-${turn} HTTP/1.1`]);
  }

  /** With a script the case begins without a connection to the endpoint, or with one that has been used. */
  async #prepare({ upstream: steps, warm }: RawCase): Promise<void> {
    const other = await this.#otherClient();
    if (steps === undefined) return;
    this.upstream.begin([]);
    this.upstream.drop();
    await until(() => this.rig.clientStat('connections') === 0 && this.upstream.open === 0, 'no connection');
    if (warm === true) await this.#own(other, '/warm');
  }

  async #otherClient(): Promise<RawClient> {
    const other = this.#other;
    if (other !== undefined && !other.ended && !other.closed) return other;
    other?.socket.destroy();
    this.#other = await this.rig.connect();
    return this.#other;
  }

  async #hangUp({ hangUp }: RawCase, client: RawClient): Promise<void> {
    if (hangUp === undefined) return;
    await settled(12);
    if (hangUp === 'end') client.end();
    else client.reset();
  }

  /** The answers of the case in turn; returns the bodies that must be echoes. */
  async #answers(each: RawCase, client: RawClient): Promise<string[]> {
    const echoes: string[] = [];
    for (const expected of each.expectClient) {
      const wanted: ExpectedAnswer = typeof expected === 'number' ? { status: expected } : expected;
      const message = await this.#answer(client, wanted);
      if (message === undefined) continue;
      compareMessage(message, wanted, 'answer');
      const status = Number(message.line.slice(9, 12));
      assert.ok([wanted.status].flat().includes(status), `answer ${message.line}: ${message.body}`);
      const { body } = wanted;
      if (body instanceof RegExp) assert.match(message.body, body);
      else if (body !== undefined) assert.equal(message.body, body);
      else if (status === 200 && wanted.head !== true) echoes.push(message.body);
    }
    return echoes;
  }

  async #answer(client: RawClient, wanted: ExpectedAnswer): Promise<Message | undefined> {
    const atEnd = () => client.ended && client.error === undefined;
    const look = () => readResponse(client.text, wanted.head === true, atEnd());
    const so = () => `an answer; so far ${JSON.stringify(client.text.slice(0, 300))}`;
    await until(() => look() !== undefined || client.ended || client.closed, so);
    const read = look();
    if (wanted.cut === true) {
      assert.equal(read, undefined, 'the answer looks complete');
      assert.match(client.text, new RegExp(`^HTTP/1.1 ${[wanted.status].flat().join('|')} `));
      client.text = '';
      return undefined;
    }
    if (read === undefined) throw new Error(`closed without ${so()}`);
    client.text = client.text.slice(read.length);
    return read.message;
  }

  async #own(client: RawClient, target: string): Promise<void> {
    client.send(`GET ${target} HTTP/1.1\r\nHost: web\r\n\r\n`);
    const message = await this.#answer(client, { status: 200 });
    assert.equal(message?.line, 'HTTP/1.1 200 OK', `${target}: ${message?.body}`);
    assert.equal(message?.body, `GET ${target} HTTP/1.1 0:`);
  }

  async #compare(each: RawCase, echoes: readonly string[], later: readonly string[]): Promise<void> {
    const { upstream } = this;
    const expected = [...each.expectUpstream, ...later].map((one) =>
      typeof one === 'string' ? { line: one } : one,
    );
    assert.deepEqual(upstream.ambiguous, [], 'ambiguous upstream');
    assert.deepEqual(
      upstream.requests.map(({ line }) => line),
      expected.map(({ line }) => line),
    );
    for (const [i, one] of expected.entries()) compareRequest(upstream.requests[i] as Message, one);
    if (echoes.length > 0) {
      const possible = upstream.requests.map(echoBody);
      const from = each.upstream?.length ?? 0;
      for (const [i, echo] of echoes.entries())
        assert.equal(echo, possible[from + i], 'the answer of another request');
    }
    await until(() => upstream.unfinished.length === 0, 'the end of a request that was only begun');
    if (each.partial !== true) assert.deepEqual(upstream.partials, [], 'a part of a request went upstream');
    assert.equal(this.rig.serverStat('pending'), 0, 'pending');
  }
}

function compareMessage(
  message: Message,
  wanted: Omit<ExpectedRequest, 'line'> | ExpectedAnswer,
  what: string,
): void {
  if (wanted.framing !== undefined) assert.equal(message.framing, wanted.framing, `${what}: framing`);
  for (const [name, value] of Object.entries(wanted.fields ?? {})) {
    const values = valuesOf(message, name);
    assert.equal(values.length === 0 ? undefined : values.join(' | '), value, `${what}: field ${name}`);
  }
  if (wanted.trailers !== undefined) {
    assert.deepEqual(
      message.trailers.map(([name, value]) => `${name}: ${value}`),
      wanted.trailers,
    );
  }
}

function compareRequest(message: Message, wanted: ExpectedRequest): void {
  compareMessage(message, wanted, wanted.line);
  if (wanted.body !== undefined) assert.equal(message.body, wanted.body, `${wanted.line}: body`);
}
