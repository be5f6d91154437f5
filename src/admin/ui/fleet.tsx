/** All nodes: health, version, configuration; each opens to its own pages through this node. */
import { age, count } from './format.ts';
import { useFetched } from './use-fetched.ts';

const NODES_MS = 5000;

type Node = {
  readonly name: string;
  readonly version: string;
  readonly uptimeMs: number;
  readonly unready: readonly string[];
  readonly routers: readonly string[];
  readonly generation?: number;
  readonly sha256?: string;
};

type FleetNode = { readonly name: string; readonly node?: Node; readonly problem?: string };

export function Fleet() {
  const { value, error } = useFetched<readonly FleetNode[]>('fleet.json', NODES_MS);
  const usual = mostFrequent(value?.flatMap(({ node }) => node?.sha256 ?? []) ?? []);
  return (
    <>
      <h1>Fleet</h1>
      {error !== undefined && <p class="error">{error}</p>}
      {value?.length === 0 && (
        <p class="card empty">
          No other node is known: <code>admin.fleet</code> in the configuration lists them, or names them.
        </p>
      )}
      {value !== undefined && value.length > 0 && (
        <section class="card scroll" aria-labelledby="nodes-title">
          <h2 id="nodes-title">
            Nodes <span class="muted count">{count(value.length, 'node')}</span>
          </h2>
          <table>
            <thead>
              <tr>
                <th scope="col">Node</th>
                <th scope="col">Health</th>
                <th scope="col">Version</th>
                <th scope="col">Configuration</th>
                <th scope="col" class="number">
                  Up
                </th>
                <th scope="col">Routers</th>
              </tr>
            </thead>
            <tbody>
              {value.map((each) => (
                <Row key={each.name} each={each} usual={usual} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}

function Row({
  each: { name, node, problem },
  usual,
}: {
  readonly each: FleetNode;
  readonly usual: string | undefined;
}) {
  const ready = node !== undefined && node.unready.length === 0;
  const health = node === undefined ? `not reached: ${problem}` : ready ? 'ready' : node.unready.join('; ');
  return (
    <tr>
      <th scope="row">
        {node === undefined ? <code>{name}</code> : <a href={`node/${encodeURIComponent(name)}/`}>{name}</a>}
      </th>
      <td class={`wraps ${ready ? 'good' : 'bad'}`}>{health}</td>
      <td>{node?.version ?? '–'}</td>
      <td>
        {node?.sha256 === undefined ? '–' : <code>{`${node.generation} ${node.sha256.slice(0, 12)}`}</code>}
        {node?.sha256 !== undefined && node.sha256 !== usual && (
          <span class="badge poor tag">unlike most</span>
        )}
      </td>
      <td class="number">{node === undefined ? '–' : age(node.uptimeMs)}</td>
      <td class="wraps">{node?.routers.join(', ') ?? '–'}</td>
    </tr>
  );
}

function mostFrequent(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
