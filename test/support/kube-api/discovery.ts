/** What clients such as kubectl ask before anything else. */
import { apiVersion, type Kind } from './kinds.ts';

const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/** The document at `path`; undefined when there is none. */
export function discoveryDocument(path: string, kinds: readonly Kind[]): unknown {
  const groups = [...new Set(kinds.map(({ group }) => group))].filter((group) => group !== '');
  if (path === '/version') {
    return { major: '1', minor: '34', gitVersion: 'v1.34.0', platform: 'linux/amd64' };
  }
  if (path === '/api') {
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:0' }];
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
  }
  if (path === '/apis') {
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupDocument) };
  }
  if (path === '/openapi/v3') {
    const paths = new Set(kinds.map(rootOf));
    return {
      paths: Object.fromEntries(
        [...paths].map((root) => [root.slice(1), { serverRelativeURL: `/openapi/v3${root}` }]),
      ),
    };
  }
  if (path.startsWith('/openapi/v3/')) return openApi(path.slice('/openapi/v3'.length), kinds);
  const group = groups.find((name) => path === `/apis/${name}`);
  if (group !== undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(group) };
  return resourceList(path, kinds);
}

const rootOf = ({ group, version }: Kind): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`;

function groupDocument(name: string) {
  const version = { groupVersion: `${name}/v1`, version: 'v1' };
  return { name, versions: [version], preferredVersion: version };
}

function resourceList(path: string, kinds: readonly Kind[]): unknown {
  const members = kinds.filter((kind) => rootOf(kind) === path);
  const [first] = members;
  if (first === undefined) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersion(first),
    resources: members.map(({ plural, kind, namespaced, shortNames }) => ({
      name: plural,
      singularName: kind.toLowerCase(),
      namespaced,
      kind,
      verbs: VERBS,
      shortNames,
    })),
  };
}

/** Only what kubectl looks for: that the server checks fields and can do a dry run. */
function openApi(root: string, kinds: readonly Kind[]): unknown {
  const members = kinds.filter((kind) => rootOf(kind) === root);
  if (members.length === 0) return undefined;
  const parameters = ['fieldValidation', 'dryRun'].map((name) => ({
    name,
    in: 'query',
    schema: { type: 'string' },
  }));
  const paths = members.map(({ group, version, kind, plural, namespaced }) => {
    const place = namespaced ? '/namespaces/{namespace}' : '';
    const patch = {
      parameters,
      responses: { 200: { description: 'OK' } },
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group, version, kind },
    };
    return [`${root}${place}/${plural}/{name}`, { patch }];
  });
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.34.0' },
    paths: Object.fromEntries(paths),
    components: { schemas: {} },
  };
}
