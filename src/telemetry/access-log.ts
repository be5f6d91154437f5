/**
 * The access log of a router: a listener of the tap. `common` is linkerd's form, one line an upstream
 * response; `json` is the story itself, one line a request. Nothing on the way waits for the file or the
 * pipe.
 */
import type { AccessLogSpec } from '../../config/spec.ts';
import type { Clock } from '../base/clock.ts';
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
  const listener = deps.tap.listen({ ...everything, where }, (lines) => {
    const text = spec.format === 'json' ? lines : commonLines(lines);
    if (text !== '') sink.write(text);
  });
  if (listener === undefined) deps.log.error('too many listen to requests: no access log', { router });
  return {
    close() {
      listener?.close();
      return sink.close();
    },
  };
}

type Sink = { write(lines: string): void; close(): Promise<void> };

function fileSink(spec: AccessLogSpec, { clock, log }: AccessLogDeps, dropped: Counter): Sink {
  const { path, append, keep } = spec;
  return new LogFile({ path, policy: rollPolicy(spec.rollPolicy), append, keep, clock, log, dropped });
}

function stdoutSink(stdout: NonNullable<AccessLogDeps['stdout']>, dropped: Counter): Sink {
  return {
    write(lines) {
      if (stdout.writableLength > STDOUT_BYTES_MAX) dropped.add(lines.split('\n').length - 1);
      else stdout.write(lines);
    },
    close: () => Promise.resolve(),
  };
}

function commonLines(lines: string): string {
  let out = '';
  for (const line of lines.split('\n')) {
    if (line !== '') out += commonLine(JSON.parse(line) as StoryRecord);
  }
  return out;
}

/** A line an upstream response: `host ip - - [time] "request" status length "referer" "agent"`. */
export function commonLine(story: StoryRecord): string {
  const { host, peer, method, target, version, length = '-', referer = '-', userAgent = '-' } = story;
  const ip = peer.slice(0, peer.lastIndexOf(':'));
  const began = Date.parse(story.time);
  let out = '';
  for (const { status, atMs, ms } of story.attempts) {
    if (status === undefined) continue;
    const last = status === story.status ? length : '-';
    const time = commonTime(began + atMs + ms);
    const request = `${method} ${target} HTTP/${version}`;
    out += `${quoted(host) || '-'} ${ip} - - [${time}] "${quoted(request)}" ${status} ${last}`;
    out += ` "${quoted(referer)}" "${quoted(userAgent)}"\n`;
  }
  return out;
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
