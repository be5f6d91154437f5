/**
 * From a loaded configuration to a running linker, or to everything that stands in the way, as lines to
 * print.
 */
import { renderDiagnostic } from '../config/errors.ts';
import type { Loaded } from '../config/load.ts';
import type { LinkerSpec } from '../config/spec.ts';
import type { Log } from './base/log.ts';
import { type Linker, startLinker } from './linker.ts';

export type StartOptions = { readonly threads: number | 'auto'; readonly log: Log };

export type Started =
  | { readonly ok: true; readonly linker: Linker; readonly spec: LinkerSpec }
  | { readonly ok: false; readonly errors: readonly string[] };

/** Warnings are logged. */
export async function start(loaded: Loaded, options: StartOptions): Promise<Started> {
  for (const warning of loaded.warnings) options.log.warn(renderDiagnostic(warning));
  if ('errors' in loaded) return { ok: false, errors: loaded.errors.map(renderDiagnostic) };
  const linker = await startLinker(loaded.spec, options);
  return 'errors' in linker
    ? { ok: false, errors: linker.errors.map((error) => `turnout: ${error}`) }
    : { ok: true, linker, spec: loaded.spec };
}
