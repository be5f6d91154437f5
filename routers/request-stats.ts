/** The metrics that are kept at every level of a request: server, service, client, and client by service. */
import type { FailureKind } from '../src/base/failure.ts';
import type { Counter, Gauge, Scope, Stat } from '../src/base/stats.ts';
import type { ResponseClass } from './classify/http.ts';

/** How a failing response is named among the `failures/…` counters, as linkerd names it. */
const SYNTHETIC = 'com.twitter.finagle.service.ResponseClassificationSyntheticException';

/** `failures`, and `failures/<name>` for each name that occurs. */
export class FailureCounters {
  readonly #scope: Scope;
  readonly #all: Counter;
  readonly #byName = new Map<string, Counter>();

  constructor(scope: Scope) {
    this.#scope = scope;
    this.#all = scope.counter('failures');
  }

  count(name: string): void {
    this.#all.add(1);
    let counter = this.#byName.get(name);
    if (counter === undefined) {
      counter = this.#scope.counter('failures', name);
      this.#byName.set(name, counter);
    }
    counter.add(1);
  }
}

export class RequestStats {
  readonly #requests: Counter;
  readonly #success: Counter;
  readonly #failures: FailureCounters;
  readonly #latency: Stat;
  readonly #pending: Gauge;

  constructor(scope: Scope) {
    this.#requests = scope.counter('requests');
    this.#success = scope.counter('success');
    this.#failures = new FailureCounters(scope);
    this.#latency = scope.stat('request_latency_ms');
    this.#pending = scope.gauge('pending');
  }

  begin(): void {
    this.#pending.add(1);
  }

  /** Ends what `begin` began without an outcome: the caller went away. */
  forget(): void {
    this.#pending.add(-1);
  }

  /** `failure` is set when there was no response. */
  end(outcome: ResponseClass, latencyMs: number, failure: FailureKind | undefined): void {
    this.#pending.add(-1);
    if (outcome === 'ignorable') return;
    this.#requests.add(1);
    this.#latency.observe(latencyMs);
    if (outcome === 'success') this.#success.add(1);
    else this.#failures.count(failure ?? SYNTHETIC);
  }
}

/** `status/<code>`, `status/<class>` and `time/<class>`. */
export class StatusStats {
  readonly #scope: Scope;
  readonly #codes: (Counter | undefined)[] = [];
  readonly #classes: Counter[] = [];
  readonly #times: Stat[] = [];
  readonly #errors: Counter;
  readonly #errorTime: Stat;

  constructor(scope: Scope) {
    this.#scope = scope;
    for (let i = 1; i <= 5; i++) {
      this.#classes.push(scope.counter('status', `${i}XX`));
      this.#times.push(scope.stat('time', `${i}XX`));
    }
    this.#errors = scope.counter('status', 'error');
    this.#errorTime = scope.stat('time', 'error');
  }

  response(status: number, latencyMs: number): void {
    let code = this.#codes[status];
    if (code === undefined) {
      code = this.#scope.counter('status', String(status));
      this.#codes[status] = code;
    }
    code.add(1);
    const index = Math.min(5, Math.trunc(status / 100)) - 1;
    this.#classes[index]?.add(1);
    this.#times[index]?.observe(latencyMs);
  }

  /** There was no response to classify. */
  error(latencyMs: number): void {
    this.#errors.add(1);
    this.#errorTime.observe(latencyMs);
  }
}
