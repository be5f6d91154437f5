/** What the parts of the test API server share. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../../src/base/clock.ts';
import { BodyWriter } from './body-writer.ts';
import type { Faults, Request } from './faults.ts';
import type { Store } from './store.ts';
import type { WatchStream } from './watch-stream.ts';

export type ApiState = {
  readonly clock: Clock;
  readonly store: Store;
  readonly faults: Faults;
  readonly streams: Set<WatchStream>;
  readonly goneAs: 'event' | 'status';
};

/** The real server compresses answers that are longer. */
const GZIP_FROM_BYTES = 128 * 1024;

export function sendJson(
  { faults }: ApiState,
  response: ServerResponse,
  value: unknown,
  request: Request,
): void {
  const text = `${JSON.stringify(value)}\n`;
  const accepts = /\bgzip\b/.test(String(response.req.headers['accept-encoding'] ?? ''));
  const gzip = faults.take(request, 'gzip') !== undefined || (accepts && text.length > GZIP_FROM_BYTES);
  const writer = new BodyWriter(response, gzip, faults.take(request, 'split')?.bytes);
  response.writeHead(200, { 'content-type': 'application/json' });
  writer.write(text);
  writer.end();
}
