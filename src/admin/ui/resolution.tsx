/** What a name comes to: the verdict, the shares of traffic, the tree. */
import { useMemo } from 'preact/hooks';
import { type DelegationNode, sharesOf, totalsOf, verdictOf } from './delegation.ts';
import { DelegationTree, VerdictBadge } from './delegation-tree.tsx';
import { query } from './fetch-json.ts';
import { type ClientStates, healthsOf } from './health.ts';
import { useFetched } from './use-fetched.ts';

export type Question = {
  readonly router: string;
  readonly path: string;
  /** Comes after the router's own with `base`, else it is all there is. */
  readonly dtab: string;
  readonly base: boolean;
};

export function delegatorPath({ router, path, dtab, base }: Question): string {
  return query('delegator.json', { namespace: router, path, dtab, ...(base ? { base: '1' } : {}) });
}

const HEALTH_MS = 2000;

type Props = {
  readonly title: string;
  readonly question: Question;
  /** Of the other resolution, to show what differs. */
  readonly other?: ReadonlyMap<string, number> | undefined;
  readonly tree: DelegationNode;
};

export function Resolution({ title, question, other, tree }: Props) {
  const totals = useMemo(() => totalsOf(sharesOf(tree)), [tree]);
  const ids = [...totals.keys()];
  const asked =
    ids.length === 0
      ? undefined
      : `client_state.json?${ids.map((id) => `id=${encodeURIComponent(id)}`).join('&')}`;
  const states = useFetched<ClientStates>(asked, HEALTH_MS);
  const gone = other === undefined ? [] : [...other.keys()].filter((id) => !totals.has(id));
  return (
    <section class="card resolution" aria-label={title}>
      <h2>
        {title} <VerdictBadge verdict={verdictOf(tree)} />
      </h2>
      <ul class="shares">
        {ids.map((id) => (
          <li key={id}>
            <strong class="number">{`${Math.round((totals.get(id) ?? 0) * 1000) / 10}%`}</strong>{' '}
            <code>{id}</code>
            {other !== undefined && <Change now={totals.get(id) ?? 0} before={other.get(id)} />}
          </li>
        ))}
        {gone.map((id) => (
          <li key={id} class="gone">
            <strong class="number">0%</strong> <code>{id}</code> <span class="badge bad">gone</span>
          </li>
        ))}
      </ul>
      {ids.length === 0 && <p class="reason">No traffic can go anywhere from here.</p>}
      <DelegationTree tree={tree} healths={healthsOf(states.value, question.router)} />
    </section>
  );
}

function Change({ now, before }: { readonly now: number; readonly before: number | undefined }) {
  if (before === undefined) return <span class="badge good">new</span>;
  const points = Math.round((now - before) * 1000) / 10;
  if (points === 0) return <span class="badge">unchanged</span>;
  return <span class="badge poor">{`${points > 0 ? '+' : ''}${points} points`}</span>;
}
