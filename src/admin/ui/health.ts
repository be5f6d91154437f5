/** The endpoints of bound names as the data threads see them, out of `client_state.json`. */
import type { BoundJson } from './delegation.ts';

export type EndpointHealth = {
  readonly address: string;
  readonly status: 'open' | 'busy' | 'closed';
  readonly accrual?: string;
  readonly load: number;
  readonly connections: number;
  readonly weight: number;
  readonly latencyMs?: number;
};

export type ClientStates = Readonly<
  Record<
    string,
    {
      readonly state: string;
      readonly addresses: readonly string[];
      readonly routers?: Readonly<
        Record<
          string,
          {
            readonly tls?: NonNullable<BoundJson['tls']>;
            readonly ageMs: number;
            readonly endpoints: readonly EndpointHealth[];
          }
        >
      >;
    }
  >
>;

/** By address, and by bound id. */
export type Health = ReadonlyMap<string, EndpointHealth>;
export type Healths = ReadonlyMap<string, Health>;

export function healthsOf(states: ClientStates | undefined, router: string): Healths {
  return new Map(
    Object.entries(states ?? {}).map(([id, { routers }]) => [
      id,
      new Map((routers?.[router]?.endpoints ?? []).map((endpoint) => [endpoint.address, endpoint])),
    ]),
  );
}

export function tlsText(tls: BoundJson['tls']): string {
  if (tls === undefined) return 'plain text';
  if ('error' in tls) return `TLS cannot be used: ${tls.error}`;
  return tls.name === '' ? 'TLS, no name is verified' : `TLS, must prove the name ${tls.name}`;
}
