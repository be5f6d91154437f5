/** Single objects: get, create, replace, patch, delete. What is refused is returned. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { apiVersion } from './kinds.ts';
import { mergePatch, strategicPatch } from './patch.ts';
import type { Route } from './route.ts';
import type { ApiState } from './state.ts';
import { alreadyExists, badRequest, conflict, notFound, type Status, status } from './status.ts';
import type { KubeJson } from './store.ts';

export async function answerObject(
  api: ApiState,
  route: Route,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<Status | undefined> {
  const { kind, namespace, name } = route;
  const old = name === undefined ? undefined : api.store.get(kind, namespace, name);
  const type = incoming.headers['content-type'] ?? '';
  if (type.includes('protobuf')) {
    return status(415, 'UnsupportedMediaType', `this server does not read ${type}`);
  }
  switch (incoming.method) {
    case 'GET':
      if (old === undefined) return notFound(kind, name ?? '');
      return answer(response, 200, old);
    case 'DELETE':
      if (name === undefined || old === undefined) return notFound(kind, name ?? '');
      if (!isDryRun(route)) api.store.remove(kind, namespace, name);
      return answer(response, 200, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Success',
        details: { name, kind: kind.plural, group: kind.group, uid: old.metadata.uid },
      });
    case 'POST':
      return store(api, route, await body(incoming), response, 'create');
    case 'PUT':
      return store(api, route, await body(incoming), response, 'replace');
    case 'PATCH':
      return patch(api, route, incoming, response, old);
    default:
      return status(405, 'MethodNotAllowed', 'the server does not allow this method');
  }
}

async function patch(
  api: ApiState,
  route: Route,
  incoming: IncomingMessage,
  response: ServerResponse,
  old: KubeJson | undefined,
): Promise<Status | undefined> {
  const { kind, name = '' } = route;
  const type = incoming.headers['content-type'] ?? '';
  const change = await body(incoming);
  // A server-side apply may create.
  const applies = type.startsWith('application/apply-patch');
  if (old === undefined && !applies) return notFound(kind, name);
  const merge = type.startsWith('application/merge-patch') ? mergePatch : strategicPatch;
  if (type.startsWith('application/json-patch')) {
    return status(415, 'UnsupportedMediaType', `${type} is not built into this server`);
  }
  return store(api, route, merge(old ?? {}, change), response, 'patch');
}

function store(
  api: ApiState,
  route: Route,
  value: unknown,
  response: ServerResponse,
  how: 'create' | 'replace' | 'patch',
): Status | undefined {
  const { kind, namespace } = route;
  const given = value as KubeJson;
  const name = route.name ?? given.metadata?.name;
  if (!name) return badRequest('name or generateName is required');
  if (given.kind !== undefined && given.kind !== kind.kind) {
    return badRequest(`the object is a ${given.kind}, not a ${kind.kind}`);
  }
  const old = api.store.get(kind, namespace, name);
  if (how === 'create' && old !== undefined) return alreadyExists(kind, name);
  if (how === 'replace' && old === undefined) return notFound(kind, name);
  const { resourceVersion } = given.metadata;
  if (how !== 'create' && resourceVersion && old && resourceVersion !== old.metadata.resourceVersion) {
    return conflict(kind, name);
  }
  const object: KubeJson = {
    ...given,
    metadata: { ...given.metadata, name, ...(namespace !== undefined && { namespace }) },
  };
  if (isDryRun(route))
    return answer(response, 200, { apiVersion: apiVersion(kind), kind: kind.kind, ...object });
  return answer(response, how === 'create' || old === undefined ? 201 : 200, api.store.put(kind, object));
}

const isDryRun = ({ query }: Route): boolean => query.get('dryRun') === 'All';

function answer(response: ServerResponse, code: number, value: unknown): undefined {
  response.writeHead(code, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`);
}

async function body(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  // YAML includes JSON; a server-side apply sends it.
  return parseYaml(Buffer.concat(chunks).toString('utf8'));
}
