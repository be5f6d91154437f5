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
import { linkTo, type Route, useRoute } from './route.ts';
import type { RouterSummary } from './routers.ts';
import { chooseTheme, currentTheme, type Theme } from './theme.ts';
import { useFetched } from './use-fetched.ts';
import { useOverview } from './use-overview.ts';

const VIEWS = [
  ['overview', 'Overview'],
  ['names', 'Names'],
  ['requests', 'Requests'],
  ['discovery', 'Discovery'],
  ['certificates', 'Certificates'],
  ['config', 'Config'],
  ['logs', 'Logs'],
  ['fleet', 'Fleet'],
  ['help', 'Help'],
] as const;

export function App() {
  const route = useRoute();
  const [theme, setTheme] = useState<Theme>(currentTheme);
  const { feed, connected } = useOverview();
  // Of this start of the process: another may run another configuration.
  const routers = useFetched<readonly RouterSummary[]>(`routers.json?start=${feed.info?.startTime ?? ''}`);
  const known = useLast(routers.value);
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
        {known === undefined && routers.error !== undefined && <p class="error">{routers.error}</p>}
        <View route={route} feed={feed} theme={theme} routers={known} />
      </main>
    </>
  );
}

/** The latest value that there was. */
function useLast<T>(value: T | undefined): T | undefined {
  const last = useRef(value);
  if (value !== undefined) last.current = value;
  return last.current;
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
      return <ConfigView key={feed.info?.startTime} />;
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
