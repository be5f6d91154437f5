/**
 * The certificates of one `tls` entry of a client section, shared by all clients that it decides for, and
 * replaceable: connections made with the old ones are let go, and no session of theirs is resumed.
 */
import type { SecureContext } from 'node:tls';
import type { TimerWheel } from '../../src/base/timer-wheel.ts';
import { Cohort } from './cohort.ts';
import type { SecureContexts } from './secure-contexts.ts';
import { SessionCache } from './session-cache.ts';
import type { ClientTlsMaterial } from './tls-material.ts';

export const CERTIFICATE_REPLACED =
  'the connection was made with a certificate that has been replaced, and certDrainSecs are over';

/** A connection of a client, once its peer has been verified. */
export interface ClientSide {
  /** No request is begun on it any more; closed when none is in progress. */
  retire(): void;
  /** Ends it, with what it carries. */
  cut(): void;
}

/** Certificates with the connections and sessions that were made with them. */
export type Generation = {
  readonly validate: boolean;
  readonly identified: boolean;
  readonly context: SecureContext;
  readonly sessions: SessionCache;
  readonly connections: Cohort<ClientSide>;
};

export type ClientMaterialDeps = {
  readonly contexts: SecureContexts;
  readonly wheel: TimerWheel;
  /** How long connections made with replaced certificates may live. */
  readonly drainMs: number;
};

export class ClientMaterial {
  readonly #deps: ClientMaterialDeps;
  /** Those in use. */
  material: ClientTlsMaterial;
  #current: Generation;

  constructor(material: ClientTlsMaterial, deps: ClientMaterialDeps) {
    this.#deps = deps;
    this.material = material;
    this.#current = generation(material, deps);
  }

  get current(): Generation {
    return this.#current;
  }

  get drainMs(): number {
    return this.#deps.drainMs;
  }

  replace(material: ClientTlsMaterial): void {
    this.material = material;
    const old = this.#current;
    this.#current = generation(material, this.#deps);
    old.connections.retire(this.#deps.drainMs);
  }

  /**
   * No entry of the configuration any more: what its clients still have open is let go, within the time of
   * the entry in its place.
   */
  retire(drainMs = this.#deps.drainMs): void {
    this.#current.connections.retire(drainMs);
  }
}

function generation(material: ClientTlsMaterial, { contexts, wheel }: ClientMaterialDeps): Generation {
  return {
    validate: !material.disableValidation,
    identified: material.identity !== undefined,
    context: contexts.client(material),
    sessions: new SessionCache(),
    connections: new Cohort({
      wheel,
      retire: (connection) => connection.retire(),
      cut: (connection) => connection.cut(),
    }),
  };
}
