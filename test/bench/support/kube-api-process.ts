/**
 * The test API server as a process of its own, with services and their endpoints: says its port, then changes
 * one slice for each line of standard input, and says when: `node kube-api-process.ts SERVICES ENDPOINTS SLICES`.
 */
import { createInterface } from 'node:readline';
import { KubeApiServer } from '../../support/kube-api/kube-api.ts';

const [services = 1, endpoints = 1, slices = 1] = process.argv.slice(2).map(Number);

function slice(service: number, part: number, first: number): Parameters<KubeApiServer['put']>[1] {
  return {
    metadata: {
      name: `service-${service}-${part}abcd`,
      generateName: `service-${service}-`,
      namespace: 'default',
      labels: {
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': `service-${service}`,
      },
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': new Date(0).toISOString() },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: `service-${service}`, controller: true }],
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: Array.from({ length: endpoints / slices }, (_, i) => ({
      addresses: [`10.${service & 255}.${(service >> 8) + part}.${(first + i) & 255}`],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `ip-10-0-0-${i}.eu-central-1.compute.internal`,
      targetRef: {
        kind: 'Pod',
        name: `service-${service}-7d4b9c-${i}`,
        namespace: 'default',
        uid: `${service}-${i}`,
      },
      zone: 'eu-central-1a',
    })),
  };
}

const api = await KubeApiServer.start();
for (let service = 0; service < services; service++) {
  for (let part = 0; part < slices; part++) api.put('endpointslices', slice(service, part, 0));
}
console.log(api.port);
let changes = 0;
createInterface(process.stdin).on('line', () => {
  const service = (changes * 7919) % services;
  api.put('endpointslices', slice(service, 0, ++changes));
});
