/** What names are bound to: each client's endpoints and the age of what is known; watches of Kubernetes. */
import { useState } from 'preact/hooks';
import { age, count, millis } from './format.ts';
import { type ClientStates, type EndpointHealth, tlsText } from './health.ts';
import type { Route } from './route.ts';
import { useFetched } from './use-fetched.ts';

const CLIENTS_MS = 3000;
const SHOWN = 50;

type Watch = {
  readonly server: string;
  readonly path: string;
  readonly state: string;
  readonly objects?: number;
  readonly staleMs: number;
  readonly drift: number;
  readonly problem?: string;
};

export function Discovery({ route }: { readonly route: Route }) {
  const asked = route.params.get('client') ?? '';
  const [filter, setFilter] = useState(asked);
  const clients = useFetched<ClientStates>('client_state.json', CLIENTS_MS);
  const watches = useFetched<readonly Watch[]>('kubernetes.json', CLIENTS_MS);
  const all = Object.entries(clients.value ?? {});
  const found = all.filter(([id]) => id.includes(filter.trim()));
  return (
    <>
      <h1>Discovery</h1>
      {clients.error !== undefined && <p class="error">{clients.error}</p>}
      <div class="toolbar">
        <label>
          <span class="hidden">Filter by name</span>
          <input
            type="search"
            placeholder="Filter by bound name"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </label>
        <span class="muted">{count(found.length, 'bound name')}</span>
      </div>
      {found.length === 0 && clients.value !== undefined && (
        <p class="card empty">
          {all.length === 0 ? 'A name is bound with its first request.' : 'No bound name of this kind.'}
        </p>
      )}
      {found.slice(0, SHOWN).map(([id, state]) => (
        <Client key={id} id={id} state={state} />
      ))}
      {found.length > SHOWN && <p class="muted">The first {SHOWN} are shown; the filter finds the others.</p>}
      <Watches list={watches.value ?? []} />
    </>
  );
}

function Client({ id, state }: { readonly id: string; readonly state: ClientStates[string] }) {
  return (
    <section class="card" aria-label={id}>
      <h2>
        <code>{id}</code>{' '}
        <span class={`badge ${state.state === 'bound' ? 'good' : 'bad'}`}>{state.state}</span>
      </h2>
      {Object.entries(state.routers ?? {}).map(([router, { tls, ageMs, endpoints }]) => (
        <div key={router}>
          <p class="muted">{`router ${router}, ${tlsText(tls)}, told ${age(ageMs)} ago`}</p>
          <Endpoints list={endpoints} />
        </div>
      ))}
    </section>
  );
}

function Endpoints({ list }: { readonly list: readonly EndpointHealth[] }) {
  if (list.length === 0) return <p class="empty">It has no endpoints.</p>;
  return (
    <section class="scroll" aria-label="Endpoints">
      <table>
        <thead>
          <tr>
            <th scope="col">Endpoint</th>
            <th scope="col">Health</th>
            <th scope="col" class="number">
              In progress
            </th>
            <th scope="col" class="number">
              Connections
            </th>
            <th scope="col" class="number">
              Weight
            </th>
            <th scope="col" class="number">
              Expected latency
            </th>
          </tr>
        </thead>
        <tbody>
          {list.slice(0, SHOWN).map(({ address, status, accrual, load, connections, weight, latencyMs }) => (
            <tr key={address}>
              <th scope="row">
                <code>{address}</code>
              </th>
              <td class={status === 'open' ? 'good' : 'bad'}>
                {status === 'open' ? 'healthy' : (accrual ?? status)}
              </td>
              <td class="number">{load}</td>
              <td class="number">{connections}</td>
              <td class="number">{weight}</td>
              <td class="number">{millis(latencyMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {list.length > SHOWN && <p class="muted">and {list.length - SHOWN} more</p>}
    </section>
  );
}

function Watches({ list }: { readonly list: readonly Watch[] }) {
  return (
    <section class="card" aria-labelledby="watches-title">
      <h2 id="watches-title">Watches of the Kubernetes API</h2>
      {list.length === 0 ? (
        <p class="empty">None: no namer in use reads from Kubernetes.</p>
      ) : (
        <section class="scroll" aria-label="Watches">
          <table>
            <thead>
              <tr>
                <th scope="col">Collection</th>
                <th scope="col">State</th>
                <th scope="col" class="number">
                  Objects
                </th>
                <th scope="col" class="number">
                  Stale for
                </th>
                <th scope="col" class="number">
                  Drift
                </th>
                <th scope="col">Problem</th>
              </tr>
            </thead>
            <tbody>
              {list.map(({ server, path, state, objects, staleMs, drift, problem }) => (
                <tr key={`${server} ${path}`}>
                  <th scope="row">
                    <code>{path}</code>
                    <span class="muted tag">{server}</span>
                  </th>
                  <td>{state}</td>
                  <td class="number">{objects ?? '–'}</td>
                  <td class={`number ${staleMs > 0 ? 'poor' : ''}`}>
                    {staleMs === 0 ? 'current' : age(staleMs)}
                  </td>
                  <td class="number">{drift}</td>
                  <td class="bad">{problem ?? ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}
