/**
 * The names of linkerd 1.7.5's metrics, taken line by line from the tables of its metrics tree, for HTTP/1,
 * TLS and the runtime. `*` stands for one segment that depends on what happened.
 */

const requests = 'requests success failures failures/* request_latency_ms pending';
const status = `status/* ${[1, 2, 3, 4, 5].map((n) => `status/${n}XX time/${n}XX`).join(' ')} status/error time/error`;
const connections = `connects closes connections tls/connections received_bytes sent_bytes connection_duration
  connection_received_bytes connection_sent_bytes socket_writable_ms socket_unwritable_ms
  read_timeout write_timeout exn/*`;
const bodies = `dtab/size request_payload_bytes response_payload_bytes ${['request', 'response']
  .map((way) => `duration_ms opened closed pending`.replace(/\w+/g, (name) => `stream/${way}/${name}`))
  .join(' ')}`;

const server = `${requests} ${status} ${connections} ${bodies} handletime_us transit_latency_ms nacks
  request_concurrency request_queue_size admission_control/deadline/exceeded
  admission_control/deadline/rejected admission_control/deadline/expired_ms
  admission_control/deadline/remaining_ms idle lifetime`;

const service = `${requests} retries/total retries/budget_exhausted retries/per_request retries/budget`;

const client = `${requests} ${requests.replace(/\S+/g, (name) => `service/svc/web/${name}`)} ${status}
  ${connections} ${bodies} connect_latency_ms failed_connect_latency_ms cancelled_connects
  service_creation/service_acquisition_latency_ms service_creation/failures service_creation/failures/*
  available pool_size pool_cached pool_waiters pool_num_waited pool_num_too_many_waiters
  loadbalancer/size loadbalancer/available loadbalancer/busy loadbalancer/closed loadbalancer/load
  loadbalancer/adds loadbalancer/removes loadbalancer/updates loadbalancer/rebuilds
  loadbalancer/max_effort_exhausted loadbalancer/meanweight loadbalancer/num_weight_classes
  loadbalancer/algorithm/* failure_accrual/removals failure_accrual/revivals failure_accrual/probes
  failure_accrual/removed_for_ms retries/requeues retries/budget_exhausted retries/request_limit
  retries/cannot_retry retries/not_open retries/requeues_per_request retries/budget`;

const caches = ['path', 'tree', 'bound', 'client'].flatMap((cache) =>
  ['misses', 'evicts', 'expires', 'oneshots'].map((name) => `bindcache/${cache}/${name}`),
);

const below = (prefix: string, names: string): readonly string[] =>
  names.split(/\s+/).map((name) => `${prefix}/${name}`);

/** With the names of the rig of the tests: a server `test`, a service `/svc/web` at `/#/test/web`. */
export const routerNames: readonly string[] = [
  'rt/http/originator',
  ...caches.map((name) => `rt/http/${name}`),
  ...below('rt/http/server/test', server),
  ...below('rt/http/service/svc/web', service),
  ...below('rt/http/client/#/test/web', client),
];

export const processNames: readonly string[] = [
  'jvm/uptime',
  'jvm/start_time',
  'jvm/num_cpus',
  'jvm/thread/count',
  'jvm/mem/current/used',
  'jvm/gc/msec',
  'jvm/fd_count',
];
