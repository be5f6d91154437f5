/**
 * Checks across the parts of a configuration: labels, addresses, routers without servers, options that
 * exclude each other. They read the values as written, so that they also run when something else of the text
 * is wrong, and all mistakes are known at once. What is of the wrong type is the decoders' to report, and is
 * passed over here.
 */
import { isIPv6 } from 'node:net';
import { ADMIN_PORT } from './admin-spec.ts';
import type { Diagnostics } from './errors.ts';
import { LOOPBACK } from './server-spec.ts';
import { entryOf, get, itemsOf, textOf, type Value } from './value.ts';

const PORTS: Readonly<Record<string, number>> = {
  http: 4140,
  thrift: 4114,
  mux: 4141,
  h2: 4142,
  thriftmux: 4144,
};

export function checkTogether(root: Value, diagnostics: Diagnostics): void {
  checkLabels(root, diagnostics);
  checkAddresses(root, diagnostics);
  itemsOf(get(root, 'routers')).forEach((router, i) => {
    checkRouter(router, `routers[${i}]`, diagnostics);
    checkClientTls(get(router, 'client'), `routers[${i}].client`, diagnostics);
  });
}

function labelOf(router: Value): string | undefined {
  return textOf(get(router, 'label')) ?? textOf(get(router, 'protocol'));
}

function checkLabels(root: Value, diagnostics: Diagnostics): void {
  const first = new Map<string, string>();
  itemsOf(get(root, 'routers')).forEach((router, i) => {
    const label = labelOf(router);
    if (label === undefined) return;
    const other = first.get(label);
    if (other === undefined) {
      first.set(label, `routers[${i}]`);
      return;
    }
    const at = get(router, 'label')?.at ?? router.at;
    const hint = get(router, 'label') === undefined ? ' (the protocol, as there is no "label")' : '';
    const message = `Multiple routers with the label ${label}${hint}: ${other} has it too`;
    diagnostics.error('conflict', at, `routers[${i}].label`, message);
  });
}

type Listener = { readonly path: string; readonly at: number; readonly ip: string; readonly port: number };

function checkAddresses(root: Value, diagnostics: Diagnostics): void {
  const listeners = listenersOf(root).filter((listener) => listener.port !== 0);
  const first = new Map<string, Listener>();
  const wildcards = new Map<number, Listener>();
  for (const listener of listeners) {
    const { ip, port } = listener;
    if (isWildcard(ip) && !wildcards.has(port)) wildcards.set(port, listener);
    const other = first.get(`${ip} ${port}`);
    if (other === undefined) {
      first.set(`${ip} ${port}`, listener);
      continue;
    }
    const message = `Server conflict on port ${port}: ${other.path} listens on ${ip}:${port} too`;
    diagnostics.error('conflict', listener.at, `${listener.path}.port`, message);
  }
  for (const listener of first.values()) {
    const wildcard = wildcards.get(listener.port);
    if (wildcard === undefined || isWildcard(listener.ip)) continue;
    const taken = `port ${listener.port} is also taken by ${wildcard.path} on ${wildcard.ip}`;
    const message = `${taken}, so that the second to listen may fail`;
    diagnostics.warn('doubtful', listener.at, `${listener.path}.port`, message);
  }
}

function listenersOf(root: Value): readonly Listener[] {
  const admin = get(root, 'admin');
  const listeners = [listener(admin, 'admin', admin?.at ?? 0, 'port', ADMIN_PORT)];
  if (get(admin, 'httpIdentifierPort') !== undefined) {
    listeners.push(listener(admin, 'admin', admin?.at ?? 0, 'httpIdentifierPort', 0));
  }
  itemsOf(get(root, 'routers')).forEach((router, i) => {
    const standard = PORTS[textOf(get(router, 'protocol')) ?? ''] ?? 0;
    itemsOf(get(router, 'servers')).forEach((server, j) => {
      listeners.push(listener(server, `routers[${i}].servers[${j}]`, server.at, 'port', standard));
    });
  });
  return listeners;
}

