/** The set-up of the fault table: a router process, endpoints in processes of their own, and load. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, type Program, startProgram } from '../cli/program.ts';
import { Load, type LoadOptions } from './load.ts';
import { Upstream } from './upstream.ts';

export type RigOptions = {
  readonly upstreams?: number;
  /** Ports of endpoints that nobody listens on. */
  readonly deadPorts?: readonly number[];
  /** YAML, in flow style, without the braces. */
  readonly admin?: string;
  readonly router?: string;
  readonly server?: string;
  readonly client?: string;
  readonly service?: string;
  /** Instead of names from files. */
  readonly namers?: string;
  readonly dtab?: string;
  /** RLIMIT_NOFILE of the router. */
  readonly descriptors?: number;
  readonly threads?: number;
  readonly nodeOptions?: string[];
};

/** As in package.json and the Dockerfile. */
const SHIPPED_OPTION = '--max-semi-space-size=4';
const SERVICE = 'responseClassifier: {kind: io.l5d.http.retryableRead5XX}';

/** Of rows that have not come to their end. */
const running = new Set<FaultRig>();

/** Ends the processes of rows that were given up. */
export async function endAll(): Promise<void> {
  for (const rig of running) await rig.close();
}

export class FaultRig {
  readonly folder = mkdtempSync(join(tmpdir(), 'turnout-faults-'));
  /** How often each POST has arrived at endpoints. */
  readonly posts = new Map<string, number>();
  readonly upstreams: Upstream[] = [];
  readonly #loads: Load[] = [];
  readonly #programs: Program[] = [];
  readonly #closing: (() => Promise<unknown>)[] = [];
  readonly #options: RigOptions;
  port = 0;
  admin = 0;

  private constructor(options: RigOptions) {
    this.#options = options;
  }

  static async start(options: RigOptions = {}): Promise<FaultRig> {
    const rig = new FaultRig(options);
    running.add(rig);
    for (let i = 0; i < (options.upstreams ?? 3); i++) rig.upstreams.push(new Upstream(`u${i}`, rig.posts));
    await Promise.all(rig.upstreams.map((upstream) => upstream.start()));
    const dead = options.deadPorts ?? [];
    rig.endpoints('web', [...rig.upstreams.map(({ port }) => port), ...dead]);
    [rig.port = 0, rig.admin = 0] = await freePorts(2);
    writeFileSync(rig.configFile, rig.config());
    await rig.startRouter();
    return rig;
  }

  get configFile(): string {
    return join(this.folder, 'linkerd.yaml');
  }

  get router(): Program {
    const last = this.#programs.at(-1);
    if (last === undefined) throw new Error('no router runs');
    return last;
  }

  get duplicated(): number {
    return [...this.posts.values()].filter((count) => count > 1).length;
  }

  /** The ports of a name, in the folder of io.l5d.fs. */
  endpoints(name: string, ports: readonly number[]): void {
    writeFileSync(join(this.folder, name), ports.map((port) => `127.0.0.1 ${port}\n`).join(''));
  }

  config(dtab = this.#options.dtab ?? '/svc => /#/io.l5d.fs'): string {
    const { namers, admin = '', router = '', server = '', client = '', service = SERVICE } = this.#options;
    return `admin: {port: ${this.admin}, ${admin}}
namers: ${namers ?? `[{kind: io.l5d.fs, rootDir: ${this.folder}}]`}
routers:
- protocol: http
  label: web
  dtab: ${dtab}
  servers: [{port: ${this.port}, ${server}}]
  client: {${client}}
  service: {${service}}
  ${router}
`;
  }

  async startRouter(): Promise<Program> {
    const { descriptors, threads = 1, nodeOptions = [SHIPPED_OPTION] } = this.#options;
    const words = ['run', this.configFile, '--threads', String(threads)];
    const program = startProgram(words, { nodeOptions, ...(descriptors && { descriptors }) });
    this.#programs.push(program);
    await program.says('is running');
    return program;
  }

  load(options: Partial<LoadOptions> = {}): Load {
    const load = new Load({ port: this.port, ...options });
    this.#loads.push(load);
    return load;
  }

  /** Something else to be closed at the end. */
  closes(close: () => Promise<unknown>): void {
    this.#closing.push(close);
  }

  async metrics(): Promise<Record<string, number>> {
    const response = await fetch(`http://127.0.0.1:${this.admin}/admin/metrics.json`);
    return (await response.json()) as Record<string, number>;
  }

  /** The sum of metrics of this name, wherever they are. */
  async metric(end: string): Promise<number> {
    const all = Object.entries(await this.metrics());
    return all.reduce((sum, [name, value]) => (name.endsWith(end) ? sum + value : sum), 0);
  }

  get openFiles(): number {
    return readdirSync(`/proc/${this.router.child.pid}/fd`).length;
  }

  /** In bytes. */
  get resident(): number {
    const status = readFileSync(`/proc/${this.router.child.pid}/status`, 'latin1');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  }

  /** CPU time used so far, in seconds. */
  get cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.router.child.pid}/stat`, 'latin1').split(') ')[1]?.split(' ');
    return (Number(fields?.[11]) + Number(fields?.[12])) / 100;
  }

  async close(): Promise<void> {
    running.delete(this);
    for (const load of this.#loads) void load.stop();
    for (const { child } of this.#programs) child.kill('SIGKILL');
    await Promise.all(this.#programs.map((program) => program.ended()));
    await Promise.all(this.upstreams.map((upstream) => upstream.kill()));
    for (const close of this.#closing.reverse()) await close();
    rmSync(this.folder, { recursive: true });
  }
}

/** Milliseconds until it is so, or Infinity. */
export async function timeUntil(done: () => boolean, limitMs: number): Promise<number> {
  const fromMs = performance.now();
  while (!done()) {
    if (performance.now() - fromMs > limitMs) return Number.POSITIVE_INFINITY;
    await delay(5);
  }
  return performance.now() - fromMs;
}
