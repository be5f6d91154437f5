/**
 * The control side of the tap: who listens to requests. The union of what listeners want is told to the
 * data threads, which tell nothing while nobody listens; what comes back is handed to each listener as
 * bytes that all of them share, a line of JSON a request (the shape is StoryRecord). A listener that cannot
 * keep up bounds itself.
 */
import type { Interest } from '../../routers/tap/interest.ts';
import type { StoryBatch } from '../../routers/tap/request-tap.ts';
import type { Closable } from '../base/closable.ts';
import { type Loan, notLent } from '../base/loans.ts';

/** Bits of a mask. */
const LISTENERS_MAX = 31;
const LINE_FEED = 0x0a;

export type AttemptRecord = {
  readonly client: string;
  readonly endpoint: string;
  /** The name that the endpoint had to prove; '' for TLS without validation; absent without TLS. */
  readonly tls?: string;
  /**
   * When it began, since the request was read, and how long it took to the response's head or its
   * failure.
   */
  readonly atMs: number;
  readonly ms: number;
  /** As sent to the endpoint; empty when nothing was sent. */
  readonly spanId: string;
  readonly status?: number;
  /** A FailureKind, or `cancelled`. */
  readonly failure?: string;
};

/** One finished request. Fields that say nothing are absent. */
export type StoryRecord = {
  /** When it was read. */
  readonly time: string;
  readonly router: string;
  readonly server: string;
  readonly peer: string;
  /** The caller spoke TLS. */
  readonly tls: boolean;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly version: string;
  /** 0: the caller left before there was an answer. */
  readonly status: number;
  /** The service name. */
  readonly path?: string;
  /** The override that came with it. */
  readonly dtab?: string;
  /** The bound id, and the endpoint of the last attempt with the name that it had to prove. */
  readonly client?: string;
  readonly endpoint?: string;
  readonly endpointTls?: string;
  readonly tunnel?: 'tls' | 'other';
  readonly class: 'success' | 'failure' | 'cancelled';
  /** Why the router answered itself: the kind and the text of the failure. */
  readonly failure?: string;
  readonly message?: string;
  /** To the head of the answer, and to its end. */
  readonly latencyMs: number;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly retries: number;
  readonly requeues: number;
  readonly attempts: readonly AttemptRecord[];
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId?: string;
  /** Content-Length of the answer. */
  readonly length?: string;
  readonly referer?: string;
  readonly userAgent?: string;
  readonly headers?: readonly (readonly [string, string])[];
};

export type Listening = Omit<Interest, 'bit'>;

/** Everybody hears of every request. */
export const everything: Listening = { rate: 1, sampling: 'request', where: [], headers: false };

/**
 * Whole lines in UTF-8, each with its line feed, and how many they are. Others have the same bytes, and the
 * memory is used again: who needs it after the call keeps the loan until then.
 */
export type TakeLines = (lines: Buffer, count: number, loan: Loan) => void;

export type ListenOptions = {
  /** Listens only while `tracing` is on. */
  readonly traces?: boolean;
  /** No more than the last so many of a batch need be told, in memory that the listener may keep. */
  readonly last?: number;
};

type Listener = {
  readonly interest: Interest;
  readonly take: TakeLines;
  readonly options: ListenOptions;
};

export class Tap {
  readonly #tell: (interests: readonly Interest[]) => void;
  readonly #listeners = new Map<number, Listener>();
  #last = -1;
  #tracing = true;

  constructor(tell: (interests: readonly Interest[]) => void) {
    this.#tell = tell;
  }

  get tracing(): boolean {
    return this.#tracing;
  }

  /** False: those who listen for traces hear nothing, and the data threads are told that they do not. */
  set tracing(on: boolean) {
    if (on === this.#tracing) return;
    this.#tracing = on;
    this.#changed();
  }

  /** Undefined: too many listen already. */
  listen(wanted: Listening, take: TakeLines, options: ListenOptions = {}): Closable | undefined {
    if (this.#listeners.size === LISTENERS_MAX) return undefined;
    // In turn, so that what is under way for one that has left does not reach the next.
    let bit = this.#last;
    do bit = (bit + 1) % LISTENERS_MAX;
    while (this.#listeners.has(bit));
    this.#last = bit;
    this.#listeners.set(bit, { interest: { ...wanted, bit }, take, options });
    this.#changed();
    return {
      close: () => {
        if (this.#listeners.delete(bit)) this.#changed();
      },
    };
  }

  receive(batch: StoryBatch, loan: Loan = notLent): void {
    const { lines, masks } = batch;
    let all = ~0;
    for (let i = 0; i < masks.length; i++) all &= masks[i] as number;
    for (const [bit, { take, options }] of [...this.#listeners]) {
      if ((all & (1 << bit)) !== 0 && options.last === undefined) {
        take(lines, masks.length, loan);
        continue;
      }
      const own = ownLines(1 << bit, batch, options.last ?? Number.POSITIVE_INFINITY);
      if (own.length > 0) take(Buffer.concat(own), own.length, notLent);
    }
  }

  #changed(): void {
    const heard = [...this.#listeners.values()].filter(
      ({ options }) => this.#tracing || options.traces !== true,
    );
    this.#tell(heard.map(({ interest }) => interest));
  }
}

/** The last lines with a bit in their mask, in order. */
function ownLines(bit: number, { lines, masks }: StoryBatch, last: number): Buffer[] {
  const own: Buffer[] = [];
  let end = lines.length;
  for (let i = masks.length - 1; i >= 0 && own.length < last; i--) {
    const start = lines.lastIndexOf(LINE_FEED, end - 2) + 1;
    if (((masks[i] as number) & bit) !== 0) own.push(lines.subarray(start, end));
    end = start;
  }
  return own.reverse();
}
