import { type Link, LinkedList } from '../../src/base/linked-list.ts';
import type { Cohort, CohortMember } from '../tls/cohort.ts';

/** Whatever a caller's connection is at the moment, as its listener sees it. */
export interface CallerSide {
  /** There is a request without its answer, or a tunnel. */
  readonly busy: boolean;
  /** Kept by the listener while this is what the connection is. */
  kept: KeptCaller | undefined;
  /** The next answer is the last. */
  drain(): void;
  /** Cuts it. */
  close(): void;
}

/** What a listener keeps of a caller's connection from accept to close, whatever that is at the moment. */
export class KeptCaller {
  side: CallerSide;
  readonly source: Source;
  /** Undefined without TLS. */
  readonly cohort: Cohort<CallerSide> | undefined;
  readonly #all: LinkedList<KeptCaller>;
  readonly #place: Link<KeptCaller>;
  readonly #placeInSource: Link<KeptCaller>;
  readonly #member: CohortMember<CallerSide> | undefined;

  /** Adds itself to all that hold connections of its kind. */
  constructor(
    side: CallerSide,
    source: Source,
    cohort: Cohort<CallerSide> | undefined,
    all: LinkedList<KeptCaller>,
  ) {
    this.side = side;
    this.source = source;
    this.cohort = cohort;
    this.#all = all;
    side.kept = this;
    this.#place = all.add(this);
    this.#placeInSource = source.callers.add(this);
    this.#member = cohort?.add(side);
  }

  /** Another takes the connection over. */
  becomes(side: CallerSide): void {
    this.side.kept = undefined;
    this.side = side;
    side.kept = this;
    if (this.#member !== undefined) this.cohort?.replace(this.#member, side);
  }

  remove(): void {
    this.side.kept = undefined;
    this.#all.remove(this.#place);
    this.source.callers.remove(this.#placeInSource);
    if (this.#member !== undefined) this.cohort?.delete(this.#member);
  }
}

/** An address that callers come from. */
export class Source {
  readonly address: string;
  /** Accepted and not closed, TLS handshakes included. */
  connections = 0;
  /** In progress. */
  requests = 0;
  /** The last window in which it asked for something. */
  window = -1;
  /** The most that it has asked for at once, in this window and in the one before. */
  peak = 0;
  peakBefore = 0;
  /** What of that is within its share, and counted as what it needs. */
  needed = 0;
  /** Its connections, in the order in which they may be asked to end. */
  readonly callers = new LinkedList<KeptCaller>();

  constructor(address: string) {
    this.address = address;
  }
}
