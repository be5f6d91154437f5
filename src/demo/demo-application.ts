/**
 * The process of an application of the demo, on a port of its own choice, which it tells its parent. `hello`
 * asks `world` through the HTTP proxy that it was given, as a program with `http_proxy` in its environment
 * does, and passes the context headers of its request on. That is all an application has to do for
 * per-request routing and tracing to reach across it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { http } from '../base/http.ts';

const CALL_TIMEOUT_MS = 10_000;
const BODY_BYTES_MAX = 64 * 1024;

type Handler = (incoming: IncomingMessage, answer: ServerResponse) => void;

/** Answers `Hello ` and what world says. */
const hello =
  (proxyPort: number): Handler =>
  (incoming, answer) => {
    incoming.resume();
    call(proxyPort, 'world', contextHeaders(incoming)).then(
      ({ status, body }) => {
        answer.statusCode = status === 200 ? 200 : 502;
        answer.end(status === 200 ? `Hello ${body}` : `hello: world answered ${status}: ${body}`);
      },
      (error: Error) => {
        answer.statusCode = 502;
        answer.end(`hello: no answer from world: ${error.message}\n`);
      },
    );
  };

const world =
  (text: string): Handler =>
  (incoming, answer) => {
    incoming.resume();
    answer.end(`${text}\n`);
  };

function contextHeaders(incoming: IncomingMessage): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(incoming.headersDistinct).flatMap(([name, values]) =>
      name.startsWith('l5d-ctx-') && values !== undefined ? [[name, values]] : [],
    ),
  );
}

/** A request in the form that goes to a proxy: the whole URL as its target. */
function call(
  proxyPort: number,
  host: string,
  headers: Record<string, string[]>,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: proxyPort,
      path: `http://${host}/`,
      headers: { ...headers, host },
      timeout: CALL_TIMEOUT_MS,
    };
    const outgoing = http.request(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (body.length < BODY_BYTES_MAX) body += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`none within ${CALL_TIMEOUT_MS} ms`)));
    outgoing.on('error', reject);
    outgoing.end();
  });
}

const [name, argument = ''] = process.argv.slice(2);
const server = http.createServer(name === 'hello' ? hello(Number(argument)) : world(argument));
// Ctrl-C goes to the whole group: the demo ends its applications when the requests under way are done.
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
