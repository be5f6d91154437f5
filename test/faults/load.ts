/** A load at a fixed rate, each request with an id of its own, and an account of what became of them. */
import { Agent, request } from 'node:http';
import { BODY_BYTES } from './messages.ts';

export type LoadOptions = {
  readonly port: number;
  readonly host?: string;
  readonly getsPerSecond?: number;
  readonly postsPerSecond?: number;
  readonly connections?: number;
  readonly localAddress?: string;
  /** Part of the requests that the caller gives up at once. */
  readonly abort?: number;
};

type Kind = 'GET' | 'POST';
let number = 0;

export class Load {
  sent = 0;
  readonly ok = { GET: 0, POST: 0 };
  readonly failed = { GET: 0, POST: 0 };
  /** Complete answers with another body than the one that was asked for. */
  wrong = 0;
  /** Failures by their text. */
  readonly reasons = new Map<string, number>();
  /** When each endpoint has answered last (performance.now()). */
  readonly seenMs = new Map<string, number>();
  lastFailureMs = 0;
  readonly latencies: number[] = [];
  readonly failureLatencies: number[] = [];
  readonly #options: LoadOptions;
  readonly #agent: Agent;
  readonly #timer: NodeJS.Timeout;
  #inFlight = 0;
  #idle: (() => void) | undefined;
  #startedMs = performance.now();
  #due = { GET: 0, POST: 0 };

  constructor(options: LoadOptions) {
    this.#options = options;
    const { connections = 32, localAddress } = options;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: connections,
      ...(localAddress && { localAddress }),
    });
    this.#timer = setInterval(() => this.#turn(), 5);
  }

  get failures(): number {
    return this.failed.GET + this.failed.POST + this.wrong;
  }

  /** Sends nothing more, and waits for what has been sent. */
  async stop(): Promise<this> {
    clearInterval(this.#timer);
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#agent.destroy();
    return this;
  }

  percentile(part: number, of = this.latencies): number {
    return of.toSorted((a, b) => a - b)[Math.floor(part * (of.length - 1))] ?? 0;
  }

  /** From now on latencies are those of what is sent from now on. */
  forgetLatencies(): void {
    this.latencies.length = 0;
    this.failureLatencies.length = 0;
  }

  #turn(): void {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const { getsPerSecond = 300, postsPerSecond = 30 } = this.#options;
    for (; this.#due.GET < seconds * getsPerSecond; this.#due.GET++) this.#send('GET');
    for (; this.#due.POST < seconds * postsPerSecond; this.#due.POST++) this.#send('POST');
  }

  #send(method: Kind): void {
    const { port, host = 'web', abort = 0 } = this.#options;
    const id = `r${++number}`;
    const fromMs = performance.now();
    let told = false;
    const over = (reason: string | undefined, text = ''): void => {
      // An answer that is cut is told of twice.
      if (told) return;
      told = true;
      this.#over(method, { id, fromMs, reason, text });
    };
    this.#inFlight++;
    this.sent++;
    const sent = request(
      { host: '127.0.0.1', port, method, path: `/${id}`, agent: this.#agent, headers: { host } },
      (response) => {
        let text = '';
        response.setEncoding('latin1');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', (error) => over(error.message));
        response.on('end', () =>
          over(response.statusCode === 200 ? undefined : `${response.statusCode}`, text),
        );
      },
    );
    if (Math.random() < abort) {
      // Whatever comes of it.
      told = true;
      sent.on('error', () => {});
      sent.on('close', () => this.#gone());
      sent.flushHeaders();
      setTimeout(() => sent.destroy(new Error('given up')), 1);
      return;
    }
    sent.on('error', (error) => over(error.message));
    sent.end(method === 'POST' ? 'x'.repeat(100) : undefined);
  }

  #over(
    method: Kind,
    { id, fromMs, reason, text }: { id: string; fromMs: number; reason: string | undefined; text: string },
  ): void {
    const nowMs = performance.now();
    if (reason !== undefined) {
      this.failed[method]++;
      this.lastFailureMs = nowMs;
      this.failureLatencies.push(nowMs - fromMs);
      const key = `${method} ${reason}`;
      this.reasons.set(key, (this.reasons.get(key) ?? 0) + 1);
    } else if (!text.startsWith(`${id} `) || text.length !== BODY_BYTES) this.wrong++;
    else {
      this.ok[method]++;
      this.latencies.push(nowMs - fromMs);
      this.seenMs.set(text.slice(id.length + 1).trim(), nowMs);
    }
    this.#gone();
  }

  #gone(): void {
    this.#inFlight--;
    if (this.#inFlight === 0) this.#idle?.();
  }
}
