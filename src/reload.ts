/**
 * Replaces the configuration of a running process: reads and checks it as a start does, compares it with the
 * one in force, and applies what differs. One after the other, whoever asks; a configuration that cannot be
 * used changes nothing. The last ten that were tried are remembered.
 */
import { createHash } from 'node:crypto';
import { type Change, diffSpecs } from '../config/diff.ts';
import { type Diagnostic, renderDiagnostic } from '../config/errors.ts';
import { loadConfig } from '../config/load.ts';
import type { LinkerSpec } from '../config/spec.ts';
import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import type { Scope } from './base/stats.ts';

const GENERATIONS_MAX = 10;

const OUTCOMES = ['started', 'applied', 'unchanged', 'refused', 'failed'] as const;

/** failed: it is good and could not be put in force, e.g. because a port is taken; all is as before. */
export type ReloadOutcome = (typeof OUTCOMES)[number];

export type Generation = {
  /** Counts what has been in force; one that was not put in force has the number of the one that stayed. */
  readonly generation: number;
  readonly outcome: ReloadOutcome;
  /** `start`, `file`, `SIGHUP`, `POST /config`. */
  readonly by: string;
  /** ISO 8601. */
  readonly time: string;
  /** SHA-256 of the text, in hexadecimal. */
  readonly sha256: string;
  readonly changes: readonly string[];
  /** Changes that wait for the next start of the process. */
  readonly afterRestart: readonly string[];
  readonly errors: readonly string[];
};

export type Reloadable = {
  readonly spec: LinkerSpec;
  /** Answers what stood in the way; nothing when it is in force. */
  apply(spec: LinkerSpec): Promise<readonly string[]>;
  /** What stands in the way as far as it can be told without doing anything. */
  check(spec: LinkerSpec): readonly string[];
};

export type ReloaderDeps = {
  readonly linker: Reloadable;
  readonly text: string;
  /** Of each configuration that was tried and makes a difference. */
  readonly told: (generation: Generation, warnings: readonly Diagnostic[]) => void;
  readonly stats: Scope;
  readonly clock: Pick<Clock, 'wallMs'>;
};

export class Reloader {
  readonly #deps: ReloaderDeps;
  readonly #generations: Generation[] = [];
  #generation = 1;
  #sha256: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: ReloaderDeps) {
    this.#deps = deps;
    this.#sha256 = digest(deps.text);
    for (const outcome of OUTCOMES) deps.stats.counter('config_reloads', outcome);
    this.#note({ outcome: 'started', by: 'start', sha256: this.#sha256 });
  }

  /** Newest first. */
  get generations(): readonly Generation[] {
    return [...this.#generations].reverse();
  }

  /** `dryRun` tells what would be done. */
  reload(text: string, source: string, by: string, dryRun = false): Promise<Generation> {
    const next = this.#last.then(() => this.#reload(text, source, by, dryRun));
    this.#last = next.catch(() => {});
    return next;
  }

  async #reload(text: string, source: string, by: string, dryRun: boolean): Promise<Generation> {
    const { linker, told: tell } = this.#deps;
    const sha256 = digest(text);
    const loaded = loadConfig(text, { source });
    if ('errors' in loaded) {
      return this.#refused({ by, sha256, errors: loaded.errors.map(renderDiagnostic) }, dryRun);
    }
    const changes = diffSpecs(linker.spec, loaded.spec);
    const told = { by, sha256, ...linesOf(changes) };
    const wrong = linker.check(loaded.spec);
    if (wrong.length > 0) return this.#refused({ ...told, errors: wrong }, dryRun);
    if (dryRun) return this.#made({ ...told, outcome: changes.length > 0 ? 'applied' : 'unchanged' });
    if (changes.length === 0 && sha256 === this.#sha256) return this.#made({ ...told, outcome: 'unchanged' });
    const errors = await linker.apply(loaded.spec);
    if (errors.length > 0) {
      const failed = this.#note({ ...told, outcome: 'failed', errors });
      tell(failed, []);
      return failed;
    }
    this.#sha256 = sha256;
    this.#generation++;
    const applied = this.#note({ ...told, outcome: 'applied' });
    tell(applied, loaded.warnings);
    return applied;
  }

  #refused(about: About, dryRun: boolean): Generation {
    if (dryRun) return this.#made({ ...about, outcome: 'refused' });
    const refused = this.#note({ ...about, outcome: 'refused' });
    this.#deps.told(refused, []);
    return refused;
  }

  #note(about: About & { readonly outcome: ReloadOutcome }): Generation {
    const generation = this.#made(about);
    this.#generations.push(generation);
    if (this.#generations.length > GENERATIONS_MAX) this.#generations.shift();
    this.#deps.stats.counter('config_reloads', about.outcome).add(1);
    this.#deps.stats.gauge('config_generation').set(this.#generation);
    this.#deps.stats.gauge('config_checksum').set(Number.parseInt(this.#sha256.slice(0, 8), 16));
    return generation;
  }

  #made(about: About & { readonly outcome: ReloadOutcome }): Generation {
    const time = new Date(this.#deps.clock.wallMs()).toISOString();
    return { changes: [], afterRestart: [], errors: [], ...about, generation: this.#generation, time };
  }
}

/** Tells each in the log. */
export function logGenerations(log: Log): ReloaderDeps['told'] {
  return ({ outcome, by, generation, changes, afterRestart, errors }, warnings) => {
    for (const warning of warnings) log.warn(renderDiagnostic(warning));
    if (errors.length > 0) {
      const what = outcome === 'refused' ? 'is refused' : 'could not be put in force';
      log.error(`a new configuration ${what}; the old one stays`, { by, errors: errors.join('\n') });
      return;
    }
    log.info('a new configuration is in force', {
      by,
      generation,
      changes: changes.join('\n'),
      ...(afterRestart.length > 0 && { afterRestart: afterRestart.join('\n') }),
    });
  };
}

type About = Pick<Generation, 'by' | 'sha256'> & Partial<Generation>;

function linesOf(changes: readonly Change[]): Pick<Generation, 'changes' | 'afterRestart'> {
  const lines = (restart: boolean): string[] =>
    changes.filter((change) => change.restart === restart).map(({ line }) => line);
  return { changes: lines(false), afterRestart: lines(true) };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
