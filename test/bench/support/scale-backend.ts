/**
 * The backend of the scale bench: one nginx worker that answers on every address 127.x.y.z, so that one name
 * can have ten thousand endpoints, and keeps as many connections open. Only loopback is answered.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nginxCommand } from './nginx.ts';
import { freePorts, startProgram } from './processes.ts';

export type ScaleBackend = { readonly folder: string; readonly port: number; close(): Promise<void> };

export async function startScaleBackend(): Promise<ScaleBackend> {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-scale-'));
  try {
    const [port = 0] = await freePorts(1);
    const file = join(folder, 'backend.conf');
    writeFileSync(file, configuration(folder, port));
    const running = await startProgram('load', ...nginxCommand(folder, file), `http://127.0.0.1:${port}/`);
    return {
      folder,
      port,
      async close() {
        await running.end();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function configuration(folder: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(folder, kind)};`,
  );
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${join(folder, 'backend.pid')};
error_log stderr crit;
events { worker_connections 19000; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  ${temporary.join('\n  ')}
  server {
    listen 0.0.0.0:${port} backlog=4096;
    allow 127.0.0.0/8;
    deny all;
    location = / { default_type text/plain; return 200 "${'0123456789'.repeat(6)}12345678\\n"; }
  }
}
`;
}
