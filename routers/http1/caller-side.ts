import type { Link } from '../../src/base/linked-list.ts';
import type { Cohort, CohortMember } from '../tls/cohort.ts';
import type { Source } from './sources.ts';

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
