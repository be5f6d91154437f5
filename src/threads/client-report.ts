/** A client as data, for whoever asks the data threads what they have. */
import type { Addr } from '../../dtab/names.ts';
import type { Client } from '../../routers/client/client.ts';
import type { Endpoint } from '../../routers/client/endpoint.ts';
import type { EndpointState } from '../admin/sources.ts';

/** Its address state and its endpoints. */
export type ClientReport = {
  /** Label. */
  readonly router: string;
  readonly id: string;
  readonly state: string;
  /** Since its addresses were told last. */
  readonly ageMs: number;
  readonly endpoints: readonly EndpointState[];
};

export function clientReport(router: string, { id, addr, endpoints }: Client, nowMs: number): ClientReport {
  const { list, updatedMs } = endpoints;
  return {
    router,
    id,
    state: stateText(addr),
    ageMs: nowMs - updatedMs,
    endpoints: list.map(endpointReport),
  };
}

function stateText(addr: Addr): string {
  switch (addr.type) {
    case 'bound':
      return 'bound';
    case 'neg':
      return 'Neg';
    case 'pending':
      return 'Pending';
    case 'failed':
      return `Failed: ${addr.failure.message}`;
  }
}

function endpointReport({ name, status, accrual, load, connections, weight, node }: Endpoint): EndpointState {
  return {
    address: name,
    status,
    ...(accrual === undefined ? {} : { accrual: accrual.state }),
    load,
    connections,
    weight,
    ...(node.costMs > 0 ? { latencyMs: Math.round(node.costMs * 1000) / 1000 } : {}),
  };
}
