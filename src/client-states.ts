/**
 * What the threads say of their clients, put together: one entry a bound id, with the routers that use it.
 */
import type { AdminSources, ClientState, EndpointState, RouterClient } from './admin/sources.ts';
import type { ClientReport } from './threads/client-report.ts';

const WORST = ['open', 'busy', 'closed'] as const;
const ACCRUALS = ['alive', 'probing', 'probeOpen', 'dead'];

export function clientStates(
  reports: readonly ClientReport[],
  tlsOf: AdminSources['clientTls'],
): Record<string, ClientState> {
  const byId = new Map<string, Map<string, ClientReport[]>>();
  for (const report of reports) {
    const routers = byId.get(report.id) ?? new Map<string, ClientReport[]>();
    byId.set(report.id, routers);
    routers.set(report.router, [...(routers.get(report.router) ?? []), report]);
  }
  return Object.fromEntries([...byId].map(([id, routers]) => [id, stateOf(id, routers, tlsOf)]));
}

function stateOf(
  id: string,
  routers: ReadonlyMap<string, readonly ClientReport[]>,
  tlsOf: AdminSources['clientTls'],
): ClientState {
  const all = [...routers.values()].flat();
  const addresses = new Set(all.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)));
  return {
    state: all.find(({ state }) => state === 'bound')?.state ?? all[0]?.state ?? 'Pending',
    addresses: [...addresses],
    routers: Object.fromEntries(
      [...routers].map(([label, reports]) => [label, merged(reports, tlsOf(label, id))]),
    ),
  };
}

function merged(reports: readonly ClientReport[], tls: RouterClient['tls']): RouterClient {
  const endpoints = new Map<string, EndpointState>();
  for (const each of reports.flatMap((report) => report.endpoints)) {
    const other = endpoints.get(each.address);
    endpoints.set(each.address, other === undefined ? each : together(other, each));
  }
  return {
    ...(tls === undefined ? {} : { tls }),
    ageMs: Math.round(Math.min(...reports.map(({ ageMs }) => ageMs))),
    endpoints: [...endpoints.values()],
  };
}

function together(a: EndpointState, b: EndpointState): EndpointState {
  const worse = <T>(order: readonly T[], x: T, y: T): T => (order.indexOf(x) >= order.indexOf(y) ? x : y);
  const accrual =
    a.accrual === undefined || b.accrual === undefined
      ? (a.accrual ?? b.accrual)
      : worse(ACCRUALS, a.accrual, b.accrual);
  const latencyMs = Math.max(a.latencyMs ?? 0, b.latencyMs ?? 0);
  return {
    address: a.address,
    status: worse(WORST, a.status, b.status),
    ...(accrual === undefined ? {} : { accrual }),
    load: a.load + b.load,
    connections: a.connections + b.connections,
    weight: a.weight,
    ...(latencyMs > 0 ? { latencyMs } : {}),
  };
}
