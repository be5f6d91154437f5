/** One request of the tap as a line of words, after linkerd 2's `tap`. */
import type { Paint } from '../commands/common.ts';
import type { StoryRecord } from '../telemetry/tap.ts';

const SECRET = /authorization|cookie|token|secret|password|api-?key|session|credential|client-cert/i;

export function tapLine(story: StoryRecord, paint: Paint): string {
  const { router, peer, endpoint, endpointTls, method, host, target, status, latencyMs } = story;
  const words = [
    story.time.slice(11, 23),
    `router=${router}`,
    `src=${printable(peer)}`,
    ...(story.tls ? ['src-tls=true'] : []),
    `dst=${endpoint ?? '-'}`,
    `tls=${endpointTls !== undefined}`,
    ...(endpointTls === undefined || endpointTls === '' ? [] : [`tls-name=${endpointTls}`]),
    `:method=${printable(method)}`,
    `:authority=${printable(host)}`,
    `:path=${printable(target)}`,
    statusWord(status, paint),
    `latency=${latencyMs}ms`,
    `name=${printable(story.path ?? '-')}`,
    ...(story.dtab === undefined ? [] : [`dtab='${printable(story.dtab)}'`]),
    `bound=${printable(story.client ?? '-')}`,
    `retries=${story.retries + story.requeues}`,
    ...(story.failure === undefined ? [] : [paint.red(`turnout-err=${story.failure}`)]),
  ];
  const headers = (story.headers ?? []).map(([name, value]) => printable(`    ${name}: ${value}`));
  return [words.join(' '), ...headers].join('\n');
}

function statusWord(status: number, paint: Paint): string {
  const word = `:status=${status}`;
  if (status === 0 || status >= 500) return paint.red(word);
  return status >= 400 ? paint.yellow(word) : paint.green(word);
}

/** Callers choose much of it: none of that reaches a terminal as an order. */
function printable(text: string): string {
  return text.replace(/\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '?');
}

/** Values that give access to something are not shown. */
export function redacted(story: StoryRecord): StoryRecord {
  if (story.headers === undefined) return story;
  const headers = story.headers.map(([name, value]): [string, string] => [
    name,
    SECRET.test(name) ? '(redacted)' : value,
  ]);
  return { ...story, headers };
}
