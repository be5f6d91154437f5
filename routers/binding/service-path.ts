/**
 * One service name with one local dtab: its live binding, its parameters, its metrics. It takes an exchange
 * from identification to the answer: binds it, hands it to a client, and decides whether an outcome is the
 * answer or a retry.
 */

import { isDeepStrictEqual } from 'node:util';
import type { BackoffSpec, BudgetSpec } from '../../config/spec.ts';
import type { Bound, NameTree } from '../../dtab/names.ts';
import type { Path } from '../../dtab/path.ts';
import type { State } from '../../src/base/activity.ts';
import { type Closable, nothingToClose } from '../../src/base/closable.ts';
import { Failure } from '../../src/base/failure.ts';
import type { Rng } from '../../src/base/rng.ts';
import type { Counter, Gauge, Stat } from '../../src/base/stats.ts';
import type { TimerWheel } from '../../src/base/timer-wheel.ts';
import type { HttpClassifier, ResponseClass } from '../classify/http.ts';
import type { Exchange, ServiceStage } from '../exchange.ts';
import { Field, type Fields } from '../fields.ts';
import type { ResponseHead } from '../head.ts';
import { withTimeout } from '../headers/deadline.ts';
import { dstServiceBlock } from '../headers/dst.ts';
import type { ClientFields } from '../headers/emit.ts';
import { restoreHost } from '../headers/host-rewrite.ts';
import type { LocalDtab } from '../headers/local-dtab.ts';
import { receiveResponse } from '../headers/receive.ts';
import { RequestStats } from '../request-stats.ts';
import { bindingTimeoutText, noBrokersText, totalTimeoutText } from '../respond/messages.ts';
import { nextBackoffMs } from '../retry/backoff.ts';
import { RetryBudget } from '../retry/budget.ts';
import type { CacheEntry } from './bind-cache.ts';
import type { Binder, Binding } from './binder.ts';
import type { BoundName, BoundTree } from './bound-tree.ts';
import type { ServiceScopes } from './service-scopes.ts';
import { WaitList } from './wait-list.ts';

/** What the router gives all its service paths. */
export type ServiceDeps = {
  readonly binder: Binder;
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  readonly scopes: ServiceScopes;
  readonly bindingTimeoutMs: number;
  /** Printed dentries of the router's dtab, for messages. */
  readonly baseDtab: readonly string[];
  readonly holdTree: (tree: NameTree<Bound>) => CacheEntry<BoundTree>;
  readonly releaseTree: (entry: CacheEntry<BoundTree>) => void;
  readonly release: (entry: CacheEntry<ServicePath>) => void;
};

/** The parameters of the `service` section that apply to one name. */
export type ServiceSettings = {
  readonly classifier: HttpClassifier;
  readonly totalTimeoutMs: number | undefined;
  readonly budget: BudgetSpec;
  readonly backoff: BackoffSpec;
};

/** What this path adds to requests to one bound name, and where it counts them there. */
type Link = { readonly fields: ClientFields; readonly stats: RequestStats };

export class ServicePath implements ServiceStage, Closable {
  readonly name: string;
  told: Uint8Array | undefined;
  /** Its place in the cache; held by every exchange until it has ended. */
  entry: CacheEntry<ServicePath> | undefined;
  readonly #deps: ServiceDeps;
  #settings: ServiceSettings;
  readonly #local: LocalDtab;
  readonly #stats: RequestStats;
  #budget: RetryBudget;
  readonly #balance: Gauge;
  readonly #retriesTotal: Counter;
  readonly #budgetExhausted: Counter;
  readonly #perRequest: Stat;
  readonly #serviceBlock: string;
  readonly #waiting: WaitList;
  readonly #links = new Map<BoundName, Link>();
  #observation: Closable = nothingToClose;
  #tree: CacheEntry<BoundTree> | undefined;
  #bound: NameTree<Bound> | undefined;
  /** Why there is no tree; undefined while the name is pending. */
  #failure: Failure | undefined;

