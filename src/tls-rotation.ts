/**
 * Certificates replaced while the process runs. The files of every `tls` section are watched by content; what
 * has changed is read, checked as at a start, and handed over. Files that do not belong together, are cut
 * short or cannot be used are refused: what is in use stays, with one line of log for each content, and is
 * looked at again when a file changes. Also tells when certificates expire.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { DirectoryWatches } from '../namers/directory-watches.ts';
import { watchedFile } from '../namers/watched-file.ts';
import type { ClientTlsMaterial, ServerTlsMaterial } from '../routers/tls/tls-material.ts';
import type { Clock } from './base/clock.ts';
import { type Closable, nothingToClose } from './base/closable.ts';
import type { Log } from './base/log.ts';
import type { Counter } from './base/stats.ts';
import type { MetricsTree } from './telemetry/metrics-tree.ts';
import { CertificateExpiry } from './tls-expiry.ts';
import type { TlsSection, TlsUpdate } from './tls-sections.ts';

/** Files of one section seldom change in one moment. */
const TOGETHER_MS = 100;
/** Files that do not fit together are given this long to be completed before it is called a mistake. */
const DOUBT_MS = 800;
/** A certificate that is not valid yet becomes so without any change of a file. */
const AGAIN_MS = 30_000;
const FILE_BYTES_MAX = 4 * 1024 * 1024;

export type Material = ServerTlsMaterial | ClientTlsMaterial;

export type TlsRotationDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsTree;
  /** What a section uses now; undefined: not known, so that what is read first is handed over. */
  readonly inUse: (section: TlsSection) => Material | undefined;
  readonly replace: (update: TlsUpdate) => void;
};

export class TlsRotation implements Closable {
  readonly #parts: Closable[];

  constructor(sections: readonly TlsSection[], deps: TlsRotationDeps) {
    const watches = new DirectoryWatches(deps.log, deps.clock);
    const expiry = new CertificateExpiry(deps);
    const reloads = deps.metrics.scope.counter('tls', 'reloads');
    const failures = deps.metrics.scope.counter('tls', 'reload_failures');
    const shared = { ...deps, watches, expiry, reloads, failures };
    this.#parts = [...sections.map((section) => new WatchedSection(section, shared)), expiry];
    expiry.start();
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }
}

type Shared = TlsRotationDeps & {
  readonly watches: DirectoryWatches;
  readonly expiry: CertificateExpiry;
  readonly reloads: Counter;
  readonly failures: Counter;
};

class WatchedSection implements Closable {
  readonly #section: TlsSection;
  readonly #shared: Shared;
  readonly #files: Closable[];
  /** What each file holds, as a digest. */
  readonly #contents = new Map<string, string>();
  #inUse: string | undefined;
  #doubted: string | undefined;
  #reported: string | undefined;
  #timer: Closable = nothingToClose;

  constructor(section: TlsSection, shared: Shared) {
    this.#section = section;
    this.#shared = shared;
    const material = shared.inUse(section);
    this.#inUse = material && JSON.stringify(material);
    this.#check();
    const { clock, watches } = shared;
    this.#files = section.files.map((path) =>
      watchedFile(path, FILE_BYTES_MAX, { clock, watches }).observe((state) => {
        if (state.state !== 'ok') return;
        this.#contents.set(path, digest(JSON.stringify(state.value)));
        this.#checkIn(TOGETHER_MS);
      }),
    );
  }

  close(): void {
    this.#timer.close();
    for (const file of this.#files) file.close();
  }

  #checkIn(delayMs: number): void {
    this.#timer.close();
    this.#timer = this.#shared.clock.after(delayMs, () => this.#check());
  }

  #check(): void {
    const { clock, log, expiry, reloads, replace } = this.#shared;
    const { place } = this.#section;
    const loaded = this.#section.load();
    if (!loaded.ok) {
      this.#refuse(loaded.errors);
      return;
    }
    const material = JSON.stringify(loaded.value.material);
    const first = this.#inUse === undefined;
    const known = material === this.#inUse;
    // At a start dates are no reason to refuse anything: the warning about them is enough.
    const errors = first || known ? [] : datesOf(loaded.value.material, clock.wallMs());
    if (errors.length > 0) {
      this.#refuse(errors);
      return;
    }
    this.#doubted = undefined;
    this.#reported = undefined;
    expiry.set(place, loaded.certificates);
    if (known) return;
    this.#inUse = material;
    replace(loaded.value);
    if (first) return;
    reloads.add(1);
    const subjects = loaded.certificates.map(({ key, subject }) => `${key} ${subject}`).join('; ');
    log.info('new TLS certificates are in use', { section: place, certificates: subjects });
  }

  #refuse(errors: readonly string[]): void {
    const { log, failures } = this.#shared;
    const text = errors.join('; ');
    const content = `${text} ${[...this.#contents.values()].join()}`;
    if (content === this.#reported) {
      this.#checkIn(AGAIN_MS);
    } else if (content === this.#doubted) {
      this.#reported = content;
      failures.add(1);
      const fields = { section: this.#section.place, why: text };
      log.error('new TLS files are refused; the certificates in use stay in use', fields);
      this.#checkIn(AGAIN_MS);
    } else {
      this.#doubted = content;
      this.#checkIn(DOUBT_MS);
    }
  }
}

/** A certificate that nobody would accept does not take the place of one that works. */
function datesOf(material: Material, wallMs: number): string[] {
  if (material.identity === undefined) return [];
  const { validFromDate, validToDate } = new X509Certificate(material.identity.certPem);
  if (validToDate.getTime() < wallMs) return [`the certificate expired on ${validToDate.toISOString()}`];
  if (validFromDate.getTime() <= wallMs) return [];
  return [`the certificate is not valid before ${validFromDate.toISOString()}`];
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
