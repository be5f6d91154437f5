/** A running linker whose configuration can be replaced: by its file and by the admin server. */
import { systemClock } from './base/clock.ts';
import type { Closable } from './base/closable.ts';
import type { Log } from './base/log.ts';
import { ConfigFile } from './config-file.ts';
import type { Linker } from './linker.ts';
import type { ConfigText } from './read-config.ts';
import { logGenerations, Reloader, type ReloaderDeps } from './reload.ts';

const STDIN = '<stdin>';

export type Reloading = Closable & {
  /** Reads the file again, as if it had changed. */
  again(by: string): void;
};

/** `told` of each configuration that was tried, instead of the log. */
export function reloadable(
  linker: Linker,
  { text, source }: ConfigText,
  log: Log,
  told: ReloaderDeps['told'] = logGenerations(log),
): Reloading {
  const reloader = new Reloader({ linker, text, told, stats: linker.metrics.scope, clock: systemClock });
  const { watch } = linker.spec.admin.reload;
  const file = source === STDIN ? undefined : new ConfigFile(source, reloader, log);
  const watching = watch ? file?.watch(text, systemClock) : undefined;
  const again = async (by: string, dryRun: boolean) =>
    file === undefined ? 'the configuration came from standard input' : file.again(by, dryRun);
  linker.reloads = {
    reload: (given, dryRun) =>
      given === undefined
        ? again('POST /config', dryRun)
        : reloader.reload(given, source, 'POST /config', dryRun),
    generations: () => reloader.generations,
  };
  return {
    again: (by) => void again(by, false),
    close: () => watching?.close(),
  };
}
