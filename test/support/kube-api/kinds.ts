/** The resources that the test API server knows, as its discovery documents tell. */
export type Kind = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
};

const core = (kind: string, plural: string, namespaced: boolean, ...shortNames: string[]): Kind => ({
  group: '',
  version: 'v1',
  plural,
  kind,
  namespaced,
  shortNames,
});

const inGroup = (group: string, kind: string, plural: string, namespaced = true, short = ''): Kind => ({
  group,
  version: 'v1',
  plural,
  kind,
  namespaced,
  shortNames: short === '' ? [] : [short],
});

export const KINDS: readonly Kind[] = [
  core('Namespace', 'namespaces', false, 'ns'),
  core('Node', 'nodes', false, 'no'),
  core('Pod', 'pods', true, 'po'),
  core('Service', 'services', true, 'svc'),
  core('Endpoints', 'endpoints', true, 'ep'),
  core('ConfigMap', 'configmaps', true, 'cm'),
  core('Secret', 'secrets', true),
  core('ServiceAccount', 'serviceaccounts', true, 'sa'),
  core('ReplicationController', 'replicationcontrollers', true, 'rc'),
  inGroup('discovery.k8s.io', 'EndpointSlice', 'endpointslices'),
  inGroup('networking.k8s.io', 'Ingress', 'ingresses', true, 'ing'),
  inGroup('networking.k8s.io', 'IngressClass', 'ingressclasses', false),
  inGroup('networking.k8s.io', 'NetworkPolicy', 'networkpolicies', true, 'netpol'),
  inGroup('apps', 'Deployment', 'deployments', true, 'deploy'),
  inGroup('apps', 'DaemonSet', 'daemonsets', true, 'ds'),
  inGroup('apps', 'ReplicaSet', 'replicasets', true, 'rs'),
  inGroup('apps', 'StatefulSet', 'statefulsets', true, 'sts'),
  inGroup('batch', 'Job', 'jobs'),
  inGroup('batch', 'CronJob', 'cronjobs', true, 'cj'),
  inGroup('policy', 'PodDisruptionBudget', 'poddisruptionbudgets', true, 'pdb'),
  inGroup('rbac.authorization.k8s.io', 'Role', 'roles'),
  inGroup('rbac.authorization.k8s.io', 'RoleBinding', 'rolebindings'),
  inGroup('rbac.authorization.k8s.io', 'ClusterRole', 'clusterroles', false),
  inGroup('rbac.authorization.k8s.io', 'ClusterRoleBinding', 'clusterrolebindings', false),
  inGroup('scheduling.k8s.io', 'PriorityClass', 'priorityclasses', false, 'pc'),
  inGroup('apiextensions.k8s.io', 'CustomResourceDefinition', 'customresourcedefinitions', false, 'crd'),
];

export const apiVersion = ({ group, version }: Kind): string =>
  group === '' ? version : `${group}/${version}`;

/** `endpointslices.discovery.k8s.io`, as messages have it. */
export const qualified = ({ group, plural }: Kind): string => (group === '' ? plural : `${plural}.${group}`);
