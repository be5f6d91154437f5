/** What a request to the API server is sent with. */
import type { RequestOptions } from 'node:http';
import type { ConnectionOptions } from 'node:tls';

/** What the next request is sent with. */
export type Credentials = {
  readonly headers: { readonly [name: string]: string };
  /** Of HTTPS; the same object as long as nothing has changed. */
  readonly tls: ConnectionOptions | undefined;
  /** In place of one of our own: a proxy. */
  readonly agent?: RequestOptions['agent'];
};

export type Access = {
  /** For people: the server, and what is sent to it. */
  readonly name: string;
  readonly server: URL;
  /**
   * Rejects when there are none to be had. With `fresh` nothing remembered is used: the last ones were
   * refused.
   */
  credentials(fresh: boolean): Promise<Credentials>;
};
