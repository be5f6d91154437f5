/** The http-proxy library as a program: what a Node proxy costs when it is built in the usual way. */
import { readFileSync } from 'node:fs';
import { Agent, createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer, Agent as TlsAgent } from 'node:https';
import httpProxy from 'http-proxy';

type Settings = {
  readonly shape: 'plain' | 'tls' | 'mesh';
  readonly ports: readonly [number, number];
  readonly backendPort: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
};

const settings: Settings = JSON.parse(process.argv[2] ?? '');
const read = (file: string): Buffer => readFileSync(file);
const identity = settings.shape === 'plain' ? {} : { cert: read(settings.cert), key: read(settings.key) };

function forward(options: httpProxy.ServerOptions): RequestListener {
  const proxy = httpProxy.createProxyServer(options);
  proxy.on('error', (_error, _request, response) => {
    if ('writeHead' in response) response.writeHead(502);
    response.end();
  });
  return (request, response) => proxy.web(request, response);
}

const toBackend = forward({
  target: `http://127.0.0.1:${settings.backendPort}`,
  agent: new Agent({ keepAlive: true }),
});

const [port, between] = settings.ports;
if (settings.shape === 'mesh') {
  const agent = new TlsAgent({ keepAlive: true, ca: read(settings.ca), servername: 'web' });
  createTlsServer(identity, toBackend).listen(between, '127.0.0.1');
  createServer(forward({ target: `https://127.0.0.1:${between}`, agent })).listen(port, '127.0.0.1');
} else if (settings.shape === 'tls') {
  createTlsServer(identity, toBackend).listen(port, '127.0.0.1');
} else {
  createServer(toBackend).listen(port, '127.0.0.1');
}
