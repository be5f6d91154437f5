/**
 * What lines say of an endpoint, the same in all: written once, when a request is told that went there. The
 * longest stretches that most lines share are one part, because each part is a call.
 */
import { linePart } from './line-bytes.ts';

export class ToldEndpoint {
  readonly client: string;
  readonly endpoint: string;
  /** The name that its certificate has to prove; '' for TLS that proves none, undefined without TLS. */
  readonly tls: string | undefined;
  /** `,"client":…` and on to the name of the certificate. */
  readonly place: Uint8Array;
  /** An attempt there, up to the name of its time; `only`: from the retries on, when there was no other. */
  readonly attempt: Uint8Array;
  readonly only: Uint8Array;
  /** The path that most come by, and the line from there to the name of the latency when all went well. */
  #path: Uint8Array | undefined;
  #success: Uint8Array | undefined;

  constructor(client: string, endpoint: string, tls: string | undefined) {
    this.client = client;
    this.endpoint = endpoint;
    this.tls = tls;
    const place = `"client":${JSON.stringify(client)},"endpoint":${JSON.stringify(endpoint)}`;
    const of = (key: string): string => (tls === undefined ? '' : `,"${key}":${JSON.stringify(tls)}`);
    this.place = linePart(`,${place}${of('endpointTls')}`);
    const attempt = `{${place}${of('tls')},"atMs":`;
    this.attempt = linePart(attempt);
    this.only = linePart(`,"retries":0,"requeues":0,"attempts":[${attempt}`);
  }

  /** `path` and `end` are parts, `path` one that is the same object for the same path. */
  success(path: Uint8Array, end: Uint8Array): Uint8Array | undefined {
    if (this.#success === undefined) {
      this.#path = path;
      this.#success = Uint8Array.from([...path, ...this.place, ...end]);
    }
    return path === this.#path ? this.#success : undefined;
  }
}
