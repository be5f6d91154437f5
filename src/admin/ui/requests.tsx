/** The live tap: requests as they finish, and each with its whole story. */
import { useEffect, useState } from 'preact/hooks';
import { clockTime, count, millis } from './format.ts';
import { RequestStory } from './request-story.tsx';
import { linkTo, type Route } from './route.ts';
import { STORIES_MAX, type Story, statusText, toneOfStory } from './stories.ts';
import { useTap } from './use-tap.ts';

const EXAMPLES = ['status>=500', 'latency>=100', 'retries>0', 'method=POST', 'failure!=""'];

export function Requests({ route }: { readonly route: Route }) {
  const where = route.params.get('where') ?? '';
  const [text, setText] = useState(where);
  const [paused, setPaused] = useState(false);
  const [opened, setOpened] = useState<Story | undefined>(undefined);
  const { stories, error, clear } = useTap(where, paused);
  useEffect(() => setText(where), [where]);
  const go = (conditions: string): void => {
    location.hash = linkTo('requests', { where: conditions.trim() });
  };
  return (
    <>
      <h1>Requests</h1>
      <form
        class="card ask"
        onSubmit={(event) => {
          event.preventDefault();
          go(text);
        }}
      >
        <label class="grow">
          Conditions, all of which must hold
          <input
            type="text"
            placeholder="path=/svc/web status>=500"
            value={text}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Apply
        </button>
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? 'Go on' : 'Pause'}
        </button>
        <button type="button" onClick={clear}>
          Clear
        </button>
        <div class="full chips">
          {EXAMPLES.map((example) => (
            <button key={example} type="button" class="chip" onClick={() => go(`${where} ${example}`)}>
              {example}
            </button>
          ))}
        </div>
      </form>
      {error !== undefined && <p class="error">{error}</p>}
      <p class="muted" aria-live="polite">
        {paused ? 'Paused. ' : ''}
        {count(stories.seen, 'request')}
        {stories.seen > STORIES_MAX ? `, the latest ${STORIES_MAX} of them below` : ''}
        {stories.skipped > 0 ? `; ${stories.skipped.toLocaleString('en')} more than a page can follow` : ''}
      </p>
      {stories.list.length === 0 ? (
        <p class="empty card">
          {paused
            ? 'Nothing was shown before the pause.'
            : 'Waiting for requests. They are shown when they are over.'}
        </p>
      ) : (
        <StoryTable list={stories.list} opened={opened} open={setOpened} />
      )}
      {opened !== undefined && <RequestStory story={opened} close={() => setOpened(undefined)} />}
    </>
  );
}

type TableProps = {
  readonly list: readonly Story[];
  readonly opened: Story | undefined;
  readonly open: (story: Story) => void;
};

function StoryTable({ list, opened, open }: TableProps) {
  return (
    <section class="card scroll" aria-label="Requests">
      <table class="stories">
        <thead>
          <tr>
            <th scope="col">Request</th>
            <th scope="col">Status</th>
            <th scope="col" class="number">
              Latency
            </th>
            <th scope="col">Name</th>
            <th scope="col">Endpoint</th>
            <th scope="col">TLS</th>
            <th scope="col" class="number">
              Retries
            </th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          {list.map((story) => (
            <tr key={story.id} class={story.id === opened?.id ? 'selected' : ''}>
              <th scope="row">
                <button type="button" class="link" onClick={() => open(story)}>
                  {`${story.method} ${shown(story)}`}
                </button>
                <span class="muted tag">{story.router}</span>
              </th>
              <td class={toneOfStory(story)}>{statusText(story)}</td>
              <td class="number">{millis(story.latencyMs)}</td>
              <td>
                <code>{story.path ?? '–'}</code>
              </td>
              <td>
                <code>{story.endpoint ?? '–'}</code>
              </td>
              <td>{tlsOf(story)}</td>
              <td class="number">{story.retries + story.requeues}</td>
              <td class="time">{clockTime(story.time)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** In and out. */
function tlsOf({ tls, endpointTls, endpoint }: Story): string {
  const out = endpoint === undefined ? '–' : endpointTls === undefined ? 'plain' : 'TLS';
  return `${tls ? 'TLS' : 'plain'} → ${out}`;
}

export function shown({ host, target }: Story): string {
  const whole = target.startsWith('/') ? `${host}${target}` : target;
  return whole.length > 100 ? `${whole.slice(0, 99)}…` : whole;
}
