/** The first page: how everything is, the troubled first. */
import { useState } from 'preact/hooks';
import type { OverviewRow, RowKind } from '../live/overview-row.ts';
import { count, latency, percent, rate, toneOf } from './format.ts';
import { byTrouble, type Feed, type Row } from './overview-feed.ts';
import { RateChart } from './rate-chart.tsx';
import { RowTable } from './row-table.tsx';

const SECTIONS: readonly { readonly kind: RowKind; readonly title: string; readonly word: string }[] = [
  { kind: 'router', title: 'Routers', word: 'router' },
  { kind: 'service', title: 'Services', word: 'service' },
  { kind: 'client', title: 'Clients', word: 'client' },
  { kind: 'server', title: 'Servers', word: 'server' },
];

type Props = { readonly feed: Feed; readonly router: string; readonly theme: string };

export function Overview({ feed, router, theme }: Props) {
  const [filter, setFilter] = useState('');
  const all = [...feed.rows.values()].filter((row) => router === '' || row.router === router);
  const wanted = filter.trim().toLowerCase();
  const shown = wanted === '' ? all : all.filter(({ name }) => name.toLowerCase().includes(wanted));
  const routers = all.filter(({ kind }) => kind === 'router');
  return (
    <>
      <h1>Overview</h1>
      <Tiles routers={routers} />
      <section class="card" aria-labelledby="rate-title">
        <h2 id="rate-title">Requests a second</h2>
        <RateChart key={theme} totals={feed.totals} />
      </section>
      <div class="toolbar">
        <label>
          <span class="hidden">Filter by name</span>
          <input
            type="search"
            placeholder="Filter by name"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </label>
        <span class="muted">Sorted by trouble: failures, endpoints down, retries, traffic.</span>
      </div>
      {SECTIONS.map(({ kind, title, word }) => {
        const rows = shown.filter((row) => row.kind === kind).sort(byTrouble);
        return (
          <section class="card" key={kind} aria-labelledby={`${kind}-title`}>
            <h2 id={`${kind}-title`}>
              {title} <span class="muted count">{count(rows.length, word)}</span>
            </h2>
            {rows.length === 0 ? (
              <Empty kind={kind} filtered={wanted !== ''} />
            ) : (
              <RowTable kind={kind} rows={rows} />
            )}
          </section>
        );
      })}
    </>
  );
}

function Empty({ kind, filtered }: { readonly kind: RowKind; readonly filtered: boolean }) {
  if (filtered) return <p class="empty">Nothing of that name.</p>;
  if (kind === 'router' || kind === 'server') return <p class="empty">Nothing has been measured yet.</p>;
  return <p class="empty">A {kind} appears with its first request.</p>;
}

function Tiles({ routers }: { readonly routers: readonly Row[] }) {
  const rps = sum(routers, 'rps');
  const failed = routers.reduce((all, row) => all + (row.rps ?? 0) * (1 - (row.success ?? 1)), 0);
  const judged = routers.some(({ success }) => success !== null);
  const connections = sum(routers, 'connections') ?? 0;
  const secure = routers.reduce((all, row) => all + (row.tls ?? 0) * (row.connections ?? 0), 0);
  const p99 = routers.flatMap((row) => row.p99 ?? []);
  const success = judged && rps !== null && rps > 0 ? 1 - failed / rps : null;
  return (
    <dl class="tiles">
      <Tile name="Requests/s" value={rate(rps)} />
      <Tile name="Success" value={percent(success)} tone={toneOf(success)} />
      <Tile name="p99, worst router" value={latency(p99.length === 0 ? null : Math.max(...p99))} />
      <Tile name="Retries/s" value={rate(sum(routers, 'retries'))} />
      <Tile name="Connections" value={rate(connections)} />
      <Tile name="TLS share" value={percent(connections === 0 ? null : secure / connections)} />
    </dl>
  );
}

function Tile({
  name,
  value,
  tone = '',
}: {
  readonly name: string;
  readonly value: string;
  readonly tone?: string;
}) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd class={tone}>{value}</dd>
    </div>
  );
}

function sum(rows: readonly OverviewRow[], key: 'rps' | 'retries' | 'connections'): number | null {
  const values = rows.flatMap((row) => row[key] ?? []);
  return values.length === 0 ? null : values.reduce((all, value) => all + value, 0);
}
