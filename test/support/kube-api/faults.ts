/**
 * What a test makes go wrong. A fault lasts until it is closed, or has happened `times` times.
 *
 *     const fault = api.fault({ type: 'status', code: 500 }, { verb: 'list', path: /endpointslices/ });
 *     …
 *     fault.close();
 */
import type { Closable } from '../../../src/base/closable.ts';

export type Fault =
  /** The request is read and never answered. */
  | { readonly type: 'hang' }
  /** The connection is cut instead of an answer. */
  | { readonly type: 'reset' }
  /** An answer with a Status object as the real server writes it for this code. */
  | { readonly type: 'status'; readonly code: number; readonly retryAfterSeconds?: number }
  /** The head of an answer with this code, and then nothing. */
  | { readonly type: 'stall'; readonly code: number }
  /** Whatever bytes, as a body of 200. */
  | { readonly type: 'body'; readonly text: string }
  /** Watches: the next event is written up to its middle (or `bytes`), then the connection is cut. */
  | { readonly type: 'half-event'; readonly bytes?: number }
  /** Watches: events and bookmarks are lost; the stream stays open. */
  | { readonly type: 'drop' }
  /** Watches: nothing is written any more, not even the end that was asked for. */
  | { readonly type: 'silence' }
  /** Bodies are written in pieces of so many bytes, each in a turn of its own. */
  | { readonly type: 'split'; readonly bytes: number }
  /** Everything is compressed, watches too. */
  | { readonly type: 'gzip' };

export type When = {
  readonly verb?: 'list' | 'watch' | 'get' | 'other';
  /** Looked for in the path with its query. */
  readonly path?: RegExp;
  readonly times?: number;
};

export type Request = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly verb: 'list' | 'watch' | 'get' | 'other';
  readonly authorization: string | undefined;
  /** performance.now() at its arrival. */
  readonly atMs: number;
};

type Rule = { readonly fault: Fault; readonly when: When; left: number };

export class Faults {
  readonly #rules = new Set<Rule>();

  add(fault: Fault, when: When): Closable {
    const rule: Rule = { fault, when, left: when.times ?? Number.POSITIVE_INFINITY };
    this.#rules.add(rule);
    return { close: () => void this.#rules.delete(rule) };
  }

  clear(): void {
    this.#rules.clear();
  }

  /** The fault of the first of `types` that applies; it has then happened once. */
  take<Type extends Fault['type']>(
    request: Request,
    ...types: readonly Type[]
  ): Extract<Fault, { type: Type }> | undefined {
    for (const rule of this.#rules) {
      if (!(types as readonly string[]).includes(rule.fault.type) || !applies(rule.when, request)) continue;
      if (--rule.left <= 0) this.#rules.delete(rule);
      return rule.fault as Extract<Fault, { type: Type }>;
    }
    return undefined;
  }
}

const applies = ({ verb, path }: When, request: Request): boolean =>
  (verb === undefined || verb === request.verb) && (path === undefined || path.test(request.path));
