/** What lines say of an endpoint, the same in all: written once, when a request is told that went there. */
import { linePart } from './line-bytes.ts';

export class ToldEndpoint {
  readonly client: string;
  readonly endpoint: string;
  /** The name that its certificate has to prove; '' for TLS that proves none, undefined without TLS. */
  readonly tls: string | undefined;
  /** `"client":…,"endpoint":…` */
  readonly place: Uint8Array;
  /** The name as a string of JSON. */
  readonly tlsText: Uint8Array | undefined;

  constructor(client: string, endpoint: string, tls: string | undefined) {
    this.client = client;
    this.endpoint = endpoint;
    this.tls = tls;
    this.place = linePart(`"client":${JSON.stringify(client)},"endpoint":${JSON.stringify(endpoint)}`);
    this.tlsText = tls === undefined ? undefined : linePart(JSON.stringify(tls));
  }
}
