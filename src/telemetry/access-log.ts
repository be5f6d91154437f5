/**
 * The access log of a router: a listener of the tap. `common` is linkerd's form, one line an upstream
 * response; `json` is the story itself, one line a request. Nothing on the way waits for the file or the
 * pipe.
 */
import type { AccessLogSpec } from '../../config/spec.ts';
import type { Clock } from '../base/clock.ts';
import { type Loan, notLent } from '../base/loans.ts';
import type { Log } from '../base/log.ts';
import type { Counter, Scope } from '../base/stats.ts';
import { LogFile } from './log-file.ts';
import { rollPolicy } from './roll-policy.ts';
import { everything, type StoryRecord, type Tap } from './tap.ts';

const STDOUT_BYTES_MAX = 4 * 1024 * 1024;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export type AccessLogDeps = {
  readonly tap: Tap;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Log;
  /** `rt/<router>` */
  readonly stats: Scope;
  /** In the place of standard output. */
  readonly stdout?: Pick<NodeJS.WriteStream, 'writableLength' | 'write'>;
};

/** Closing resolves when what was told has been written. */
export type AccessLog = { close(): Promise<void> };

export function openAccessLog(router: string, spec: AccessLogSpec, deps: AccessLogDeps): AccessLog {
  const dropped = deps.stats.counter('access_log', 'dropped');
  const sink =
    spec.path === 'stdout'
      ? stdoutSink(deps.stdout ?? process.stdout, dropped)
      : fileSink(spec, deps, dropped);
  const where = [{ field: 'router', op: '=', value: router } as const];
  const listener = deps.tap.listen({ ...everything, where }, (lines, count, loan) => {
    if (spec.format === 'json') sink.write(lines, count, loan);
    else writeCommon(sink, lines.toString());
  });
  if (listener === undefined) deps.log.error('too many listen to requests: no access log', { router });
  return {
    close() {
      listener?.close();
      return sink.close();
    },
  };
}

type Sink = { write(lines: Buffer, count: number, loan: Loan): void; close(): Promise<void> };

function fileSink(spec: AccessLogSpec, { clock, log }: AccessLogDeps, dropped: Counter): Sink {
  const { path, append, keep } = spec;
  return new LogFile({ path, policy: rollPolicy(spec.rollPolicy), append, keep, clock, log, dropped });
}

function stdoutSink(stdout: NonNullable<AccessLogDeps['stdout']>, dropped: Counter): Sink {
  return {
    write(lines, count, loan) {
      if (stdout.writableLength > STDOUT_BYTES_MAX) {
        dropped.add(count);
        return;
      }
      loan.keep();
      stdout.write(lines, () => loan.release());
    },
    close: () => Promise.resolve(),
  };
}

function writeCommon(sink: Sink, stories: string): void {
  const lines: string[] = [];
  for (const story of stories.split('\n')) {
    if (story !== '') lines.push(...commonLines(JSON.parse(story) as StoryRecord));
  }
  if (lines.length > 0) sink.write(Buffer.from(lines.join('')), lines.length, notLent);
}

/** A line an upstream response: `host ip - - [time] "request" status length "referer" "agent"`. */
function commonLines(story: StoryRecord): string[] {
  const { host, peer, method, target, version, length = '-', referer = '-', userAgent = '-' } = story;
  const ip = peer.slice(0, peer.lastIndexOf(':'));
  const began = Date.parse(story.time);
  const lines: string[] = [];
  for (const { status, atMs, ms } of story.attempts) {
    if (status === undefined) continue;
    const last = status === story.status ? length : '-';
    const time = commonTime(began + atMs + ms);
    const request = `${method} ${target} HTTP/${version}`;
    const asked = `${quoted(host) || '-'} ${ip} - - [${time}] "${quoted(request)}" ${status} ${last}`;
    lines.push(`${asked} "${quoted(referer)}" "${quoted(userAgent)}"\n`);
  }
  return lines;
}

/** A value cannot end its quotes or its line. */
function quoted(value: string): string {
  return value.replace(/[\\"\p{Cc}]/gu, (char) =>
    char === '"' || char === '\\' ? `\\${char}` : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** `dd/MMM/yyyy:HH:mm:ss +hhmm` in local time. */
function commonTime(wallMs: number): string {
  const at = new Date(wallMs);
  const two = (n: number): string => String(Math.trunc(n)).padStart(2, '0');
  const offset = -at.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}${two(Math.abs(offset) % 60)}`;
  const day = `${two(at.getDate())}/${MONTHS[at.getMonth()]}/${at.getFullYear()}`;
  return `${day}:${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())} ${zone}`;
}
