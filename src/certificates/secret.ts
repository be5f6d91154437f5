/**
 * A Kubernetes Secret that holds a certificate, as a manifest. Its keys are those that cert-manager and
 * `kubectl create secret tls` use, so that either can take over.
 */
export type SecretMaterial = {
  readonly name: string;
  readonly namespace: string | undefined;
  /** The certificate, then those between it and the root. */
  readonly certPem: string;
  readonly keyPem: string;
  readonly caPem: string;
};

export function secretManifest({ name, namespace, certPem, keyPem, caPem }: SecretMaterial): string {
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  return [
    'apiVersion: v1',
    'kind: Secret',
    'metadata:',
    `  name: ${JSON.stringify(name)}`,
    ...(namespace === undefined ? [] : [`  namespace: ${JSON.stringify(namespace)}`]),
    'type: kubernetes.io/tls',
    'data:',
    `  ca.crt: ${base64(caPem)}`,
    `  tls.crt: ${base64(certPem)}`,
    `  tls.key: ${base64(keyPem)}`,
    '',
  ].join('\n');
}
