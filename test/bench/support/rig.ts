/** What all proxies of a run share: a folder, certificates, the backend, and the load generator. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CertificateAuthority } from '../../../src/certs.ts';
import { nginxCommand, nginxFrame } from './nginx.ts';
import { freePorts, pinned, type Running, startProgram } from './processes.ts';
import type { Scenario } from './scenarios.ts';

export type Rig = {
  readonly folder: string;
  readonly backendPort: number;
  /**
   * PEM files of an authority and of a certificate for `web`, the last with its key behind it for HAProxy.
   */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly certAndKey: string;
  close(): Promise<void>;
};

export type Load = { readonly requests: number; readonly seconds: number; readonly errors: number };

const CONNECTIONS = 64;
const SMALL_BODY = `${'0123456789'.repeat(6)}12345678\n`;

export async function makeRig(): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-bench-'));
  try {
    const write = (name: string, text: string): string => {
      const file = join(folder, name);
      writeFileSync(file, text);
      return file;
    };
    const authority = await CertificateAuthority.create({ commonName: 'bench CA' });
    const web = await authority.issue({ commonName: 'web', dnsNames: ['web'] });
    write('small', SMALL_BODY);
    write('big', 'x'.repeat(1024 * 1024));
    const [backendPort = 0] = await freePorts(1);
    const backend = await startBackend(folder, backendPort);
    return {
      folder,
      backendPort,
      ca: write('ca.pem', authority.certPem),
      cert: write('web.pem', web.certPem),
      key: write('web.key', web.keyPem),
      certAndKey: write('both.pem', web.certPem + web.keyPem),
      async close() {
        await backend.end();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function startBackend(folder: string, port: number): Promise<Running> {
  const file = join(folder, 'backend.conf');
  const server = `server {
    listen 127.0.0.1:${port} backlog=4096;
    location = / { default_type text/plain; return 200 "${SMALL_BODY.trim()}\\n"; }
    location = /big { default_type text/plain; alias ${join(folder, 'big')}; }
  }`;
  writeFileSync(file, nginxFrame(folder, 'backend', server));
  return startProgram('load', ...nginxCommand(folder, file), `http://127.0.0.1:${port}/`);
}

/** Drives one proxy as hard as it can for a while. */
export async function drive(rig: Rig, scenario: Scenario, port: number, seconds: number): Promise<Load> {
  const scheme = scenario.shape === 'tls' ? 'https' : 'http';
  const script = join(rig.folder, 'post.lua');
  if (scenario.postBytes > 0) {
    writeFileSync(script, `wrk.method = "POST"\nwrk.body = string.rep("x", ${scenario.postBytes})\n`);
  }
  const words = [
    ...['-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, '--timeout', '10s', '-H', 'Host: web'],
    ...scenario.headers.flatMap((header) => ['-H', header]),
    ...(scenario.postBytes > 0 ? ['-s', script] : []),
    `${scheme}://127.0.0.1:${port}${scenario.path}`,
  ];
  const [program, all] = pinned('load', 'wrk', words);
  const { stdout } = await promisify(execFile)(program, all);
  return parseWrk(stdout);
}

function parseWrk(text: string): Load {
  const total = /(\d+) requests in ([\d.]+)(ms|s|m)/.exec(text);
  if (total === null) throw new Error(`wrk printed something unknown:\n${text}`);
  const unit = { ms: 0.001, s: 1, m: 60 }[total[3] as 'ms' | 's' | 'm'];
  const count = (pattern: RegExp): number =>
    (pattern.exec(text)?.slice(1) ?? []).reduce((sum, digits) => sum + Number(digits), 0);
  const errors =
    count(/Non-2xx or 3xx responses: (\d+)/) +
    count(/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/);
  return { requests: Number(total[1]), seconds: Number(total[2]) * unit, errors };
}
