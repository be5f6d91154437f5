/** What the fault table and its endpoints say to each other. */
export const BODY_BYTES = 1024;

/** How an endpoint answers. */
export type Mode =
  | 'ok'
  | 'hang'
  | 'slow'
  | 'work'
  | 'drain'
  | 'stream'
  | 'big'
  | 'reset-first'
  | 'reset-in-head'
  | 'reset-in-body'
  | 'reset-in-chunk';

export type ToUpstream = {
  readonly mode: Mode;
  readonly keepAliveMs?: number;
  readonly requestsPerConnection?: number;
};

export type FromUpstream = { readonly port: number } | { readonly post: string };
