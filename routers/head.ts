/** The heads of messages, as all stages see them. */
import type { Fields } from './fields.ts';

export type RequestHead = {
  method: string;
  /** Request target as it will be sent on; an absolute-form target has been rewritten. */
  target: string;
  /** Minor version: 0 or 1. */
  minor: number;
  readonly fields: Fields;
};

export type ResponseHead = {
  readonly status: number;
  readonly reason: string;
  readonly minor: number;
  readonly fields: Fields;
};