function listener(
  value: Value | undefined,
  path: string,
  at: number,
  key: string,
  standard: number,
): Listener {
  const port = get(value, key);
  return {
    path,
    at: port?.at ?? at,
    ip: canonical(textOf(get(value, 'ip')) ?? LOOPBACK),
    // 0 takes part in no conflict, which is right for whatever is no port as well.
    port: port === undefined ? standard : port.type === 'number' ? port.value : 0,
  };
}

function isWildcard(ip: string): boolean {
  return ip === '0.0.0.0' || ip === '::';
}

/** One spelling for an IPv6 address. */
function canonical(ip: string): string {
  return isIPv6(ip) && !ip.includes('%') ? new URL(`http://[${ip}]/`).hostname.slice(1, -1) : ip;
}

function checkRouter(router: Value, path: string, diagnostics: Diagnostics): void {
  if (router.type !== 'object') return;
  const label = labelOf(router) ?? path;
  const servers = get(router, 'servers');
  if (servers === undefined || (servers.type === 'list' && servers.items.length === 0)) {
    diagnostics.error('missing', servers?.at ?? router.at, path, `router '${label}' has no servers`);
  }
  const after = entryOf(router, 'streamAfterContentLengthKB');
  const streaming = get(router, 'streamingEnabled');
  if (streaming?.type === 'bool' && !streaming.value && after !== undefined) {
    const both = "Can't disable streaming and set streamAfterContentLengthKB";
    const message = `Conflicting streaming options set. ${both} in ${label}`;
    diagnostics.error('conflict', after.keyAt, `${path}.streamAfterContentLengthKB`, message);
  }
  if (itemsOf(get(router, 'announcers')).length > 0) return;
  itemsOf(servers).forEach((server, i) => {
    itemsOf(get(server, 'announce')).forEach((name, j) => {
      const message = `no announcer found for ${textOf(name) ?? 'this name'}`;
      diagnostics.warn('doubtful', name.at, `${path}.servers[${i}].announce[${j}]`, message);
    });
  });
}

/**
 * A `tls` object is in force as a whole, so that one which cannot work alone cannot work at all. linkerd
 * finds out with the first request.
 */
function checkClientTls(client: Value | undefined, path: string, diagnostics: Diagnostics): void {
  const configs = get(client, 'configs');
  const holders: readonly (readonly [Value | undefined, string])[] =
    configs === undefined
      ? [[client, path]]
      : itemsOf(configs).map((params, i) => [params, `${path}.configs[${i}]`] as const);
  for (const [params, at] of holders) {
    const tls = get(params, 'tls');
    if (tls?.type !== 'object') continue;
    if (isFalse(get(tls, 'enabled')) || isTrue(get(tls, 'disableValidation')) || isTrue(get(tls, 'refuse')))
      continue;
    if (get(tls, 'commonName') === undefined) {
      const hint = 'name the certificate to expect, or set "disableValidation: true"';
      const message = `tls is configured with validation but \`commonName\` is not set: ${hint}`;
      diagnostics.error('conflict', tls.at, `${at}.tls`, message);
    }
    const bundle = entryOf(tls, 'trustCertsBundle');
    if (
      get(tls, 'trustCerts') !== undefined &&
      bundle !== undefined &&
      get(tls, 'trustCertsBundle') !== undefined
    ) {
      const message = '"trustCerts" and "trustCertsBundle" exclude each other: use "trustCertsBundle"';
      diagnostics.error('conflict', bundle.keyAt, `${at}.tls`, message);
    }
  }
}

function isTrue(value: Value | undefined): boolean {
  return textOf(value)?.toLowerCase() === 'true';
}

function isFalse(value: Value | undefined): boolean {
  return textOf(value)?.toLowerCase() === 'false';
}
