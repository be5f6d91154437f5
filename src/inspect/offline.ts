/** Names by a configuration that does not run: its namers are made here, and watched only for a question. */
import { renderDiagnostic } from '../../config/errors.ts';
import { loadConfig } from '../../config/load.ts';
import type { LinkerSpec } from '../../config/spec.ts';
import { environmentProblems } from '../../namers/environment.ts';
import type { NamersDeps } from '../../namers/index.ts';
import { delegationJson } from '../admin/handlers/delegation-json.ts';
import type { Identification } from '../admin/sources.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { noStats } from '../base/stats.ts';
import { CannotRun, Mistake } from '../command.ts';
import { identifyBy } from '../identify.ts';
import { makeKubeApis } from '../kube-apis.ts';
import { Naming } from '../naming.ts';
import type { ConfigText } from '../read-config.ts';
import { clientTlsNames } from '../router-views.ts';
import { MetricsTree } from '../telemetry/metrics-tree.ts';
import type { EndpointHealth, Namings, RequestView } from './namings.ts';
import type { DelegationNode } from './node.ts';

const ADDRESSES_MS = 2000;

/** Throws CannotRun with every mistake of the text. */
export function specOf({ text, source }: ConfigText): LinkerSpec {
  const loaded = loadConfig(text, { source });
  if ('errors' in loaded) throw new CannotRun(loaded.errors.map(renderDiagnostic).join('\n'));
  return loaded.spec;
}

export class Offline implements Namings {
  readonly about: string;
  readonly spec: LinkerSpec;
  readonly #naming: Naming;
  readonly #close: () => void;

  /** `stub` answers for a configured namer, by its prefix. */
  constructor(spec: LinkerSpec, stub?: NamersDeps['stub']) {
    this.about = spec.source;
    this.spec = spec;
    if (stub === undefined) {
      const problems = environmentProblems(spec, process.env);
      if (problems.length > 0) throw new CannotRun(problems.join('\n'));
    }
    const metrics = new MetricsTree(systemClock);
    const kube = makeKubeApis(metrics, { log: silentLog });
    this.#close = () => {
      kube.close();
      metrics.close();
    };
    this.#naming = new Naming(spec, {
      clock: systemClock,
      log: silentLog,
      stats: noStats,
      kube: (place) => kube.at(place),
      env: process.env,
      ...(stub === undefined ? {} : { stub }),
    });
  }

  async routers(): Promise<readonly string[]> {
    return this.spec.routers.map(({ label }) => label);
  }

  async identify(request: RequestView): Promise<Readonly<Record<string, Identification>>> {
    const pairs = [['Host', request.host], ...request.headers.map(nameAndValue)];
    const { method, target } = request;
    const headers = pairs.flat();
    const ask = identifyBy(this.spec.routers, (...which) => this.#naming.ingress(...which));
    return ask({ method, uri: target, version: '1.1', headers });
  }

  async delegate(router: string, dtab: string, path: string): Promise<DelegationNode> {
    const answer = await this.#naming.delegate(router, dtab, path, true);
    if (answer.type === 'cannot') throw new Mistake(`there is no router ${router} in ${this.about}`);
    if (answer.type !== 'ok') throw new CannotRun(answer.message);
    const tls = clientTlsNames(() => this.spec.routers);
    const json = await delegationJson(answer.delegation, systemClock, ADDRESSES_MS, (id) => tls(router, id));
    return json as DelegationNode;
  }

  async names(): Promise<readonly string[]> {
    return this.#naming.boundNames();
  }

  async health(): Promise<ReadonlyMap<string, EndpointHealth>> {
    return new Map();
  }

  close(): void {
    this.#close();
  }
}

function nameAndValue(header: string): [string, string] {
  const colon = header.indexOf(':');
  return [header.slice(0, colon).trim(), header.slice(colon + 1).trim()];
}
