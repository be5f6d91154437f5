/**
 * `npm run bench`: what one proxied request costs, beside nginx, HAProxy and the http-proxy library. CPU time
 * of the proxy's whole process tree is the measure, since throughput of a shared machine says little; rounds
 * go through the proxies in turn and medians are compared, so that what disturbs one disturbs all.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { cpuMicros, residentBytes } from './support/cpu-time.ts';
import {
  type ProxyName,
  proxyNames,
  type RunningProxy,
  startProxy,
  usualProxies,
} from './support/proxies.ts';
import { type Round, report } from './support/report.ts';
import { drive, makeRig, type Rig } from './support/rig.ts';
import { type Scenario, scenarios } from './support/scenarios.ts';

const help = `npm run bench -- [options]
  --rounds N       rounds of each scenario, every proxy in each (5)
  --seconds N      length of one measurement (4)
  --warmup N       seconds before the first round of a proxy (6)
  --scenarios A,B  of ${scenarios.map((scenario) => scenario.name).join(', ')}
  --proxies A,B    of ${proxyNames.join(', ')}
  --short          one round of a second: checks that it runs, its figures mean nothing
`;

type Settings = {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmup: number;
  readonly scenarios: readonly Scenario[];
  readonly proxies: readonly ProxyName[];
};

function settingsOf(words: readonly string[]): Settings {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      ...{ rounds: text, seconds: text, warmup: text, scenarios: text, proxies: text },
      ...{ short: flag, help: flag },
    },
  });
  if (values.help) throw new Error(help);
  const number = (given: string | undefined, usual: number): number => {
    const value = given === undefined ? usual : Number(given);
    if (!(value > 0 && value <= 1000)) throw new Error(`not a number from 1 to 1000: ${given}\n${help}`);
    return value;
  };
  const some = <T>(
    given: string | undefined,
    all: readonly T[],
    nameOf: (item: T) => string,
  ): readonly T[] => {
    if (given === undefined) return all;
    return given.split(',').map((name) => {
      const found = all.find((item) => nameOf(item) === name);
      if (found === undefined) throw new Error(`unknown: ${name}\n${help}`);
      return found;
    });
  };
  return {
    rounds: number(values.rounds, values.short ? 1 : 5),
    seconds: number(values.seconds, values.short ? 1 : 4),
    warmup: number(values.warmup, values.short ? 1 : 6),
    scenarios: some(values.scenarios, scenarios, (scenario) => scenario.name),
    proxies: values.proxies === undefined ? usualProxies : some(values.proxies, proxyNames, (name) => name),
  };
}

/** Proxies whose program is not installed are left out, and it is said. */
function installed(names: readonly ProxyName[]): ProxyName[] {
  const needed: Readonly<Partial<Record<ProxyName, string>>> = { nginx: 'nginx', haproxy: 'haproxy' };
  return names.filter((name) => {
    const program = needed[name];
    if (program === undefined || has(program)) return true;
    console.error(`${name} is not installed: left out`);
    return false;
  });
}

const has = (program: string): boolean => spawnSync(program, ['-v'], { stdio: 'ignore' }).error === undefined;

/** Set by a signal: the measurement under way ends, then everything that was started. */
let interrupted = false;

async function measureScenario(
  rig: Rig,
  scenario: Scenario,
  settings: Settings,
): Promise<Map<ProxyName, Round[]>> {
  const proxies = new Map<ProxyName, RunningProxy>();
  const rounds = new Map<ProxyName, Round[]>();
  try {
    for (const name of settings.proxies) {
      const proxy = await startProxy(name, rig, scenario);
      proxies.set(name, proxy);
      rounds.set(name, []);
      await drive(rig, scenario, proxy.port, settings.warmup);
    }
    for (let i = 0; i < settings.rounds; i++) {
      for (const [name, proxy] of proxies) {
        if (interrupted) throw new Error('interrupted');
        const before = cpuMicros(proxy.pid);
        const load = await drive(rig, scenario, proxy.port, settings.seconds);
        rounds.get(name)?.push({
          microsPerRequest: (cpuMicros(proxy.pid) - before) / load.requests,
          requestsPerSecond: load.requests / load.seconds,
          errors: load.errors,
          residentBytes: residentBytes(proxy.pid),
        });
      }
    }
  } finally {
    for (const proxy of proxies.values()) await proxy.end();
  }
  return rounds;
}

async function main(): Promise<number> {
  let settings: Settings;
  try {
    settings = settingsOf(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 2;
  }
  for (const program of ['wrk', 'nginx', 'taskset']) {
    if (has(program)) continue;
    console.error(`bench needs ${program} (Debian: apt-get install wrk nginx haproxy util-linux)`);
    return 1;
  }
  settings = { ...settings, proxies: installed(settings.proxies) };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true;
    });
  }
  const rig = await makeRig();
  const results = new Map<Scenario, Map<ProxyName, Round[]>>();
  try {
    for (const scenario of settings.scenarios) {
      console.error(`${scenario.name}: ${scenario.about}`);
      results.set(scenario, await measureScenario(rig, scenario, settings));
    }
  } finally {
    await rig.close();
  }
  console.log(report(results));
  const all = [...results.values()].flatMap((proxies) => [...proxies.values()].flat());
  return all.some((round) => !Number.isFinite(round.microsPerRequest)) ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  return interrupted ? 130 : 1;
});
