/** Asks the admin server of a router that runs. Every failure is a CannotRun that says what to do. */
import type { Identification } from '../admin/sources.ts';
import { CannotRun, Mistake } from '../command.ts';
import type { EndpointHealth, Namings, RequestView } from './namings.ts';
import type { DelegationNode } from './node.ts';

const ANSWER_MS = 10_000;
/** A configuration may take a while to be put in force. */
const CHANGE_MS = 30_000;

type ClientStates = Record<
  string,
  {
    readonly routers?: Record<
      string,
      { readonly endpoints: readonly ({ readonly address: string } & EndpointHealth)[] }
    >;
  }
>;

export class AdminClient implements Namings {
  readonly about: string;
  /** Without its port. */
  readonly host: string;
  readonly #base: string;

  /** `HOST:PORT`, or a URL for an admin server with TLS. */
  constructor(place: string) {
    this.about = place;
    const url = /^https?:\/\//.test(place) ? place : `http://${place}`;
    if (!URL.canParse(url)) throw new Mistake(`--admin takes HOST:PORT, not ${place}`);
    this.host = new URL(url).hostname.replace(/^\[|\]$/g, '');
    this.#base = url.replace(/\/+$/, '');
  }

  async routers(): Promise<readonly string[]> {
    const routers = (await this.json('/routers.json')) as readonly { readonly label: string }[];
    return routers.map(({ label }) => label);
  }

  async identify(request: RequestView): Promise<Readonly<Record<string, Identification>>> {
    const { method, target, host, headers } = request;
    const query = new URLSearchParams([
      ['method', method],
      ['target', target],
      ['host', host],
      ...headers.map((header): [string, string] => ['header', header]),
    ]);
    return (await this.json(`/identify.json?${query}`)) as Record<string, Identification>;
  }

  async delegate(router: string, dtab: string, path: string): Promise<DelegationNode> {
    const query = new URLSearchParams({ namespace: router, base: '1', dtab, path });
    return (await this.json(`/delegator.json?${query}`)) as DelegationNode;
  }

  async names(): Promise<readonly string[]> {
    return (await this.json('/bound-names.json')) as readonly string[];
  }

  async health(router: string, id: string): Promise<ReadonlyMap<string, EndpointHealth>> {
    const states = (await this.json(`/client_state.json?${new URLSearchParams({ id })}`)) as ClientStates;
    const endpoints = states[id]?.routers?.[router]?.endpoints ?? [];
    return new Map(endpoints.map((endpoint) => [endpoint.address, endpoint]));
  }

  close(): void {}

  async json(path: string): Promise<unknown> {
    return JSON.parse(await this.text(path));
  }

  async text(path: string): Promise<string> {
    const response = await this.open(path, AbortSignal.timeout(ANSWER_MS));
    return response.text();
  }

  /** The answer while it comes. */
  async open(path: string, signal: AbortSignal): Promise<Response> {
    const response = await this.#fetch(path, { signal });
    if (response.ok) return response;
    const [page = ''] = path.split('?');
    throw this.refused(page, response.status, await response.text());
  }

  /** The answer whatever its status. */
  post(path: string, body: string): Promise<Response> {
    return this.#fetch(path, { method: 'POST', body, signal: AbortSignal.timeout(CHANGE_MS) });
  }

  refused(page: string, status: number, said: string): CannotRun {
    return new CannotRun(`the admin server at ${this.about} answers ${page} with ${status}: ${said.trim()}`);
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.#base}${path}`, init);
    } catch (error) {
      const { cause, message } = error as Error & { cause?: Error };
      const why =
        cause === undefined ? message : cause.message || String((cause as NodeJS.ErrnoException).code);
      throw new CannotRun(
        `cannot reach the admin server at ${this.about}: ${why}. ` +
          'Does turnout run there? --admin HOST:PORT names another',
      );
    }
  }
}

/** How far the router's clock is before this one, to about a second; half of the way there is left out. */
export async function clockSkewMs(client: AdminClient): Promise<number> {
  const startMs = Date.now();
  const answer = await client.open('/admin/ping', AbortSignal.timeout(ANSWER_MS));
  const middleMs = (startMs + Date.now()) / 2;
  await answer.body?.cancel();
  const told = Date.parse(answer.headers.get('date') ?? '');
  return Number.isNaN(told) ? 0 : told + 500 - middleMs;
}
