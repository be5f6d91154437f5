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

/** What a listener keeps of a caller's connection, whatever that is at the moment. */
export type KeptCaller = {
  side: CallerSide;
  readonly source: Source;
  /** Undefined without TLS. */
  readonly cohort: Cohort<CallerSide> | undefined;
  place: Link<KeptCaller> | undefined;
  placeInSource: Link<KeptCaller> | undefined;
  member: CohortMember<CallerSide> | undefined;
};

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
