/**
 * Every TLS file that a configuration names, read and checked as a start does. A file that is not there is a
 * warning: a configuration is often checked on a machine that has no business holding the keys. What is there
 * must be usable.
 */
import type { LinkerSpec } from '../config/spec.ts';
import { tlsSections } from './tls-sections.ts';

/** Lines that name the section and the file. */
export type TlsFileFindings = { readonly errors: readonly string[]; readonly warnings: readonly string[] };

export function checkTlsFiles(spec: LinkerSpec): TlsFileFindings {
  const errors: string[] = [];
  const warnings: string[] = [];
  for (const { place, load } of tlsSections(spec)) {
    const loaded = load();
    if (loaded.ok) continue;
    for (const error of loaded.errors) {
      const line = `${spec.source}: ${place}.${error}`;
      if (loaded.unreadable.includes(error)) warnings.push(`${line}; a start needs it`);
      else errors.push(line);
    }
  }
  return { errors, warnings };
}
