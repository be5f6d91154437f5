/** What is measured. Every scenario is one kind of request through one shape of proxy. */

/**
 * plain: in and out. tls: TLS in, plain out. mesh: plain in, TLS to a second router in the same process,
 * plain out.
 */
export type Shape = 'plain' | 'tls' | 'mesh';

export type Scenario = {
  readonly name: string;
  readonly about: string;
  readonly shape: Shape;
  readonly path: string;
  readonly headers: readonly string[];
  readonly postBytes: number;
};

const base = { shape: 'plain', path: '/', headers: [], postBytes: 0 } as const;

export const scenarios: readonly Scenario[] = [
  { ...base, name: 'get', about: 'small GET, keep-alive' },
  { ...base, name: 'post', about: 'POST of 1 KiB, keep-alive', postBytes: 1024 },
  { ...base, name: 'big', about: 'response of 1 MiB', path: '/big' },
  { ...base, name: 'tls', about: 'TLS from the client, small GET', shape: 'tls' },
  { ...base, name: 'mesh', about: 'two routers with TLS between them, small GET', shape: 'mesh' },
  { ...base, name: 'close', about: 'a new connection for each request', headers: ['Connection: close'] },
];
