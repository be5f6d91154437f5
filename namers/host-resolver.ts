/**
 * Host names to addresses, kept fresh while somebody looks: asked again 5 s after each answer. One question
 * per host at a time, shared by all who ask, and few at once, because getaddrinfo blocks a thread of the pool
 * that file reads need. A host that does not exist is an answer; any other error keeps the last good answer.
 */
import { promises as dns } from 'node:dns';
import { type Activity, failed, ok, pending, type State } from '../src/base/activity.ts';
import type { Clock } from '../src/base/clock.ts';
import type { Closable } from '../src/base/closable.ts';
import { Failure } from '../src/base/failure.ts';
import type { Log } from '../src/base/log.ts';
import { constant, Lazy } from '../src/base/var.ts';

/** Sorted addresses; undefined when there is no such host. */
export type HostAddresses = readonly string[] | undefined;
export type HostLookup = (host: string) => Promise<readonly string[]>;

const REFRESH_MS = 5000;
const MAX_IN_FLIGHT = 2;
const MAX_FIXED = 1000;
const NOT_FOUND = new Set(['ENOTFOUND', 'ENODATA']);

const systemLookup: HostLookup = async (host) => {
  const found = await dns.lookup(host, { all: true });
  return found.map((entry) => entry.address);
};

export type HostResolverDeps = { readonly clock: Clock; readonly log: Log; readonly lookup?: HostLookup };

export class HostResolver {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #lookup: HostLookup;
  readonly #live = new Map<string, Activity<HostAddresses>>();
  readonly #fixed = new Map<string, HostAddresses>();
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;

  constructor(deps: HostResolverDeps) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#lookup = deps.lookup ?? systemLookup;
  }

  /** The addresses of `host`, refreshed while observed. */
  addresses(host: string): Activity<HostAddresses> {
    const known = this.#live.get(host);
    if (known !== undefined) return known;
    const made: Activity<HostAddresses> = new Lazy<State<HostAddresses>>((set) => {
      if (!this.#live.has(host)) this.#live.set(host, made);
      const loop = this.#poll(host, set, true);
      return {
        close: () => {
          loop.close();
          if (this.#live.get(host) === made) this.#live.delete(host);
        },
      };
    }, equalHostStates);
    return made;
  }

  /** The addresses of `host` as they were when it was first found; asked again only until then. */
  fixedAddresses(host: string): Activity<HostAddresses> {
    return new Lazy<State<HostAddresses>>((set) => {
      const known = this.#fixed.get(host);
      if (known !== undefined) return constant(ok<HostAddresses>(known)).observe(set);
      return this.#poll(
        host,
        (state) => {
          if (state.state === 'ok' && state.value !== undefined) this.#remember(host, state.value);
          set(state);
        },
        false,
      );
    }, equalHostStates);
  }

  #remember(host: string, addresses: readonly string[]): void {
    if (this.#fixed.size >= MAX_FIXED) {
      const oldest = this.#fixed.keys().next();
      if (oldest.done !== true) this.#fixed.delete(oldest.value);
    }
    this.#fixed.set(host, addresses);
  }

  #poll(host: string, set: (state: State<HostAddresses>) => void, refresh: boolean): Closable {
    let closed = false;
    let timer: Closable | undefined;
    let good = false;
    let reported = '';
    const again = (): void => {
      timer = this.#clock.after(REFRESH_MS, ask);
    };
    const ask = async (): Promise<void> => {
      const answer = await this.#ask(host, () => closed);
      if (closed || answer === undefined) return;
      if (answer.state === 'failed') {
        if (answer.failure.message !== reported) this.#log.warn(answer.failure.message, { host });
        reported = answer.failure.message;
        if (!good) set(answer);
      } else {
        reported = '';
        good = true;
        set(answer);
        if (!refresh && answer.state === 'ok' && answer.value !== undefined) return;
      }
      again();
    };
    set(pending);
    void ask();
    return {
      close() {
        closed = true;
        timer?.close();
      },
    };
  }

  async #ask(host: string, abandoned: () => boolean): Promise<State<HostAddresses> | undefined> {
    if (this.#inFlight >= MAX_IN_FLIGHT) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inFlight++;
    try {
      if (abandoned()) return undefined;
      const found = await this.#lookup(host);
      return ok(found.length === 0 ? undefined : [...new Set(found)].sort());
    } catch (error) {
      const code = errorCode(error);
      if (NOT_FOUND.has(code)) return ok(undefined);
      return failed(new Failure('naming', `DNS lookup of ${host} failed: ${code}`, true, error));
    } finally {
      // The place goes straight to the next in line.
      const next = this.#waiting.shift();
      if (next === undefined) this.#inFlight--;
      else next();
    }
  }
}

function errorCode(error: unknown): string {
  if (error instanceof Error)
    return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return String(error);
}

function equalHostStates(a: State<HostAddresses>, b: State<HostAddresses>): boolean {
  if (a.state === 'ok') return b.state === 'ok' && a.value?.join() === b.value?.join();
  if (a.state === 'failed') return b.state === 'failed' && a.failure.message === b.failure.message;
  return b.state === 'pending';
}
