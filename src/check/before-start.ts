/** What a start by this configuration needs of this machine. */
import { lookup } from 'node:dns/promises';
import { createServer, isIP } from 'node:net';
import { renderDiagnostic } from '../../config/errors.ts';
import { loadConfig } from '../../config/load.ts';
import { dtabOf } from '../../config/name-decoders.ts';
import type { LinkerSpec } from '../../config/spec.ts';
import { environmentProblems } from '../../namers/environment.ts';
import { descriptorLimit } from '../descriptor-plan.ts';
import { lint } from '../lint/lint.ts';
import { leavesOf } from '../lint/reach.ts';
import type { ConfigText } from '../read-config.ts';
import { tlsSections } from '../tls-sections.ts';
import { type ApiWish, apiAccess } from './api-access.ts';
import { type Category, type CheckResult, checked } from './result.ts';

const DAY_MS = 86_400_000;
export const EXPIRES_SOON_MS = 7 * DAY_MS;
const DESCRIPTORS_MIN = 4096;
/** Before that nothing of Turnout was made: the clock has not been set. */
const RELEASED_MS = Date.UTC(2025, 0, 1);

export function beforeStart(config: ConfigText, wish: ApiWish): readonly Category[] {
  const loaded = loadConfig(config.text, { source: config.source });
  const spec = 'spec' in loaded ? loaded.spec : undefined;
  const errors = 'errors' in loaded ? loaded.errors.map(renderDiagnostic) : [];
  const first: Category = { name: 'configuration', run: () => configuration(spec, errors) };
  if (spec === undefined) return [first];
  return [
    first,
    { name: 'ports', run: () => ports(spec) },
    { name: 'certificates', run: () => certificates(spec) },
    { name: 'kubernetes-api', run: () => apiAccess(spec, wish) },
    { name: 'node', run: () => node(spec) },
  ];
}

async function* configuration(
  spec: LinkerSpec | undefined,
  errors: readonly string[],
): AsyncGenerator<CheckResult> {
  const problems = spec === undefined ? errors : environmentProblems(spec, process.env);
  yield checked('config-valid', 'the configuration is valid', textOf(problems));
  if (spec === undefined) return;
  const found = (await lint(spec)).map(
    ({ line, rule, message }) => `line ${line ?? '?'}: ${rule}: ${message}`,
  );
  yield checked('config-lint', 'every entry of the dtabs can be used', textOf(found), 'warning');
}

async function* ports(spec: LinkerSpec): AsyncGenerator<CheckResult> {
  const { admin, routers } = spec;
  const places = [
    { label: 'admin', ip: admin.ip, port: admin.port },
    ...routers.flatMap(({ label, servers }) => servers.map(({ ip, port }) => ({ label, ip, port }))),
  ];
  for (const { label, ip, port } of places) {
    const problem = await whyNotFree(ip, port);
    yield checked('port-free', `${label} can listen on ${ip}:${port}`, problem);
  }
}

function whyNotFree(ip: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE' ? 'another process listens there' : error.message;
      resolve(taken);
    });
    probe.listen({ host: ip, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}

function* certificates(spec: LinkerSpec): Generator<CheckResult> {
  const nowMs = Date.now();
  for (const { place, load } of tlsSections(spec)) {
    const loaded = load();
    if (!loaded.ok) {
      yield checked('certificate', `${place} can be used`, loaded.errors.join('\n'));
      continue;
    }
    for (const { key, path, expiresMs } of loaded.certificates) {
      yield expiry(`${place}.${key} ${path}`, expiresMs - nowMs);
    }
  }
}

export function expiry(what: string, leftMs: number): CheckResult {
  const days = Math.floor(Math.abs(leftMs) / DAY_MS);
  const left = `${days} day${days === 1 ? '' : 's'}`;
  if (leftMs < 0) return checked('certificate', `${what} is valid`, `it expired ${left} ago`);
  const soon = leftMs < EXPIRES_SOON_MS ? `it expires in ${left}` : undefined;
  return checked('certificate', `${what} is valid, ${left} left`, soon, 'warning');
}

async function* node(spec: LinkerSpec): AsyncGenerator<CheckResult> {
  const unset = Date.now() < RELEASED_MS ? `it says ${new Date().toISOString()}` : undefined;
  yield checked('clock', 'the clock of this machine is set', unset);
  for (const host of namedHosts(spec)) yield await resolves(host);
  yield descriptors('the limit on open files of this shell', descriptorLimit());
}

export function descriptors(what: string, limit: number): CheckResult {
  const low =
    limit < DESCRIPTORS_MIN ? `it is ${limit}; a router needs about two a request under way` : undefined;
  return checked('descriptors', `${what} is ${DESCRIPTORS_MIN} or more`, low, 'warning');
}

/** Hosts that entries name: `/$/inet/web.example.com/80`. */
function namedHosts({ routers }: LinkerSpec): readonly string[] {
  const hosts = routers.flatMap(({ dtab }) =>
    dtabOf(dtab)
      .flatMap(({ dst }) => leavesOf(dst))
      .flatMap(({ segments: [root, kind, host, port] }) => {
        if (root !== '$' || (kind !== 'inet' && kind !== 'fixedinet')) return [];
        return host === undefined || port === undefined || isIP(host) !== 0 || /^[\d.]+$/.test(host)
          ? []
          : [host];
      }),
  );
  return [...new Set(hosts)];
}

export async function resolves(host: string): Promise<CheckResult> {
  try {
    await lookup(host);
    return checked('dns', `${host} has an address`);
  } catch (error) {
    return checked('dns', `${host} has an address`, (error as Error).message);
  }
}

function textOf(lines: readonly string[]): string | undefined {
  return lines.length === 0 ? undefined : lines.join('\n');
}
