/**
 * From a loaded configuration to a running linker, or to everything that stands in the way, as lines to
 * print.
 */
import { renderDiagnostic } from '../config/errors.ts';
import type { Loaded } from '../config/load.ts';
import type { LinkerSpec } from '../config/spec.ts';
import { HeldLog } from './held-log.ts';
import { type Linker, type LinkerOptions, startLinker } from './linker.ts';
import { version } from './version.ts';

export type Started =
  | { readonly ok: true; readonly linker: Linker; readonly spec: LinkerSpec }
  | { readonly ok: false; readonly errors: readonly string[] };

/** The first line of the log says what runs; warnings of the configuration follow. */
export async function start(loaded: Loaded, options: LinkerOptions): Promise<Started> {
  const log = new HeldLog(options.log);
  for (const warning of loaded.warnings) log.warn(renderDiagnostic(warning));
  try {
    if ('errors' in loaded) return { ok: false, errors: loaded.errors.map(renderDiagnostic) };
    const linker = await startLinker(loaded.spec, { ...options, log });
    if ('errors' in linker) return { ok: false, errors: linker.errors.map((error) => `turnout: ${error}`) };
    options.log.info(`turnout ${version()} is running`, linker.summary());
    return { ok: true, linker, spec: loaded.spec };
  } finally {
    log.release();
  }
}
