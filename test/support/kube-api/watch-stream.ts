/** One open watch of the test API server. */
import type { ServerResponse } from 'node:http';
import { BodyWriter } from './body-writer.ts';
import type { Faults, Request } from './faults.ts';
import { apiVersion, type Kind } from './kinds.ts';
import type { Matches } from './selectors.ts';
import type { Status } from './status.ts';
import type { Change, KubeJson } from './store.ts';

export type WatchOptions = {
  readonly kind: Kind;
  readonly matches: Matches;
  readonly bookmarks: boolean;
  readonly request: Request;
  readonly faults: Faults;
};

export class WatchStream {
  readonly #response: ServerResponse;
  readonly #options: WatchOptions;
  readonly #writer: BodyWriter;
  #silent = false;

  constructor(response: ServerResponse, options: WatchOptions) {
    this.#response = response;
    this.#options = options;
    const { faults, request } = options;
    const gzip = faults.take(request, 'gzip') !== undefined;
    this.#writer = new BodyWriter(response, gzip, faults.take(request, 'split')?.bytes);
    this.#silent = faults.take(request, 'silence') !== undefined;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
  }

  get open(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  get path(): string {
    return this.#options.request.path;
  }

  /** One event, if the selectors have anything to do with it. */
  change({ kind, object, previous, version }: Change): void {
    const { matches } = this.#options;
    if (kind !== this.#options.kind) return;
    const is = object !== undefined && matches(object);
    const was = previous !== undefined && matches(previous);
    if (is && object !== undefined) this.#event(was ? 'MODIFIED' : 'ADDED', object);
    else if (was && previous !== undefined) {
      // As it was last, but with the version of the change.
      const metadata = { ...previous.metadata, resourceVersion: String(version) };
      this.#event('DELETED', { ...previous, metadata });
    }
  }

  added(object: KubeJson): void {
    this.#event('ADDED', object);
  }

  /** `initialEnd` ends the events of an initial state that was asked for. */
  bookmark(version: number, initialEnd = false): void {
    if (!this.#options.bookmarks && !initialEnd) return;
    const { kind } = this.#options;
    const annotations = initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    this.#event('BOOKMARK', {
      kind: kind.kind,
      apiVersion: apiVersion(kind),
      metadata: { resourceVersion: String(version), creationTimestamp: null, ...annotations },
    });
  }

  error(status: Status): void {
    this.#event('ERROR', status);
    this.end();
  }

  end(): void {
    if (this.#silent) return;
    this.#silent = true;
    this.#writer.end();
  }

  cut(): void {
    this.#silent = true;
    this.#writer.cut();
  }

  #event(type: string, object: unknown): void {
    const { faults, request } = this.#options;
    this.#silent ||= faults.take(request, 'silence') !== undefined;
    if (this.#silent || faults.take(request, 'drop') !== undefined) return;
    const bytes = Buffer.from(`${JSON.stringify({ type, object })}\n`);
    const half = faults.take(request, 'half-event');
    if (half === undefined) {
      this.#writer.write(bytes);
      return;
    }
    this.#writer.write(bytes.subarray(0, half.bytes ?? bytes.length >> 1));
    this.#writer.cut();
    this.#silent = true;
  }
}
