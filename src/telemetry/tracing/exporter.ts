/**
 * Sends spans to a collector over HTTP, in batches, from the control thread. It is bounded in every way: what
 * waits, how long an answer may take, how often a collector that is away is asked. Spans that cannot be kept
 * are dropped and counted; a trouble is logged once, and again only after sending has worked.
 */
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../../base/clock.ts';
import { type Closable, nothingToClose } from '../../base/closable.ts';
import { http } from '../../base/http.ts';
import type { Log } from '../../base/log.ts';
import type { Counter, Scope } from '../../base/stats.ts';
import type { StoryRecord } from '../tap.ts';
import { type Span, spansOf } from './spans.ts';

const BATCH_SPANS = 512;
const BATCH_MS = 1000;
const WAITING_SPANS_MAX = 8192;
const ANSWER_MS = 5000;
const PAUSE_MS_MIN = 1000;
const PAUSE_MS_MAX = 60_000;

export type ExporterOptions = {
  /** Where batches are posted to, and how they are written. */
  readonly url: string;
  readonly body: (spans: readonly Span[]) => string;
  readonly clock: Clock;
  readonly log: Log;
  /** `tracing/<kind>` */
  readonly stats: Scope;
};

export class SpanExporter {
  readonly #options: ExporterOptions;
  readonly #sent: Counter;
  readonly #dropped: Counter;
  #waiting: Span[] = [];
  #timer: Closable = nothingToClose;
  #sending: Promise<void> | undefined;
  #pauseMs = 0;
  #closed = false;

  constructor(options: ExporterOptions) {
    this.#options = options;
    this.#sent = options.stats.counter('spans', 'sent');
    this.#dropped = options.stats.counter('spans', 'dropped');
  }

  /** Lines of stories, as the tap tells them. */
  take(lines: Buffer): void {
    for (const line of lines.toString().split('\n')) {
      if (line === '') continue;
      const spans = spansOf(JSON.parse(line) as StoryRecord);
      if (this.#waiting.length + spans.length > WAITING_SPANS_MAX) this.#dropped.add(spans.length);
      else this.#waiting.push(...spans);
    }
    this.#schedule();
  }

  /** Tries once to send what waits. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.close();
    await this.#sending;
    if (this.#waiting.length > 0) await this.#send();
    this.#dropped.add(this.#waiting.length);
  }

  #schedule(): void {
    if (this.#sending !== undefined || this.#timer !== nothingToClose || this.#closed) return;
    const full = this.#waiting.length >= BATCH_SPANS && this.#pauseMs === 0;
    this.#timer = this.#options.clock.after(full ? 0 : Math.max(BATCH_MS, this.#pauseMs), () => {
      this.#timer = nothingToClose;
      this.#sending = this.#send().finally(() => {
        this.#sending = undefined;
        if (this.#waiting.length > 0) this.#schedule();
      });
    });
  }

  async #send(): Promise<void> {
    const spans = this.#waiting.splice(0, BATCH_SPANS);
    const trouble = await post(this.#options.url, this.#options.body(spans));
    if (trouble === undefined) {
      this.#sent.add(spans.length);
      this.#pauseMs = 0;
      return;
    }
    const { log, url } = this.#options;
    if (this.#pauseMs === 0) log.warn('spans cannot be sent; trying again', { url, reason: trouble.reason });
    this.#pauseMs = Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, this.#pauseMs * 2));
    // What the collector refuses it would refuse again.
    if (trouble.final || this.#waiting.length + spans.length > WAITING_SPANS_MAX)
      this.#dropped.add(spans.length);
    else this.#waiting.unshift(...spans);
  }
}

/** Undefined when the collector has taken it. */
function post(url: string, body: string): Promise<{ reason: string; final: boolean } | undefined> {
  const request = url.startsWith('https:') ? httpsRequest : http.request;
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const asked = request(url, { method: 'POST', headers, agent: false, timeout: ANSWER_MS }, (answer) => {
      answer.resume();
      const status = answer.statusCode ?? 0;
      const final = status >= 400 && status < 500 && status !== 408 && status !== 429;
      resolve(status >= 200 && status < 300 ? undefined : { reason: `status ${status}`, final });
    });
    const late = setTimeout(() => asked.destroy(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    asked.on('error', (error) => resolve({ reason: error.message, final: false }));
    asked.on('close', () => {
      clearTimeout(late);
      resolve({ reason: 'the connection closed', final: false });
    });
    asked.end(body);
  });
}
