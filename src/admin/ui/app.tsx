/** The frame of all views: navigation, the state of the connection, the theme. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Certificates } from './certificates.tsx';
import { ConfigView } from './config-view.tsx';
import { Discovery } from './discovery.tsx';
import { Fleet } from './fleet.tsx';
import { age } from './format.ts';
import { Help } from './help.tsx';
import { Logs } from './logs.tsx';
import { Names } from './names.tsx';
import { Overview } from './overview.tsx';
import type { Info } from './overview-feed.ts';
import { Requests } from './requests.tsx';
import { linkTo, type Route, useRoute, VIEWS } from './route.ts';
import type { RouterSummary } from './routers.ts';
import { chooseTheme, currentTheme, type Theme } from './theme.ts';
import { Running, useFetched } from './use-fetched.ts';
import { useOverview } from './use-overview.ts';

export function App() {
  const { feed, connected } = useOverview();
  const { startTime, generation } = feed.info ?? {};
  return (
    <Running.Provider value={`${startTime} ${generation}`}>
      <Frame feed={feed} connected={connected} />
    </Running.Provider>
  );
}

function Frame({ feed, connected }: ReturnType<typeof useOverview>) {
  const route = useRoute();
  const [theme, setTheme] = useState<Theme>(currentTheme);
  const { value: routers, error, running = '' } = useFetched<readonly RouterSummary[]>('routers.json');
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${VIEWS.find(([view]) => view === route.view)?.[1] ?? 'Turnout'} · Turnout`;
  }, [route.view]);
  return (
    <>
      <a
        class="skip"
        href={location.hash || '#/'}
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href="#/overview">
          Turnout
        </a>
        <nav aria-label="Views">
          {VIEWS.map(([view, title]) => (
            <a key={view} href={linkTo(view)} aria-current={view === route.view ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <State info={feed.info} connected={connected} />
        <button
          type="button"
          class="theme"
          aria-label={theme === 'dark' ? 'Switch to light colours' : 'Switch to dark colours'}
          onClick={() => {
            const other = theme === 'dark' ? 'light' : 'dark';
            chooseTheme(other);
            setTheme(other);
          }}
        >
          {theme === 'dark' ? '☀' : '☾'}
        </button>
      </header>
      <main ref={main} tabIndex={-1}>
        {connected === false && (
          <p class="error" role="status">
            The connection to the router is lost; trying again. What is shown may be old.
          </p>
        )}
        {routers === undefined && error !== undefined && <p class="error">{error}</p>}
        {/* Views ask about routers: not before these are known again. */}
        <Running.Provider value={running}>
          <View route={route} feed={feed} theme={theme} routers={routers} />
        </Running.Provider>
      </main>
    </>
  );
}

type ViewProps = Pick<Parameters<typeof Overview>[0], 'feed' | 'theme'> & {
  readonly route: Route;
  readonly routers: readonly RouterSummary[] | undefined;
};

function View({ route, feed, theme, routers }: ViewProps) {
  switch (route.view) {
    case 'overview':
      return <Overview feed={feed} router={route.params.get('router') ?? ''} theme={theme} />;
    case 'names':
      return routers === undefined ? <p class="empty">Asking…</p> : <Names route={route} routers={routers} />;
    case 'requests':
      return <Requests route={route} />;
    case 'discovery':
      return <Discovery route={route} />;
    case 'certificates':
      return <Certificates />;
    case 'config':
      return <ConfigView />;
    case 'logs':
      return <Logs />;
    case 'fleet':
      return <Fleet />;
    case 'help':
      return <Help />;
    default:
      return (
        <p class="empty">
          There is no view of this name. <a href="#/overview">Overview</a>
        </p>
      );
  }
}

function State({
  info,
  connected,
}: {
  readonly info: Info | undefined;
  readonly connected: boolean | undefined;
}) {
  const ready = info !== undefined && info.unready.length === 0;
  const text =
    connected !== true || info === undefined
      ? 'no connection'
      : ready
        ? 'ready'
        : `not ready: ${info.unready.join('; ')}`;
  return (
    <p class="state">
      <span class={`dot ${connected === true && ready ? 'good' : 'bad'}`} aria-hidden="true" />{' '}
      <span>{text}</span>
      {info !== undefined && <span class="muted">{` ${info.version}, up ${age(info.uptimeMs)}`}</span>}
    </p>
  );
}
