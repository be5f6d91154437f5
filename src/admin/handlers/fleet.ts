/** `/node.json`: this node in a few words. `/fleet.json`: what all nodes say of themselves. */
import { hostname } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import { json, type Page } from '../page.ts';
import type { AdminSources, FleetPeer } from '../sources.ts';

const ANSWER_MS = 1500;
const ANSWER_BYTES_MAX = 65_536;
/** Asked at the same time. */
const AT_ONCE = 32;
/** Whoever looks within this time gets the same. */
const SHARED_MS = 2000;

type FleetNode = { readonly name: string; readonly node?: unknown; readonly problem?: string };

export function fleetPages(sources: AdminSources): Page[] {
  const { clock } = sources;
  const startMs = clock.nowMs();
  const startTime = new Date(clock.wallMs()).toISOString();
  let latest: { readonly nodes: Promise<readonly FleetNode[]>; readonly atMs: number } | undefined;
  return [
    {
      path: '/node.json',
      methods: ['GET'],
      answer() {
        const [newest] = sources.generations().filter(({ outcome }) => IN_FORCE.has(outcome));
        return json({
          name: process.env['NODE_NAME'] ?? hostname(),
          version: sources.serverInfo['version'],
          startTime,
          uptimeMs: Math.round(clock.nowMs() - startMs),
          unready: sources.unready(),
          routers: sources.routers().map(({ label }) => label),
          ...(newest === undefined ? {} : { generation: newest.generation, sha256: newest.sha256 }),
        });
      },
    },
    {
      path: '/fleet.json',
      methods: ['GET'],
      async answer() {
        const nowMs = clock.nowMs();
        if (latest === undefined || nowMs - latest.atMs > SHARED_MS)
          latest = { nodes: askAll(sources.fleet(), clock), atMs: nowMs };
        return json(await latest.nodes);
      },
    },
  ];
}

const IN_FORCE: ReadonlySet<string> = new Set(['started', 'applied']);

async function askAll(peers: readonly FleetPeer[], clock: Clock): Promise<readonly FleetNode[]> {
  const nodes: FleetNode[] = [];
  const rest = [...peers.entries()];
  const work = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      const [i, peer] = next;
      nodes[i] = await ask(peer, clock);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return nodes;
}

async function ask({ name, url }: FleetPeer, clock: Clock): Promise<FleetNode> {
  const abort = new AbortController();
  const limit = clock.after(ANSWER_MS, () => abort.abort(new Error(`no answer within ${ANSWER_MS} ms`)));
  try {
    const response = await fetch(new URL('/node.json', url), { signal: abort.signal, redirect: 'error' });
    if (!response.ok) return { name, problem: `it answers ${response.status}` };
    return { name, node: JSON.parse(await bounded(response)) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { name, problem: cause instanceof Error ? cause.message : String(cause) };
  } finally {
    limit.close();
  }
}

async function bounded(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > ANSWER_BYTES_MAX)
      throw new Error(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`);
  }
  return text;
}
