/**
 * The dtab of interpreter io.l5d.fs: a file, read again when it changes. Names are pending while it has never
 * been there; a text that does not parse is reported with its place, and the last good dtab stays in force,
 * or, when there was none, every name fails with that report.
 *
 *     interpreter:
 *       kind: io.l5d.fs
 *       dtabFile: /etc/turnout/dtab
 */
import { resolve } from 'node:path';
import type { Dtab } from '../../dtab/names.ts';
import { readDtab } from '../../dtab/parse.ts';
import { TEXT_LENGTH_MAX } from '../../dtab/scanner.ts';
import { DtabSyntaxError } from '../../dtab/syntax-error.ts';
import { type Activity, failed, ok, pending, type State } from '../../src/base/activity.ts';
import type { Clock } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/failure.ts';
import type { Log } from '../../src/base/log.ts';
import { Lazy } from '../../src/base/var.ts';
import { DirectoryWatches } from '../directory-watches.ts';
import type { Entry } from '../read-entry.ts';
import { watchedFile } from '../watched-file.ts';

export function fileDtab(
  dtabFile: string,
  deps: { readonly clock: Clock; readonly log: Log },
): Activity<Dtab> {
  const file = resolve(dtabFile);
  const watches = new DirectoryWatches(deps.log, deps.clock);
  const entries = watchedFile(file, TEXT_LENGTH_MAX, { clock: deps.clock, watches });
  // The last good dtab outlives its observers: a router that is idle for a while must not lose it.
  let good: Dtab | undefined;
  return new Lazy<State<Dtab>>((set) =>
    entries.observe((state) => {
      if (state.state !== 'ok') {
        set(good === undefined ? pending : ok(good));
        return;
      }
      if (state.value.type === 'missing') {
        const meanwhile = good === undefined ? 'names wait for it' : 'the last good dtab is kept';
        deps.log.warn(`there is no dtab file ${file}; ${meanwhile}`, { file });
        set(good === undefined ? pending : ok(good));
        return;
      }
      const dtab = dtabOf(file, state.value);
      if (typeof dtab === 'string') {
        const kept = good === undefined ? 'names fail' : 'the last good dtab is kept';
        deps.log.warn(`${dtab}; ${kept}`, { file });
        set(good === undefined ? failed(new Failure('naming', dtab)) : ok(good));
      } else {
        good = dtab;
        set(ok(good));
      }
    }),
  );
}

/** The dtab, or what is wrong with it. */
function dtabOf(file: string, entry: Exclude<Entry, { readonly type: 'missing' }>): Dtab | string {
  if (entry.type === 'directory') return `${file} is a directory; expected a file with a dtab`;
  if (entry.type === 'unreadable') return `cannot read ${file}: ${entry.reason}`;
  try {
    return readDtab(entry.text, { source: file });
  } catch (error) {
    if (error instanceof DtabSyntaxError) return error.message;
    throw error;
  }
}
