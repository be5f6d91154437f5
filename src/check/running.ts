/** Whether a router that runs is healthy, as its admin server and a request through it say. */
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect, isIP } from 'node:net';
import type { RouterSummary } from '../admin/sources.ts';
import { CannotRun } from '../command.ts';
import { type AdminClient, clockSkewMs } from '../inspect/admin-client.ts';
import { questionOf } from '../inspect/question.ts';
import type { Generation } from '../reload.ts';
import { descriptors, expiry } from './before-start.ts';
import { type Category, type CheckResult, checked } from './result.ts';

const ANSWER_MS = 5000;
/** Certificates and logs of two machines can be compared up to this. */
const SKEW_MAX_MS = 5000;
const NAME = 'turnout-check';

type Tree = Readonly<Record<string, unknown>>;
type Place = { readonly host: string; readonly port: number; readonly tls: boolean };
type Told = { readonly status: number; readonly code: string };

/** `wanted`: a URL to ask for really, in place of a name of our own. */
export function running(client: AdminClient, wanted: string | undefined): readonly Category[] {
  return [
    { name: 'admin', run: () => admin(client) },
    { name: 'ports', run: () => ports(client) },
    { name: 'certificates', run: () => certificates(client) },
    { name: 'kubernetes-api', run: () => watches(client) },
    { name: 'node', run: () => node(client) },
    { name: 'requests', run: () => requests(client, wanted) },
  ];
}

async function* admin(client: AdminClient): AsyncGenerator<CheckResult> {
  const silent = await problemOf(client.text('/livez'));
  yield checked('admin', `the admin server at ${client.about} answers`, silent);
  if (silent !== undefined) return;
  yield checked('ready', 'the router is ready for traffic', await problemOf(client.text('/readyz')));
  const [latest] = (await client.json('/config/generations.json')) as readonly Generation[];
  const refused = latest !== undefined && latest.errors.length > 0;
  const problem = refused
    ? `the last one was ${latest.outcome}; the one before stays in force:\n${latest.errors.join('\n')}`
    : undefined;
  yield checked(
    'config-generation',
    `the latest configuration is in force${latest === undefined ? '' : ` (generation ${latest.generation})`}`,
    problem,
  );
}

async function* ports(client: AdminClient): AsyncGenerator<CheckResult> {
  for (const { router, place } of await places(client)) {
    const { host, port } = place;
    yield checked(
      'port-open',
      `${router.label} accepts connections on ${host}:${port}`,
      await whyClosed(place),
    );
  }
}

async function* certificates(client: AdminClient): AsyncGenerator<CheckResult> {
  const left = child(child(await metrics(client), 'tls'), 'cert_expiry_seconds');
  const byDate = Object.entries(left).map(([file, value]) => ({ file, seconds: gauge(value) }));
  byDate.sort((a, b) => a.seconds - b.seconds);
  for (const { file, seconds } of byDate) yield expiry(file, seconds * 1000);
}

async function* watches(client: AdminClient): AsyncGenerator<CheckResult> {
  const all = (await client.json('/kubernetes.json')) as readonly {
    path: string;
    problem?: string;
    staleMs: number;
  }[];
  for (const { path, problem, staleMs } of all) {
    const old =
      problem === undefined ? undefined : `${problem} (data is ${Math.round(staleMs / 1000)} s old)`;
    yield checked('api-access', `is told of changes of ${path}`, old);
  }
}

async function* node(client: AdminClient): AsyncGenerator<CheckResult> {
  const skewMs = await clockSkewMs(client);
  const off = Math.abs(skewMs) > SKEW_MAX_MS ? `they differ by ${Math.round(skewMs / 1000)} s` : undefined;
  yield checked('clock', 'the clocks of the router and of this machine agree', off);
  const limit = gauge(child(child(await metrics(client), 'jvm'), 'fd_limit'));
  if (limit > 0) yield descriptors("the router's limit on open files", limit);
}

