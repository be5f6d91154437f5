/** From an answer of the API server to its objects, or to what is wrong, for people. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../src/base/clock.ts';
import { KubeFailure, type KubeReason } from './api.ts';
import { type JsonObject, objectOf, textOf } from './json-fields.ts';
import { type JsonObjects, JsonProblem } from './json-objects.ts';
import type { KubeObject } from './resources.ts';
import { type Selection, selectionPath } from './selection.ts';
import type { Answer } from './transport.ts';

const STATUS_BYTES_MAX = 64 * 1024;
/** How long one turn of the loop may be spent on an answer. */
const TURN_MS = 8;

export type Verb = 'list' | 'watch';

/** The set of objects is gone from the server's memory: list again. */
export class Gone {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

export type ReadOptions = {
  readonly clock: Clock;
  /** How long no byte may come. */
  readonly idleMs: number;
  readonly bytesMax: number;
};

/**
 * Reads a body to its end: each object's text to `take`, `turn` after each piece. Yields to the event loop in
 * between. A JsonProblem is what was wrong with what came; a text, why no more came.
 */
export async function readObjects(
  { body }: Answer,
  objects: JsonObjects,
  take: (text: string) => void,
  { clock, idleMs, bytesMax }: ReadOptions,
  turn: () => void = () => {},
): Promise<JsonProblem | string | undefined> {
  const idle = (): void => void body.destroy(new Error(`no byte within ${idleMs} ms`));
  let timer = clock.after(idleMs, idle);
  let bytes = 0;
  let startMs = performance.now();
  try {
    for await (const chunk of body) {
      timer.close();
      bytes += chunk.length;
      if (bytes > bytesMax) return new JsonProblem(`it is longer than ${bytesMax} bytes`);
      const problem = objects.feed(chunk, take);
      turn();
      if (problem !== undefined) return problem;
      if (performance.now() - startMs > TURN_MS) {
        await nextTurn();
        startMs = performance.now();
      }
      timer = clock.after(idleMs, idle);
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    timer.close();
  }
}

/** JSON text as an object, or what is wrong with it. */
export function parseObject(text: string | JsonProblem): JsonObject | JsonProblem {
  if (text instanceof JsonProblem) return text;
  try {
    return objectOf(JSON.parse(text));
  } catch (error) {
    return new JsonProblem(error instanceof Error ? error.message : String(error));
  }
}

/** What an answer that is not 200 means. Reads its body, as far as it comes within `limitMs`. */
export async function refusal(
  answer: Answer,
  verb: Verb,
  selection: Selection<KubeObject>,
  { clock, limitMs }: { readonly clock: Clock; readonly limitMs: number },
): Promise<KubeFailure | Gone> {
  const timer = clock.after(limitMs, () => void answer.body.destroy());
  const message = await statusMessage(answer);
  timer.close();
  return refusalOf(answer.status, message, verb, selection, answer.retryAfterMs);
}

/** `code` is an HTTP status, of an answer or of the Status object in a watch. */
export function refusalOf(
  code: number,
  message: string,
  verb: Verb,
  selection: Selection<KubeObject>,
  retryAfterMs?: number,
): KubeFailure | Gone {
  if (code === 410) return new Gone(message);
  const { resource, namespace } = selection;
  const where = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`;
  const asked = `${verb} ${resource.plural} in ${where} (${selectionPath(selection)})`;
  const what = `the Kubernetes API answers ${code} to ${asked}`;
  const said = message === '' ? what : `${what}: ${message}`;
  return new KubeFailure(reasonOf(code), `${said}${advice(code, selection)}`, retryAfterMs);
}

function reasonOf(code: number): KubeReason {
  if (code === 401) return 'unauthorized';
  if (code === 403) return 'forbidden';
  return code === 404 ? 'no-such-resource' : 'refused';
}

function advice(code: number, selection: Selection<KubeObject>): string {
  if (code !== 401 && code !== 403) return '';
  const { resource, namespace } = selection;
  const place =
    namespace === undefined ? 'a ClusterRole' : `a ClusterRole, or a Role in namespace ${namespace}`;
  const rule = `what allows it, in ${place}: ${rbacRule(resource)}`;
  return code === 403
    ? `; ${rule}`
    : `; the token or certificate is not accepted (expired, or of another cluster?); once it is, ${rule}`;
}

/** The rule that a role needs, as one line of YAML. */
export function rbacRule({ group, plural }: { readonly group: string; readonly plural: string }): string {
  return `rules: [{apiGroups: ["${group}"], resources: ["${plural}"], verbs: ["list", "watch"]}]`;
}

/** The message of a Status object, or the beginning of whatever else came. */
async function statusMessage({ body }: Answer): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      pieces.push(chunk);
      bytes += chunk.length;
      if (bytes > STATUS_BYTES_MAX) break;
    }
  } catch {
    // What came is all there is.
  }
  const text = Buffer.concat(pieces).toString('utf8');
  const status = parseObject(text);
  const message = status instanceof JsonProblem ? undefined : textOf(status['message']);
  return (message ?? text.slice(0, 200)).replace(/\s+/g, ' ').trim();
}
