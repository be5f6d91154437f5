/** Whole streams of requests through a connection of the router: however they are split, the same happens. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { echoBody, Upstream } from '../raw/upstream.ts';
import { noSocketsLeft, Rig } from '../support/rig.ts';
import { settled, until } from '../support/until.ts';
import { splits } from './corpus.ts';
import { requestStreams } from './messages.ts';

describe('A connection of a caller', () => {
  let rig: Rig;
  let upstream: Upstream;
  before(async () => {
    rig = await Rig.start({ router: { identifiers: [{ kind: 'io.l5d.static', path: '/web' }] } });
    upstream = await Upstream.start();
    rig.addresses('web', [upstream]);
    rig.tree('web', { type: 'leaf', value: rig.bound('web') });
  });
  after(async () => {
    await rig.close();
    await upstream.close();
    await noSocketsLeft();
  });

  /** Requests that went upstream whole, and the status lines that came back. */
  async function outcome(bytes: string, cuts: readonly number[]): Promise<unknown> {
    upstream.begin([]);
    const client = await rig.connect();
    let from = 0;
    for (const to of cuts) {
      client.send(bytes.slice(from, to));
      from = to;
      await settled(2);
    }
    client.send(bytes.slice(from)).end();
    await until(() => client.ended || client.closed, 'the end');
    await client.close();
    assert.deepEqual(upstream.ambiguous, []);
    return {
      requests: upstream.requests.map(echoBody),
      statuses: client.text.match(/HTTP\/1\.1 [2-5]\d\d/g) ?? [],
    };
  }

  it('does the same with the same bytes, however they are split', async () => {
    const property = fc.asyncProperty(requestStreams, splits, async (bytes, fractions) => {
      const cuts = fractions.map((each) => Math.floor(each * bytes.length)).sort((a, b) => a - b);
      const whole = await outcome(bytes, []);
      assert.deepEqual(await outcome(bytes, cuts), whole);
    });
    await fc.assert(property, {
      numRuns: 100_000,
      interruptAfterTimeLimit: 5000,
      markInterruptAsFailure: false,
    });
  });
});