  constructor(path: Path, local: LocalDtab, settings: ServiceSettings, deps: ServiceDeps) {
    this.name = path.show;
    this.#deps = deps;
    this.#settings = settings;
    this.#local = local;
    const scope = deps.scopes.take(this.name);
    this.#stats = new RequestStats(scope);
    this.#retriesTotal = scope.counter('retries', 'total');
    this.#budgetExhausted = scope.counter('retries', 'budget_exhausted');
    this.#perRequest = scope.stat('retries', 'per_request');
    this.#balance = scope.gauge('retries', 'budget');
    this.#budget = new RetryBudget(settings.budget, deps.wheel.nowMs(), this.#balance);
    this.#serviceBlock = dstServiceBlock(this.name);
    this.#waiting = new WaitList(deps.wheel, deps.bindingTimeoutMs, (exchange) =>
      this.#bindingTimedOut(exchange),
    );
    this.#observation = deps.binder.bind(local.dtab, path).observe((state) => this.#update(state));
  }

  /** Retries follow without a wait. */
  get #immediate(): boolean {
    const { backoff } = this.#settings;
    return backoff.kind === 'constant' && backoff.ms <= 0;
  }

  get pending(): boolean {
    return this.#tree === undefined && this.#failure === undefined;
  }

  start(exchange: Exchange): void {
    exchange.service = this;
    this.#stats.begin();
    this.#budget.deposit(this.#deps.wheel.nowMs());
    const { totalTimeoutMs } = this.#settings;
    if (totalTimeoutMs !== undefined) {
      const timer = this.#deps.wheel.timer(() => this.#totalTimedOut(exchange, totalTimeoutMs));
      const dueMs = this.#deps.wheel.nowMs() + totalTimeoutMs;
      timer.armAt(dueMs);
      exchange.dueMs = Math.min(exchange.dueMs, dueMs);
      exchange.totalTimer = timer;
      const { context } = exchange;
      context.deadline = withTimeout(context.deadline, this.#deps.wheel.wallMs(), totalTimeoutMs);
    }
    this.#attempt(exchange);
  }

  classify(exchange: Exchange, response: ResponseHead): ResponseClass {
    return this.#settings.classifier.classify(exchange.head.method, !exchange.replayable, response);
  }

  classifyFailure(exchange: Exchange, failure: Failure): ResponseClass {
    return this.#settings.classifier.classify(exchange.head.method, !exchange.replayable, failure);
  }

  settleResponse(exchange: Exchange, response: ResponseHead, length: number): void {
    const { responseClass } = exchange;
    if (responseClass === 'retryable' && this.#mayRetry(exchange)) {
      exchange.attempt?.cancelled(exchange);
      this.#retry(exchange);
      return;
    }
    exchange.totalTimer?.close();
    exchange.routed = true;
    exchange.responseVia = receiveResponse(response.fields);
    if (exchange.authority !== undefined) {
      restoreHost(response.fields, exchange.authority, exchange.head.fields.first(Field.host));
    }
    if (exchange.exhausted) markExhausted(response.fields);
    this.#record(exchange, responseClass, undefined);
    exchange.answer.start(response, length);
  }

  settleFailure(exchange: Exchange, failure: Failure): void {
    if (exchange.over) return;
    const outcome = this.classifyFailure(exchange, failure);
    // A name that leads nowhere leads nowhere the next time too.
    const lasting = failure.kind === 'no-endpoints' || failure.kind === 'naming';
    if (outcome === 'retryable' && !lasting && this.#mayRetry(exchange)) {
      this.#retry(exchange);
      return;
    }
    this.#fail(exchange, failure, outcome);
  }

  ended(exchange: Exchange): void {
    exchange.totalTimer?.close();
    exchange.retryTimer?.close();
    if (!exchange.recorded) {
      exchange.recorded = true;
      this.#stats.forget();
      this.#waiting.remove(exchange);
    }
    if (this.entry !== undefined) this.#deps.release(this.entry);
  }

  /** Parameters of a new configuration, for the decisions that come. */
  reconfigure(settings: ServiceSettings): void {
    if (!isDeepStrictEqual(settings.budget, this.#settings.budget)) {
      this.#budget = new RetryBudget(settings.budget, this.#deps.wheel.nowMs(), this.#balance);
    }
    this.#settings = settings;
  }

  /** Its tree leads to clients that have been replaced. */
  rehold(): void {
    const before = this.#tree;
    if (before === undefined || this.#bound === undefined) return;
    this.#links.clear();
    this.#tree = this.#deps.holdTree(this.#bound);
    this.#deps.releaseTree(before);
  }

  /** A client that has been closed gives back what it had not begun. */
  resume(exchange: Exchange): void {
    this.#attempt(exchange);
  }

  close(): void {
    this.#observation.close();
    this.#waiting.close();
    if (this.#tree !== undefined) this.#deps.releaseTree(this.#tree);
    this.#tree = undefined;
    this.#deps.scopes.release(this.name);
  }

  #attempt(exchange: Exchange): void {
    if (exchange.over) return;
    const tree = this.#tree;
    if (tree === undefined) {
      if (this.#failure === undefined) this.#waiting.add(exchange);
      else this.settleFailure(exchange, this.#failure);
      return;
    }
    const name = tree.value.pick(this.#deps.rng);
    if (name === undefined) {
      this.settleFailure(exchange, this.#nothingBound(undefined));
      return;
    }
    const link = this.#link(name);
    exchange.clientFields = link.fields;
    exchange.attempting = true;
    name.client.attempt(exchange, link.stats);
    exchange.attempting = false;
  }

  #link(name: BoundName): Link {
    let link = this.#links.get(name);
    if (link === undefined) {
      link = {
        fields: { dst: this.#serviceBlock + name.lines, forwardClientCert: name.client.forwardClientCert },
        stats: name.client.stats.ofService(this.name.slice(1)),
      };
      this.#links.set(name, link);
    }
    return link;
  }

  /** The last good tree stays when a later state is pending or failed (decision 9). */
  #update(state: State<Binding>): void {
    if (state.state === 'ok') {
      const { tree, note } = state.value;
      const before = this.#tree;
      this.#links.clear();
      if (tree.type === 'leaf' || tree.type === 'union') {
        this.#tree = this.#deps.holdTree(tree);
        this.#bound = tree;
        this.#failure = undefined;
      } else {
        this.#tree = undefined;
        this.#failure = this.#nothingBound(note);
      }
      if (before !== undefined) this.#deps.releaseTree(before);
    } else if (this.#tree === undefined) {
      if (state.state === 'failed') this.#failure = explained(state.failure);
    }
    if (this.#tree !== undefined || this.#failure !== undefined) {
      for (const exchange of this.#waiting.take()) this.#attempt(exchange);
    }
  }

  #nothingBound(note: string | undefined): Failure {
    const local =
      this.#local.show === '' ? [] : this.#local.show.split(';').map((entry) => entry.replace('=>', ' => '));
    const text = noBrokersText(this.name, this.#deps.baseDtab, local);
    return new Failure('no-endpoints', note === undefined ? text : `${text}\n${note}`, true);
  }

  #bindingTimedOut(exchange: Exchange): void {
    const text = bindingTimeoutText(this.#deps.bindingTimeoutMs, this.name);
    this.settleFailure(exchange, new Failure('binding-timeout', text, true));
  }

  #totalTimedOut(exchange: Exchange, timeoutMs: number): void {
    if (exchange.over || exchange.routed) return;
    this.#waiting.remove(exchange);
    exchange.attempt?.cancelled(exchange);
    const text = totalTimeoutText(timeoutMs, this.name, exchange.selected);
    const failure = new Failure('total-timeout', text);
    this.#fail(exchange, failure, 'failure');
  }

  #fail(exchange: Exchange, failure: Failure, outcome: ResponseClass): void {
    this.#record(exchange, outcome, failure);
    exchange.answer.fail(failure);
  }

  #record(exchange: Exchange, outcome: ResponseClass, failure: Failure | undefined): void {
    exchange.recorded = true;
    const latencyMs = this.#deps.wheel.nowMs() - exchange.startedMs;
    this.#stats.end(outcome, latencyMs, failure?.kind);
    this.#perRequest.observe(exchange.retries);
  }

  #mayRetry(exchange: Exchange): boolean {
    if (!exchange.replayable || exchange.over) return false;
    // Without a wait the same would happen again, at once, until the budget is spent.
    if (exchange.attempting && this.#immediate) return false;
    const { wheel, rng } = this.#deps;
    const delayMs = nextBackoffMs(this.#settings.backoff, exchange.backoffMs, rng);
    // Nobody waits for the answer to a retry that would begin after the deadline.
    const { deadlineMs } = exchange.context;
    if (deadlineMs !== Number.POSITIVE_INFINITY && wheel.wallMs() + delayMs >= deadlineMs) return false;
    if (!this.#budget.tryWithdraw(wheel.nowMs())) {
      this.#budgetExhausted.add(1);
      exchange.exhausted = true;
      return false;
    }
    exchange.backoffMs = delayMs;
    return true;
  }

  #retry(exchange: Exchange): void {
    exchange.retries++;
    exchange.requeues = 0;
    exchange.resent = false;
    this.#retriesTotal.add(1);
    const { backoffMs = 0 } = exchange;
    if (backoffMs <= 0) {
      this.#attempt(exchange);
      return;
    }
    const { wheel } = this.#deps;
    const timer = wheel.timer(() => {
      // A time limit that ends in the same tick answers, if this comes before it.
      if (wheel.nowMs() < exchange.dueMs) this.#attempt(exchange);
    });
    timer.arm(backoffMs);
    exchange.retryTimer = timer;
  }
}

/** The routers before this one need not try again what has been tried as often as there was budget for. */
function markExhausted(fields: Fields): void {
  fields.remove(Field.l5dRetryable);
  fields.add('l5d-retryable', 'false', Field.l5dRetryable);
}

/** The binder's note on a failure is its cause: which entry led there, and what the namer said. */
function explained(failure: Failure): Failure {
  const { kind, message, undelivered, cause } = failure;
  if (typeof cause !== 'string' || cause === message) return failure;
  return new Failure(kind, `${message}\n\n${cause}`, undelivered);
}
