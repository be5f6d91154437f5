/** The version of this program, from the package.json that it was installed with. */
import { existsSync, readFileSync } from 'node:fs';

/** Next to `src/` when run from source, one folder further up when run from `dist/`. */
const CANDIDATES = ['../package.json', '../../package.json'];

export function version(): string {
  const file = CANDIDATES.map((candidate) => new URL(candidate, import.meta.url)).find((url) =>
    existsSync(url),
  );
  if (file === undefined) return 'unknown';
  const manifest: { version?: unknown } = JSON.parse(readFileSync(file, 'utf8'));
  return typeof manifest.version === 'string' ? manifest.version : 'unknown';
}
