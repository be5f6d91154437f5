/** What this server has, as links. */
import { useEffect, useState } from 'preact/hooks';

/** Those that change something, and those that never end, are no links. */
const NO_LINKS = /^\/(files\/|admin\/(files\/|shutdown|overview|tap|pprof)|config$)/;

export function Help() {
  const [paths, setPaths] = useState<readonly string[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    fetch('admin/index.txt', { signal: abort.signal })
      .then(async (response) => setPaths((await response.text()).trim().split('\n')))
      .catch(() => {});
    return () => abort.abort();
  }, []);
  return (
    <>
      <h1>Help</h1>
      <section class="card" aria-labelledby="endpoints-title">
        <h2 id="endpoints-title">Endpoints</h2>
        <p class="muted">
          What each answers is in <code>docs/admin.md</code>; the metrics in <code>docs/metrics.md</code>.
        </p>
        <ul class="plain">
          {paths.map((path) => (
            <li key={path}>
              {NO_LINKS.test(path) ? <code>{path}</code> : <a href={path.slice(1) || '.'}>{path}</a>}
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}
