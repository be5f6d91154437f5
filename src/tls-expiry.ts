/**
 * When the certificates in use expire: a gauge for each file, `tls/cert_expiry_seconds/<file>`, and warnings
 * from seven days before, once a day.
 */
import type { CertificateFile } from '../routers/tls/material.ts';
import type { Clock } from './base/clock.ts';
import { type Closable, nothingToClose } from './base/closable.ts';
import type { Log } from './base/log.ts';
import type { MetricsTree } from './telemetry/metrics-tree.ts';

const DAY_MS = 86_400_000;
const WARN_MS = 7 * DAY_MS;
const LOOK_EVERY_MS = 60_000;

type Deps = { readonly clock: Clock; readonly log: Log; readonly metrics: MetricsTree };

export class CertificateExpiry implements Closable {
  readonly #deps: Deps;
  readonly #bySection = new Map<string, readonly CertificateFile[]>();
  readonly #gauges = new Map<string, Closable>();
  /** Of each file, the certificate and the days left that have been warned of. */
  readonly #warned = new Map<string, string>();
  #timer: Closable = nothingToClose;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** What a section uses from now on. */
  set(section: string, certificates: readonly CertificateFile[]): void {
    this.#bySection.set(section, certificates);
    for (const { path } of certificates) {
      if (this.#gauges.has(path)) continue;
      const segments = ['tls', 'cert_expiry_seconds', path];
      const seconds = (): number => Math.floor(this.#leftMs(path) / 1000);
      this.#gauges.set(path, this.#deps.metrics.computedGauge(segments, seconds));
    }
  }

  start(): void {
    this.#look();
    this.#timer = this.#deps.clock.after(LOOK_EVERY_MS, () => this.start());
  }

  close(): void {
    this.#timer.close();
    for (const gauge of this.#gauges.values()) gauge.close();
  }

  /** Of a file that several sections use, and one of them still with an older content, the smaller. */
  #leftMs(path: string): number {
    const dates = [...this.#bySection.values()]
      .flat()
      .filter((certificate) => certificate.path === path)
      .map(({ expiresMs }) => expiresMs);
    return Math.min(...dates) - this.#deps.clock.wallMs();
  }

  #look(): void {
    const { clock, log } = this.#deps;
    for (const [section, certificates] of this.#bySection) {
      for (const { key, path, expiresMs, subject } of certificates) {
        const leftMs = expiresMs - clock.wallMs();
        const days = Math.floor(leftMs / DAY_MS);
        const state = `${expiresMs} ${days}`;
        if (leftMs >= WARN_MS || this.#warned.get(path) === state) continue;
        this.#warned.set(path, state);
        const expires = new Date(expiresMs).toISOString();
        const fields = { section, key, file: path, subject, expires };
        if (leftMs < 0) log.error('a TLS certificate in use has expired', fields);
        else log.warn('a TLS certificate in use expires soon', { ...fields, days });
      }
    }
  }
}
