/** Where the Kubernetes API is, as namers, transformers and identifiers have it in their keys. */
import type { KubeApiSpec } from './spec.ts';

export function kubeApi(host: string | undefined, port: number | undefined): KubeApiSpec {
  return { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
}