async function* requests(client: AdminClient, wanted: string | undefined): AsyncGenerator<CheckResult> {
  for (const { router, place } of await places(client)) {
    yield wanted === undefined
      ? await throughRouter(client, router, place)
      : await really(wanted, router, place);
    // The application is asked once, through the first server.
    if (wanted !== undefined) return;
  }
}

/** A name that the router answers itself, so that no application is bothered. */
async function throughRouter(client: AdminClient, router: RouterSummary, place: Place): Promise<CheckResult> {
  const description = `a request through ${router.label} (${place.host}:${place.port}) is routed`;
  const target = `/${NAME}/${NAME}/${NAME}`;
  const view = { method: 'GET', target, host: NAME, headers: [] };
  const { path, error } = (await client.identify(view))[router.label] ?? {};
  if (path === undefined) {
    return checked(
      'request',
      description,
      `its identifier does not name a plain request: ${error ?? ''}`,
      'warning',
    );
  }
  const override = `${path} => /$/io.buoyant.http.status/204`;
  const told = await ask(place, target, { host: NAME, 'l5d-dtab': override });
  if (typeof told === 'string') return checked('request', description, told);
  const { status, code } = told;
  const strange =
    status === 204 ? undefined : `it is answered ${status} ${code}; is clearContext set, or a name forced?`;
  return checked('request', description, strange, 'warning');
}

async function really(wanted: string, router: RouterSummary, place: Place): Promise<CheckResult> {
  const description = `${wanted} through ${router.label} is answered`;
  const question = questionOf(wanted, [], 'GET');
  if (question.type === 'name') throw new CannotRun(`--request takes a URL, not ${wanted}`);
  const told = await ask(place, question.request.target, { host: question.request.host });
  const problem =
    typeof told === 'string'
      ? told
      : told.status >= 500
        ? `with ${told.status} ${told.code}`.trim()
        : undefined;
  return checked('request', description, problem);
}

function ask(
  { host, port, tls }: Place,
  path: string,
  headers: Record<string, string>,
): Promise<Told | string> {
  return new Promise((resolve) => {
    const options = { host, port, path, headers, agent: false, timeout: ANSWER_MS };
    // Whether the certificate is right is what callers find out; here the way behind it is the question.
    const call = tls ? secureRequest({ ...options, rejectUnauthorized: false }) : plainRequest(options);
    call.on('response', (response) => {
      response.resume();
      const code = response.headers['turnout-err'];
      resolve({ status: response.statusCode ?? 0, code: typeof code === 'string' ? code : '' });
      response.on('error', () => {});
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    call.on('error', (error) => resolve(error.message));
    call.end();
  });
}

function whyClosed({ host, port }: Place): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_MS });
    const end = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.on('connect', () => end(undefined));
    socket.on('timeout', () => end(`no connection within ${ANSWER_MS} ms`));
    socket.on('error', (error) => end(error.message));
  });
}

async function places(client: AdminClient): Promise<readonly { router: RouterSummary; place: Place }[]> {
  const routers = (await client.json('/routers.json')) as readonly RouterSummary[];
  return routers.flatMap((router) =>
    router.servers.map(({ ip, port, tls }) => {
      const everywhere = isIP(ip) !== 0 && /^(0\.0\.0\.0|::)$/.test(ip);
      return { router, place: { host: everywhere ? client.host : ip, port, tls } };
    }),
  );
}

async function metrics(client: AdminClient): Promise<Tree> {
  return (await client.json('/admin/metrics.json?tree=1')) as Tree;
}

async function problemOf(answer: Promise<unknown>): Promise<string | undefined> {
  try {
    await answer;
    return undefined;
  } catch (error) {
    if (error instanceof CannotRun) return error.message;
    throw error;
  }
}

function child(value: unknown, key: string): Tree {
  const found = typeof value === 'object' && value !== null ? (value as Tree)[key] : undefined;
  return typeof found === 'object' && found !== null ? (found as Tree) : {};
}

function gauge(value: unknown): number {
  const found = typeof value === 'object' && value !== null ? (value as Tree)['gauge'] : undefined;
  return typeof found === 'number' ? found : 0;
}
