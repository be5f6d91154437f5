/**
 * The tap as live answers: those who ask for the same requests share one listener, so that the data threads
 * tell a request once however many look. A browser gets a bounded number a second; the rest is counted.
 */
import type { Condition } from '../../../routers/tap/interest.ts';
import type { Clock } from '../../base/clock.ts';
import type { Closable } from '../../base/closable.ts';
import type { Loan } from '../../base/loans.ts';
import type { Tap } from '../../telemetry/tap.ts';
import { type EventStream, event } from './event-stream.ts';

/** Requests that a page shows a second at the most. */
const EVENTS_A_SECOND = 200;

type Group = { readonly streams: Set<Member>; readonly tap: Closable };
type Take = (lines: Buffer, loan: Loan) => void;
type Member = { readonly stream: EventStream; readonly take: Take };

export type TapQuestion = {
  readonly where: readonly Condition[];
  /** Share of the requests, 0 to 1. */
  readonly rate: number;
  /** Of the request, as they are when it is over. */
  readonly headers: boolean;
};

export class TapStreams {
  readonly #tap: Tap;
  readonly #clock: Clock;
  readonly #groups = new Map<string, Group>();

  constructor(tap: Tap, clock: Clock) {
    this.#tap = tap;
    this.#clock = clock;
  }

  /** Undefined when it listens, else why it cannot. */
  join(stream: EventStream, question: TapQuestion, form: 'events' | 'lines'): string | undefined {
    const key = JSON.stringify(question);
    const group = this.#groups.get(key) ?? this.#listen(key, question);
    if (group === undefined) return 'Too many listen to requests already.';
    const asLines: Take = (lines, loan) => void stream.send(lines, loan);
    const take = form === 'events' ? this.#asEvents(stream) : asLines;
    const member = { stream, take };
    group.streams.add(member);
    stream.closed = () => {
      group.streams.delete(member);
      if (group.streams.size > 0) return;
      group.tap.close();
      this.#groups.delete(key);
    };
    return undefined;
  }

  #listen(key: string, question: TapQuestion): Group | undefined {
    const streams = new Set<Member>();
    const wanted = { ...question, sampling: 'request' } as const;
    const tap = this.#tap.listen(wanted, (lines, _count, loan) => {
      for (const { take } of streams) take(lines, loan);
    });
    if (tap === undefined) return undefined;
    const group = { streams, tap };
    this.#groups.set(key, group);
    return group;
  }

  #asEvents(stream: EventStream): (lines: Buffer) => void {
    let second = -1;
    let sent = 0;
    return (lines) => {
      const now = Math.floor(this.#clock.nowMs() / 1000);
      if (now !== second) {
        second = now;
        sent = 0;
      }
      const stories = lines.toString().trimEnd().split('\n');
      const shown = stories.slice(0, Math.max(0, EVENTS_A_SECOND - sent));
      sent += shown.length;
      const taken = shown.length === 0 || stream.send(shown.map((line) => event('request', line)).join(''));
      const skipped = stories.length - (taken ? shown.length : 0);
      if (skipped > 0) stream.send(event('skipped', String(skipped)));
    };
  }
}
