/** One request from end to end: identified, rewritten, bound, tried, answered. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { DelegationNode } from './delegation.ts';
import { DelegationTree } from './delegation-tree.tsx';
import { bytes, clockTime, millis } from './format.ts';
import { delegatorPath } from './resolution.tsx';
import { linkTo } from './route.ts';
import { type Attempt, type Story, statusText, toneOfStory } from './stories.ts';
import { useFetched } from './use-fetched.ts';

export function RequestStory({ story, close }: { readonly story: Story; readonly close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} class="story" aria-labelledby="story-title" onClose={close}>
      <header>
        <h2 id="story-title">
          {story.method}{' '}
          <span class="wrap">{`${story.target.startsWith('/') ? story.host : ''}${story.target}`}</span>
        </h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </header>
      <Facts story={story} />
      <h3>Attempts</h3>
      <Attempts story={story} />
      <h3>How the name resolves now</h3>
      <Rewritten story={story} />
    </dialog>
  );
}

function Facts({ story }: { readonly story: Story }) {
  const own = `${story.router}, server ${story.server.replace(/\/(\d+)$/, ':$1')}`;
  return (
    <dl class="facts">
      <Fact name="Answer">
        <strong class={toneOfStory(story)}>{statusText(story)}</strong>
        {story.message !== undefined && <pre class="reason">{story.message}</pre>}
      </Fact>
      <Fact name="Received">{`${clockTime(story.time)} by router ${own}`}</Fact>
      <Fact name="From">{`${story.peer}, HTTP/${story.version}, ${story.tls ? 'TLS' : 'plain text'}`}</Fact>
      <Fact name="Identified as">{story.path === undefined ? 'nothing' : <code>{story.path}</code>}</Fact>
      {story.dtab !== undefined && (
        <Fact name="Own dtab">
          <code>{story.dtab}</code>
        </Fact>
      )}
      <Fact name="Bound to">{story.client === undefined ? 'nothing' : <code>{story.client}</code>}</Fact>
      <Fact name="Endpoint">
        {story.endpoint === undefined ? 'none' : <code>{story.endpoint}</code>}
        {story.endpoint !== undefined && `, ${tlsText(story.endpointTls)}`}
      </Fact>
      {story.tunnel !== undefined && <Fact name="Tunnel">{story.tunnel}</Fact>}
      <Fact name="Timings">
        {`answer begins after ${millis(story.latencyMs)}, ends after ${millis(story.durationMs)}`}
      </Fact>
      <Fact name="Bytes">{`${bytes(story.requestBytes)} in, ${bytes(story.responseBytes)} out`}</Fact>
      <Fact name="Retries">{`${story.retries} by class, ${story.requeues} requeued`}</Fact>
      <Fact name="Trace">
        <code>{story.traceId}</code> span <code>{story.spanId}</code>
      </Fact>
      {story.userAgent !== undefined && <Fact name="User agent">{story.userAgent}</Fact>}
    </dl>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function tlsText(tls: string | undefined): string {
  if (tls === undefined) return 'plain text';
  return tls === '' ? 'TLS without a verified name' : `TLS, proved the name ${tls}`;
}

function Attempts({ story }: { readonly story: Story }) {
  if (story.attempts.length === 0) return <p class="muted">No endpoint was tried.</p>;
  const wholeMs = Math.max(story.durationMs, ...story.attempts.map(({ atMs, ms }) => atMs + ms), 0.001);
  return (
    <ol class="attempts">
      {story.attempts.map((attempt, i) => (
        <li key={`${i} ${attempt.endpoint}`}>
          <div>
            <code>{attempt.endpoint}</code>{' '}
            <span class={attempt.failure ? 'bad' : ''}>{outcomeOf(attempt)}</span>{' '}
            <span class="muted">{`at ${millis(attempt.atMs)}, ${millis(attempt.ms)}`}</span>
          </div>
          <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
            <rect
              class={attempt.failure ? 'failed' : ''}
              x={(attempt.atMs / wholeMs) * 100}
              width={Math.max(0.5, (attempt.ms / wholeMs) * 100)}
              height="4"
            />
          </svg>
        </li>
      ))}
    </ol>
  );
}

function outcomeOf({ status, failure }: Attempt): string {
  return failure ?? String(status ?? '');
}

/** The dtab may have changed since; what the request was bound to stands above. */
function Rewritten({ story: { router, path, dtab = '' } }: { readonly story: Story }) {
  const asked = path === undefined ? undefined : delegatorPath({ router, path, dtab, base: true });
  const { value, error } = useFetched<DelegationNode>(asked);
  if (path === undefined) return <p class="muted">It was not identified, so there was no name.</p>;
  if (error !== undefined) return <p class="error">{error}</p>;
  if (value === undefined) return <p class="muted">Asking…</p>;
  const headers = dtab === '' ? '' : `l5d-dtab: ${dtab}`;
  return (
    <>
      <DelegationTree tree={value} />
      <a href={linkTo('names', { router, q: path, headers })}>Open in Names</a>
    </>
  );
}
