/**
 * nginx, as backend and as the peer to compare with: one worker, everything it writes inside the run's
 * folder.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Shape } from './scenarios.ts';

export type ProxyFiles = {
  readonly folder: string;
  readonly backendPort: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
};

export function nginxCommand(folder: string, file: string): [string, string[]] {
  return ['nginx', ['-p', folder, '-c', file, '-e', join(folder, 'nginx.err')]];
}

export function nginxFrame(folder: string, name: string, servers: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, `${name}-${kind}`)};`)
    .join('\n  ');
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${join(folder, `${name}.pid`)};
error_log stderr crit;
events { worker_connections 8192; }
http {
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  ${temporary}
  ${servers}
}
`;
}

/**
 * Writes the configuration of a proxy; `ports` are the public one and, for a mesh, the one between the two.
 */
export function nginxProxy(
  files: ProxyFiles,
  shape: Shape,
  ports: readonly [number, number],
): [string, string[]] {
  const toBackend = 'proxy_pass http://backend;';
  const toIncoming = `proxy_pass https://incoming; proxy_ssl_verify on; proxy_ssl_name web;
      proxy_ssl_server_name on; proxy_ssl_trusted_certificate ${files.ca}; proxy_ssl_protocols TLSv1.3;`;
  const server = (port: number, tls: boolean, pass: string): string => `server {
    listen 127.0.0.1:${port}${tls ? ' ssl' : ''} backlog=4096;
    ${tls ? `ssl_certificate ${files.cert}; ssl_certificate_key ${files.key}; ssl_protocols TLSv1.3;` : ''}
    location / {
      ${pass}
      proxy_http_version 1.1;
      proxy_max_temp_file_size 0;
      proxy_buffers 16 16k;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
    }
  }`;
  const upstream = (name: string, port: number): string =>
    `upstream ${name} { server 127.0.0.1:${port}; keepalive 128; keepalive_requests 1000000000; }`;
  const servers =
    shape === 'mesh'
      ? [
          upstream('incoming', ports[1]),
          server(ports[0], false, toIncoming),
          server(ports[1], true, toBackend),
        ]
      : [server(ports[0], shape === 'tls', toBackend)];
  const file = join(files.folder, `nginx-${shape}.conf`);
  const all = [upstream('backend', files.backendPort), ...servers].join('\n  ');
  writeFileSync(file, nginxFrame(files.folder, `nginx-${shape}`, all));
  return nginxCommand(files.folder, file);
}
