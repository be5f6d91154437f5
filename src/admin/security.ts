/**
 * Which pages may be asked for at all (`admin.security`). A path is in one category; the category's switch
 * decides, the whitelist opens more, the blacklist wins. Expressions must match the whole path.
 */
import type { AdminSpec } from '../../config/spec.ts';

type SecuritySpec = NonNullable<AdminSpec['security']>;

const UI: ReadonlySet<string> = new Set([
  '/',
  '/config.json',
  '/metrics.json',
  '/admin/metrics.json',
  '/admin/metrics',
  '/delegator',
  '/delegator.json',
  '/logging',
  '/help',
  '/services',
]);
const UI_FOLDERS = ['/files/', '/admin/files/'];
const CONTROL: ReadonlySet<string> = new Set(['/admin/shutdown', '/config', '/logging.json']);

export type PathFilter = (path: string) => boolean;

const everything: PathFilter = () => true;

/** True: allowed. A bad expression is a SyntaxError whose message names it. */
export function pathFilter(spec: SecuritySpec | undefined): PathFilter {
  if (spec === undefined) return everything;
  const white = spec.pathWhitelist.map(whole);
  const black = spec.pathBlacklist.map(whole);
  return (path) => {
    if (black.some((expression) => expression.test(path))) return false;
    return categoryEnabled(spec, path) || white.some((expression) => expression.test(path));
  };
}

function whole(source: string): RegExp {
  return new RegExp(`^(?:${source})$`);
}

function categoryEnabled(spec: SecuritySpec, path: string): boolean {
  if (UI.has(path) || UI_FOLDERS.some((folder) => path.startsWith(folder))) return spec.uiEnabled;
  return CONTROL.has(path) ? spec.controlEnabled : spec.diagnosticsEnabled;
}
