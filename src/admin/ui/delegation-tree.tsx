/** A resolution step by step: the path, the entry that led there with its line, what was answered. */
import type { ComponentChildren } from 'preact';
import {
  type BoundJson,
  chosenOf,
  type DelegationNode,
  type DentryJson,
  type Verdict,
  verdictOf,
} from './delegation.ts';
import { type Health, type Healths, tlsText } from './health.ts';

/** No data thread has used the name. */
const unused: Health = new Map();

type Props = { readonly tree: DelegationNode; readonly healths?: Healths | undefined };

export function DelegationTree({ tree, healths }: Props) {
  return (
    <ul class="tree">
      <Node node={tree} healths={healths} taken={true} />
    </ul>
  );
}

type NodeProps = {
  readonly node: DelegationNode;
  readonly healths: Healths | undefined;
  /** Traffic passes here. */
  readonly taken: boolean;
  readonly weight?: string | undefined;
};

function Node({ node, healths, taken, weight }: NodeProps) {
  return (
    <li class={taken ? 'taken' : 'passed'}>
      <div class="step">
        {weight !== undefined && <span class="weight">{weight}</span>}
        <code class="path">{node.path}</code>
        <Answer node={node} />
        {node.dentry !== undefined && <Dentry dentry={node.dentry} />}
        {'message' in node && <p class="reason">{node.message}</p>}
        {node.type === 'leaf' && (
          <Endpoints bound={node.bound} health={healths && (healths.get(node.bound.id) ?? unused)} />
        )}
      </div>
      <Below node={node} healths={healths} taken={taken} />
    </li>
  );
}

function Below({ node, healths, taken }: NodeProps) {
  switch (node.type) {
    case 'delegate':
      return <List>{<Node node={node.delegate} healths={healths} taken={taken} />}</List>;
    case 'transformation':
      return <List>{<Node node={node.tree} healths={healths} taken={taken} />}</List>;
    case 'alt': {
      const chosen = chosenOf(node.alt);
      return (
        <List>
          {node.alt.map((tree, i) => (
            <Node key={`${i} ${tree.path}`} node={tree} healths={healths} taken={taken && tree === chosen} />
          ))}
        </List>
      );
    }
    case 'union':
      return (
        <List>
          {node.union.map(({ weight, tree }, i) => (
            <Node
              key={`${i} ${tree.path}`}
              node={tree}
              healths={healths}
              taken={taken && weight > 0 && verdictOf(tree) === 'found'}
              weight={`weight ${weight}`}
            />
          ))}
        </List>
      );
    default:
      return null;
  }
}

function List({ children }: { readonly children: ComponentChildren }) {
  return <ul>{children}</ul>;
}

function Answer({ node }: { readonly node: DelegationNode }) {
  if (node.type === 'delegate') return null;
  if (node.type === 'transformation') return <span class="badge">transformed by {node.name}</span>;
  if (node.type === 'alt') return <span class="badge">first that exists</span>;
  if (node.type === 'union') return <span class="badge">by weight</span>;
  const verdict = verdictOf(node);
  const by = node.namer === undefined ? '' : ` by ${node.namer}`;
  return <VerdictBadge verdict={verdict} by={by} />;
}

const TONES: Readonly<Record<Verdict, string>> = {
  found: 'good',
  absent: '',
  empty: 'poor',
  pending: 'poor',
  forbidden: 'bad',
  failed: 'bad',
};

export function VerdictBadge({ verdict, by = '' }: { readonly verdict: Verdict; readonly by?: string }) {
  return <span class={`badge ${TONES[verdict]}`}>{`${verdict}${by}`}</span>;
}

function Dentry({ dentry: { prefix, dst, position } }: { readonly dentry: DentryJson }) {
  const file = position?.source?.split('/').at(-1) ?? '';
  const place = position === undefined ? '' : `${file} line ${position.line}`.trim();
  return (
    <p class="dentry">
      <span class="muted">by</span> <code>{`${prefix} => ${dst}`}</code>{' '}
      {place !== '' && <span class="muted">{place}</span>}
    </p>
  );
}

function Endpoints({ bound, health }: { readonly bound: BoundJson; readonly health: Health | undefined }) {
  const { addr } = bound;
  const tls = <p class="dentry">{tlsText(bound.tls)}</p>;
  if (addr.type === 'failed') return <p class="reason">The addresses are not known: {addr.cause}</p>;
  if (addr.type !== 'bound')
    return <p class="reason">{addr.type === 'neg' ? 'No addresses.' : 'Addresses are awaited.'}</p>;
  return (
    <>
      {tls}
      <ul class="endpoints">
        {addr.addrs.slice(0, 50).map(({ ip, port }) => {
          const name = ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
          return <EndpointItem key={name} name={name} health={health} />;
        })}
      </ul>
      {addr.addrs.length > 50 && <p class="muted">and {addr.addrs.length - 50} more</p>}
    </>
  );
}

function EndpointItem({ name, health }: { readonly name: string; readonly health: Health | undefined }) {
  const state = health?.get(name);
  if (state === undefined) {
    return (
      <li>
        <code>{name}</code> {health !== undefined && <span class="badge">not in use yet</span>}
      </li>
    );
  }
  const { status, accrual, load, connections, latencyMs } = state;
  const healthy = status === 'open';
  return (
    <li>
      <code>{name}</code>{' '}
      <span class={`badge ${healthy ? 'good' : 'bad'}`}>{healthy ? 'healthy' : (accrual ?? status)}</span>
      <span class="muted">
        {` ${load} in progress, ${connections} connected`}
        {latencyMs === undefined ? '' : `, ~${latencyMs.toFixed(1)} ms`}
      </span>
    </li>
  );
}
