/** A router process as an operator runs it, with an fs namer, and small applications for it to route to. */

import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, type Program, startProgram } from '../cli/program.ts';

export type Mesh = {
  readonly port: number;
  readonly admin: number;
  readonly program: Program;
  /** Replaces the address file of a service, as a deployment tool does: written beside it, then renamed. */
  point(service: string, ...ports: number[]): void;
  metrics(): Promise<Record<string, number>>;
  rssBytes(): number;
  stop(): Promise<number | string>;
};

export async function startMesh(options: { threads?: number; router?: string } = {}): Promise<Mesh> {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-e2e-'));
  const disco = mkdtempSync(join(folder, 'disco-'));
  const [port = 0, admin = 0] = await freePorts(2);
  const config = join(folder, 'linkerd.yaml');
  writeFileSync(
    config,
    `admin: {port: ${admin}, shutdownGraceMs: 2000}
namers: [{kind: io.l5d.fs, rootDir: ${disco}}]
routers:
- protocol: http
  dtab: /svc => /#/io.l5d.fs
  servers: [{port: ${port}}]
${options.router ?? ''}`,
  );
  const program = startProgram(['run', config, '--threads', String(options.threads ?? 1)]);
  await program.says('is running');
  return {
    port,
    admin,
    program,
    point(service, ...ports) {
      const file = join(folder, 'next');
      writeFileSync(file, ports.map((each) => `127.0.0.1 ${each}\n`).join(''));
      renameSync(file, join(disco, service));
    },
    async metrics() {
      const response = await fetch(`http://127.0.0.1:${admin}/admin/metrics.json`);
      return (await response.json()) as Record<string, number>;
    },
    rssBytes() {
      const status = readFileSync(`/proc/${program.child.pid}/status`, 'utf8');
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
    },
    async stop() {
      program.child.kill('SIGTERM');
      const code = await program.ended();
      rmSync(folder, { recursive: true });
      return code;
    },
  };
}

export type Application = { readonly port: number; close(): Promise<void> };

export async function startApplication(listener: RequestListener, port = 0): Promise<Application> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** An application that answers every request with its name. */
export const named =
  (name: string): RequestListener =>
  (request, response) => {
    request.resume();
    response.end(name);
  };
