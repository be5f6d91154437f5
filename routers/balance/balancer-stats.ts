/** `rt/<router>/client/<id>/loadbalancer/…` */
import type { LoadBalancerSpec } from '../../config/spec.ts';
import { never } from '../../src/base/assert.ts';
import type { Counter, Gauge, Scope } from '../../src/base/stats.ts';
import type { ApertureStats } from './aperture.ts';

export class BalancerStats {
  readonly size: Gauge;
  readonly available: Gauge;
  readonly busy: Gauge;
  readonly closed: Gauge;
  readonly load: Gauge;
  readonly weightClasses: Gauge;
  readonly meanWeight: Gauge;
  readonly adds: Counter;
  readonly removes: Counter;
  readonly updates: Counter;
  readonly rebuilds: Counter;
  readonly maxEffortExhausted: Counter;
  readonly busyWeightClasses: Counter;
  readonly #scope: Scope;

  constructor(scope: Scope, kind: LoadBalancerSpec['kind']) {
    this.#scope = scope;
    this.size = scope.gauge('size');
    this.available = scope.gauge('available');
    this.busy = scope.gauge('busy');
    this.closed = scope.gauge('closed');
    this.load = scope.gauge('load');
    this.weightClasses = scope.gauge('num_weight_classes');
    this.meanWeight = scope.gauge('meanweight');
    this.adds = scope.counter('adds');
    this.removes = scope.counter('removes');
    this.updates = scope.counter('updates');
    this.rebuilds = scope.counter('rebuilds');
    this.maxEffortExhausted = scope.counter('max_effort_exhausted');
    this.busyWeightClasses = scope.counter('busy_weight_classes');
    scope.gauge('algorithm', algorithmName(kind)).set(1);
  }

  /** What only apertures have. `eager_connections`: none is opened before it is needed. */
  aperture(): ApertureStats {
    const scope = this.#scope;
    const loadBand = scope.scope('loadband');
    scope.gauge('use_deterministic_ordering').set(0);
    scope.gauge('eager_connections').set(0);
    return {
      rebuilds: this.rebuilds,
      maxEffortExhausted: this.maxEffortExhausted,
      logicalAperture: scope.gauge('logical_aperture'),
      physicalAperture: scope.gauge('physical_aperture'),
      vectorHash: scope.gauge('vector_hash'),
      coordinateUpdates: scope.counter('coordinate_updates'),
      expired: scope.counter('expired'),
      offeredLoad: loadBand.gauge('offered_load_ema'),
      widen: loadBand.counter('widen'),
      narrow: loadBand.counter('narrow'),
    };
  }
}

function algorithmName(kind: LoadBalancerSpec['kind']): string {
  switch (kind) {
    case 'p2c':
      return 'p2c_least_loaded';
    case 'ewma':
      return 'p2c_peak_ewma';
    case 'aperture':
      return 'aperture_least_loaded';
    case 'heap':
      return 'heap_least_loaded';
    case 'roundRobin':
      return 'round_robin';
    default:
      return never(kind);
  }
}
