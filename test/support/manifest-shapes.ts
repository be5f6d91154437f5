/**
 * What the API knows of the kinds that the manifests use: a server refuses what is not here, or drops it with
 * a warning. `[shape]` is a list, `each(shape)` a map with keys of the user.
 */
export type Shape = 'text' | 'number' | 'flag' | 'port' | Each | readonly [Shape] | Fields;
type Fields = { readonly [key: string]: Shape };
class Each {
  readonly shape: Shape;
  constructor(shape: Shape) {
    this.shape = shape;
  }
}

const texts = new Each('text');
const meta: Fields = { name: 'text', namespace: 'text', labels: texts, annotations: texts };
const selector: Fields = { matchLabels: texts };
const roleRef: Fields = { apiGroup: 'text', kind: 'text', name: 'text' };
const rules: Shape = [{ apiGroups: ['text'], resources: ['text'], resourceNames: ['text'], verbs: ['text'] }];
const subjects: Shape = [{ kind: 'text', name: 'text', namespace: 'text', apiGroup: 'text' }];

const probe: Fields = {
  httpGet: { path: 'text', port: 'port', scheme: 'text' },
  tcpSocket: { port: 'port' },
  initialDelaySeconds: 'number',
  periodSeconds: 'number',
  timeoutSeconds: 'number',
  failureThreshold: 'number',
};
const container: Fields = {
  name: 'text',
  image: 'text',
  imagePullPolicy: 'text',
  command: ['text'],
  args: ['text'],
  env: [{ name: 'text', value: 'text', valueFrom: { fieldRef: { fieldPath: 'text' } } }],
  ports: [{ name: 'text', containerPort: 'number', hostPort: 'number', protocol: 'text' }],
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  resources: { requests: texts, limits: texts },
  securityContext: {
    allowPrivilegeEscalation: 'flag',
    readOnlyRootFilesystem: 'flag',
    capabilities: { drop: ['text'], add: ['text'] },
  },
  volumeMounts: [{ name: 'text', mountPath: 'text', readOnly: 'flag' }],
};
const podTemplate: Fields = {
  metadata: meta,
  spec: {
    serviceAccountName: 'text',
    automountServiceAccountToken: 'flag',
    priorityClassName: 'text',
    terminationGracePeriodSeconds: 'number',
    enableServiceLinks: 'flag',
    hostNetwork: 'flag',
    dnsPolicy: 'text',
    restartPolicy: 'text',
    nodeSelector: texts,
    tolerations: [{ key: 'text', operator: 'text', value: 'text', effect: 'text' }],
    securityContext: {
      runAsNonRoot: 'flag',
      runAsUser: 'number',
      runAsGroup: 'number',
      fsGroup: 'number',
      seccompProfile: { type: 'text' },
    },
    containers: [container],
    volumes: [
      {
        name: 'text',
        configMap: { name: 'text' },
        secret: { secretName: 'text', defaultMode: 'number' },
        emptyDir: { medium: 'text', sizeLimit: 'text' },
      },
    ],
  },
};
const policyPeer: Fields = { podSelector: selector, namespaceSelector: selector };

/** By apiVersion and kind: everything beside those two. */
export const shapes: { readonly [kind: string]: Fields } = {
  'v1 Namespace': { metadata: meta },
  'v1 ServiceAccount': { metadata: meta, automountServiceAccountToken: 'flag' },
  'v1 ConfigMap': { metadata: meta, data: texts },
  'v1 Service': {
    metadata: meta,
    spec: {
      selector: texts,
      internalTrafficPolicy: 'text',
      clusterIP: 'text',
      publishNotReadyAddresses: 'flag',
      ports: [{ name: 'text', port: 'number', targetPort: 'port', protocol: 'text' }],
    },
  },
  'rbac.authorization.k8s.io/v1 Role': { metadata: meta, rules },
  'rbac.authorization.k8s.io/v1 RoleBinding': { metadata: meta, roleRef, subjects },
  'rbac.authorization.k8s.io/v1 ClusterRole': { metadata: meta, rules },
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': { metadata: meta, roleRef, subjects },
  'scheduling.k8s.io/v1 PriorityClass': {
    metadata: meta,
    value: 'number',
    globalDefault: 'flag',
    description: 'text',
  },
  'networking.k8s.io/v1 NetworkPolicy': {
    metadata: meta,
    spec: {
      podSelector: selector,
      policyTypes: ['text'],
      ingress: [{ from: [policyPeer], ports: [{ protocol: 'text', port: 'port' }] }],
    },
  },
  'apps/v1 DaemonSet': {
    metadata: meta,
    spec: {
      selector,
      minReadySeconds: 'number',
      updateStrategy: { type: 'text', rollingUpdate: { maxSurge: 'port', maxUnavailable: 'port' } },
      template: podTemplate,
    },
  },
  'apps/v1 Deployment': { metadata: meta, spec: { replicas: 'number', selector, template: podTemplate } },
  'batch/v1 Job': {
    metadata: meta,
    spec: { backoffLimit: 'number', ttlSecondsAfterFinished: 'number', template: podTemplate },
  },
};

/** What a server would not accept in an object, as lines; none when all is well. */
export function problemsOf({ apiVersion, kind, ...rest }: { readonly [key: string]: unknown }): string[] {
  const fields = shapes[`${String(apiVersion)} ${String(kind)}`];
  if (fields === undefined) return [`${String(apiVersion)} has no ${String(kind)}`];
  return problemsAt(String(kind), rest, fields);
}

function problemsAt(place: string, value: unknown, shape: Shape): string[] {
  if (typeof shape === 'string')
    return isOf(value, shape) ? [] : [`${place}: ${String(value)} is no ${shape}`];
  if (isList(shape)) {
    if (!Array.isArray(value)) return [`${place}: not a list`];
    return value.flatMap((item, i) => problemsAt(`${place}[${i}]`, item, shape[0]));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${place}: not an object`];
  return Object.entries(value).flatMap(([key, inner]) => {
    const known = shape instanceof Each ? shape.shape : shape[key];
    if (known === undefined) return [`${place}.${key}: there is no such field`];
    return problemsAt(`${place}.${key}`, inner, known);
  });
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);

function isOf(value: unknown, shape: string): boolean {
  if (shape === 'flag') return typeof value === 'boolean';
  if (shape === 'text') return typeof value === 'string';
  return Number.isInteger(value) || (shape === 'port' && typeof value === 'string');
}
