/** Rows of the overview as a table: the first of them, and more on demand. */
import { Component } from 'preact';
import { useState } from 'preact/hooks';
import type { RowKind } from '../live/overview-row.ts';
import { latency, percent, rate, toneOf } from './format.ts';
import { HISTORY, type Row } from './overview-feed.ts';
import { linkTo } from './route.ts';
import { Sparkline } from './sparkline.tsx';

const ROWS_AT_FIRST = 50;
/** All of thousands would take a browser longer to draw than they are true. */
const ROWS_MORE = 200;

export function RowTable({ kind, rows }: { readonly kind: RowKind; readonly rows: readonly Row[] }) {
  const [most, setMost] = useState(ROWS_AT_FIRST);
  const hidden = rows.length - most;
  const withConnections = kind !== 'service';
  return (
    <>
      <section class="scroll" aria-label={`Table of ${kind}s`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" class="number">
                Req/s
              </th>
              <th scope="col" class="wide">
                Last minute
              </th>
              <th scope="col" class="number">
                Success
              </th>
              <th scope="col" class="number">
                p50
              </th>
              <th scope="col" class="number">
                p95
              </th>
              <th scope="col" class="number">
                p99
              </th>
              <th scope="col" class="number">
                Retries/s
              </th>
              {withConnections && (
                <th scope="col" class="number">
                  Conns
                </th>
              )}
              {withConnections && (
                <th scope="col" class="number">
                  TLS
                </th>
              )}
              {kind === 'client' && (
                <th scope="col" class="number">
                  Endpoints
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, most).map((row) => (
              <TableRow key={row.key} row={row} withConnections={withConnections} />
            ))}
          </tbody>
        </table>
      </section>
      {hidden > 0 && (
        <button type="button" class="more" onClick={() => setMost(most + ROWS_MORE)}>
          {`Show ${Math.min(hidden, ROWS_MORE)} more of ${rows.length.toLocaleString('en')}`}
        </button>
      )}
      {most > ROWS_AT_FIRST && (
        <button type="button" class="more" onClick={() => setMost(ROWS_AT_FIRST)}>
          {`Show the first ${ROWS_AT_FIRST}`}
        </button>
      )}
    </>
  );
}

type RowProps = { readonly row: Row; readonly withConnections: boolean };

/** Drawn again only when the row has changed. */
class TableRow extends Component<RowProps> {
  override shouldComponentUpdate({ row }: RowProps): boolean {
    return row !== this.props.row;
  }

  render({ row, withConnections }: RowProps) {
    return <Cells row={row} withConnections={withConnections} />;
  }
}

function Cells({ row, withConnections }: RowProps) {
  const { available = 0, endpoints } = row;
  const down = endpoints !== undefined && available < endpoints;
  return (
    <tr>
      <th scope="row">
        <a href={target(row)}>{nameOf(row)}</a>{' '}
        {row.kind !== 'router' && <span class="muted tag">{row.router}</span>}
      </th>
      <td class="number">{rate(row.rps)}</td>
      <td class="wide">
        <Sparkline values={row.history} length={HISTORY} />
      </td>
      <td class={`number ${toneOf(row.success)}`}>{percent(row.success)}</td>
      <td class="number">{latency(row.p50)}</td>
      <td class="number">{latency(row.p95)}</td>
      <td class="number">{latency(row.p99)}</td>
      <td class="number">{rate(row.retries)}</td>
      {withConnections && <td class="number">{rate(row.connections)}</td>}
      {withConnections && <td class="number">{percent(row.tls)}</td>}
      {endpoints !== undefined && (
        <td class={`number ${down ? 'bad' : ''}`}>{`${available} / ${endpoints}`}</td>
      )}
    </tr>
  );
}

/** Services and clients are paths; a server is `ip/port` in the metrics. */
function nameOf({ kind, name }: Row): string {
  if (kind === 'service' || kind === 'client') return `/${name}`;
  return kind === 'server' ? name.replace(/\/(\d+)$/, ':$1') : name;
}

/** Where a click leads: to the thing itself, or to its requests. */
function target(row: Row): string {
  const { kind, router, name } = row;
  if (kind === 'router') return linkTo('overview', { router });
  if (kind === 'service') return linkTo('names', { router, q: `/${name}` });
  if (kind === 'client') return linkTo('discovery', { client: `/${name}` });
  return linkTo('requests', { where: `router=${router} server=${name}` });
}
