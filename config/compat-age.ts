/** How old a configuration is, as far as its keys tell. */
export type Age = {
  /** Older than 0.2: options of routers at the top. */
  readonly rootOptions: boolean;
  /** Older than 0.6: names without `/#`, and a router's `timeoutMs` was for one attempt. */
  readonly before06: boolean;
  /** Older than 0.9: default prefix `/http`, default identifier method and host. */
  readonly baseDtab: boolean;
};
