/** The playground: a name or a request, where it goes by the router's dtab, and where by an edited one. */
import { useEffect, useState } from 'preact/hooks';
import { type DelegationNode, sharesOf, totalsOf } from './delegation.ts';
import { DtabEditor } from './dtab-editor.tsx';
import { query } from './fetch-json.ts';
import { entriesOf, localDtab, readHeaders, readTyped } from './request-text.ts';
import { delegatorPath, Resolution } from './resolution.tsx';
import { linkTo, type Route } from './route.ts';
import type { RouterSummary } from './routers.ts';
import { useFetched } from './use-fetched.ts';

type Props = { readonly route: Route; readonly routers: readonly RouterSummary[] };

export function Names({ route, routers }: Props) {
  const asked = route.params.get('q') ?? '';
  const router = routers.find(({ label }) => label === route.params.get('router')) ?? routers[0];
  const [text, setText] = useState(asked);
  const [headers, setHeaders] = useState(route.params.get('headers') ?? '');
  useEffect(() => setText(asked), [asked]);
  if (router === undefined) return <p class="empty">This process has no router.</p>;
  const go = (label: string): void => {
    location.hash = linkTo('names', { router: label, q: text, headers });
  };
  return (
    <>
      <h1>Names</h1>
      <form
        class="card ask"
        onSubmit={(event) => {
          event.preventDefault();
          go(router.label);
        }}
      >
        <label>
          Router
          <select value={router.label} onChange={(event) => go(event.currentTarget.value)}>
            {routers.map(({ label }) => (
              <option key={label} value={label}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label class="grow">
          Name or request
          <input
            type="text"
            placeholder="/svc/web, or GET http://web/path"
            value={text}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Explain
        </button>
        <details class="full" open={headers !== ''}>
          <summary>Headers of the request</summary>
          <textarea
            rows={3}
            aria-label="Headers of the request, one a line"
            placeholder={'l5d-dtab: /svc/web => /srv/web-v2'}
            value={headers}
            spellcheck={false}
            onInput={(event) => setHeaders(event.currentTarget.value)}
          />
        </details>
      </form>
      {asked === '' ? (
        <Hint />
      ) : (
        <Asked
          key={router.label}
          router={router}
          asked={asked}
          headers={readHeaders(route.params.get('headers') ?? '')}
        />
      )}
    </>
  );
}

function Hint() {
  return (
    <p class="empty">
      Type a name such as <code>/svc/web</code>, or a request such as <code>GET http://web/</code>, to see
      where it goes and why.
    </p>
  );
}

type AskedProps = {
  readonly router: RouterSummary;
  readonly asked: string;
  readonly headers: readonly string[];
};
type Identified = Readonly<Record<string, { readonly path?: string; readonly error?: string }>>;

function Asked({ router, asked, headers }: AskedProps) {
  const typed = readTyped(asked);
  const question = typed?.type === 'request' ? identifyPath(typed, headers) : undefined;
  const identified = useFetched<Identified>(question);
  if (typed === undefined)
    return <p class="error">A name begins with /; a request is METHOD http://host/path.</p>;
  if (typed.type === 'name')
    return <Playground router={router} path={typed.path} local={localDtab(headers)} />;
  if (identified.error !== undefined) return <p class="error">{identified.error}</p>;
  const own = identified.value?.[router.label];
  if (own === undefined) return <p class="empty">Asking…</p>;
  if (own.path === undefined)
    return <p class="error">The router cannot identify this request: {own.error}</p>;
  return (
    <>
      <p class="identified">
        Identified as <code>{own.path}</code>
      </p>
      <Playground router={router} path={own.path} local={localDtab(headers)} />
    </>
  );
}

function identifyPath(
  { method, host, target }: { readonly method: string; readonly host: string; readonly target: string },
  headers: readonly string[],
): string {
  const lines = headers.map((line) => `&header=${encodeURIComponent(line)}`).join('');
  return `${query('identify.json', { method, host, target })}${lines}`;
}

type PlaygroundProps = { readonly router: RouterSummary; readonly path: string; readonly local: string };

function Playground({ router, path, local }: PlaygroundProps) {
  const base = router.dtab.map(({ dentry }) => `${dentry};`).join('\n');
  const [edited, setEdited] = useState<string | undefined>(undefined);
  const dtab = edited ?? base;
  const differs = entriesOf(dtab).join(';') !== entriesOf(base).join(';');
  const now = { router: router.label, path, dtab: local, base: true };
  const then = {
    router: router.label,
    path,
    dtab: together(dtab, local),
    base: false,
  };
  const before = useFetched<DelegationNode>(delegatorPath(now));
  const after = useFetched<DelegationNode>(differs ? delegatorPath(then) : undefined);
  const totals = before.value === undefined ? undefined : totalsOf(sharesOf(before.value));
  return (
    <div class={differs ? 'playground three' : 'playground'}>
      <div>
        {before.error !== undefined && <p class="error">{before.error}</p>}
        {before.value === undefined && before.error === undefined && <p class="empty">Asking…</p>}
        {before.value !== undefined && <Resolution title="Now" question={now} tree={before.value} />}
      </div>
      {differs && (
        <div>
          {after.error !== undefined && <pre class="error">{after.error}</pre>}
          {after.value !== undefined && (
            <Resolution title="With the edited dtab" question={then} tree={after.value} other={totals} />
          )}
        </div>
      )}
      <DtabEditor router={router} value={dtab} base={base} onChange={setEdited} />
    </div>
  );
}

/** With its lines as they are typed, so that an error names them. */
function together(dtab: string, local: string): string {
  return local === '' ? dtab : `${dtab.replace(/;?\s*$/, ';')}\n${local}`;
}
