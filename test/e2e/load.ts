/** A bounded load of GETs over keep-alive connections: a steady rate, and an account of every answer. */
import { Agent, request } from 'node:http';
import { after } from 'node:test';

export type Tally = {
  /** Answers by their text, or `status <code>` for those that are not 200, or the error. */
  readonly answers: Map<string, number>;
  /** The last answer that was seen. */
  last: string;
};

export type Load = { readonly tally: Tally; stop(): Promise<Tally> };

const IN_FLIGHT_MAX = 64;

/** Sends `perSecond` requests to the service through the router until it is stopped. */
export function startLoad(port: number, service: string, perSecond: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT_MAX });
  const tally: Tally = { answers: new Map(), last: '' };
  let inFlight = 0;
  let idle: (() => void) | undefined;
  const count = (answer: string): void => {
    tally.answers.set(answer, (tally.answers.get(answer) ?? 0) + 1);
    tally.last = answer;
    inFlight--;
    if (inFlight === 0) idle?.();
  };
  const send = (): void => {
    if (inFlight >= IN_FLIGHT_MAX) return;
    inFlight++;
    const sent = request({ host: '127.0.0.1', port, agent, headers: { host: service } }, (response) => {
      let text = '';
      response.setEncoding('latin1');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', (error) => count(error.message));
      response.on('end', () => count(response.statusCode === 200 ? text : `status ${response.statusCode}`));
    });
    sent.on('error', (error) => count(error.message));
    sent.end();
  };
  const timer = setInterval(send, 1000 / perSecond);
  // A test that fails does not come to its end, and the process would not either.
  after(() => clearInterval(timer));
  return {
    tally,
    async stop() {
      clearInterval(timer);
      if (inFlight > 0) {
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      }
      agent.destroy();
      return tally;
    },
  };
}

/** Resolves when `done` answers true; rejects after `limitMs`. */
export async function eventually(what: string, done: () => boolean, limitMs: number): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!done()) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
