/**
 * All API servers of the process: one client for each place that the configuration names, and one for the
 * place where the process runs.
 */
import type { Clock } from '../src/base/clock.ts';
import { type Closable, closeAll } from '../src/base/closable.ts';
import type { Log } from '../src/base/log.ts';
import type { Rng } from '../src/base/rng.ts';
import type { Scope } from '../src/base/stats.ts';
import type { Access } from './access.ts';
import type { KubeApi, WatchReport } from './api.ts';
import { type AuthOptions, ambientAccess, PROXY_HOST, PROXY_PORT, plainAccess } from './auth.ts';
import { KubeClient } from './client.ts';
import { defaultTiming, type Timing } from './timing.ts';

export type KubeApisOptions = {
  readonly auth: AuthOptions;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** The scope of all API servers. */
  readonly stats: Scope;
  /** A gauge below that scope that is computed when someone asks. */
  readonly gauge: (segments: readonly string[], read: () => number) => Closable;
  readonly timing?: Timing;
};

/** As the configuration says: both absent is the place where the process runs. */
export type KubePlace = { readonly host?: string | undefined; readonly port?: number | undefined };

export class KubeApis implements Closable {
  readonly #options: KubeApisOptions;
  readonly #apis = new Map<string, KubeApi>();
  readonly #parts: Closable[] = [];

  constructor(options: KubeApisOptions) {
    this.#options = options;
  }

  /** Nothing is opened before something is watched. */
  at({ host, port }: KubePlace): KubeApi {
    if (host === undefined && port === undefined) {
      return this.#api('cluster', this.#ambient());
    }
    const access = plainAccess(host ?? PROXY_HOST, port ?? PROXY_PORT);
    return this.#api(access.server.host, async () => access);
  }

  /** Of all servers. */
  watches(): readonly (WatchReport & { readonly server: string })[] {
    return [...this.#apis].flatMap(([server, api]) => api.watches().map((watch) => ({ server, ...watch })));
  }

  close(): void {
    closeAll(this.#parts).close();
    this.#apis.clear();
  }

  #api(name: string, access: () => Promise<Access>): KubeApi {
    const known = this.#apis.get(name);
    if (known !== undefined) return known;
    const { stats, gauge, timing = defaultTiming } = this.#options;
    const api = new KubeClient({ ...this.#options, name, access, timing, stats: stats.scope(name) });
    const ages = (): number => api.watches().reduce((oldest, { staleMs }) => Math.max(oldest, staleMs), 0);
    this.#apis.set(name, api);
    this.#parts.push(
      api,
      gauge([name, 'watches'], () => api.watches().length),
      gauge([name, 'stale_ms'], ages),
    );
    return api;
  }

  /** Found out with the first request; what does not work is tried again with the next one. */
  #ambient(): () => Promise<Access> {
    const { auth, log } = this.#options;
    let found: Promise<Access> | undefined;
    return () => {
      found ??= ambientAccess(auth).then(
        (access) => {
          log.info('the Kubernetes API is reached', { at: access.name });
          return access;
        },
        (error: unknown) => {
          found = undefined;
          throw error;
        },
      );
      return found;
    };
  }
}
