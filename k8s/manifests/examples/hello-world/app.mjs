// hello and world: an HTTP server that answers its TEXT and, if it has a TARGET, what the target says. The
// target is called by name through the router (HTTP_PROXY), and the context headers (l5d-ctx-*) are passed
// on, so that what was asked of one request holds for the calls that it causes.
import { createServer, request } from 'node:http';

const { TEXT, TARGET, POD_IP, PORT, HTTP_PROXY } = process.env;

createServer(async (incoming, answer) => {
  const own = `${TEXT} (${POD_IP})`;
  try {
    answer.end(TARGET ? `${own} ${await call(TARGET, incoming.headers)}` : `${own}!!`);
  } catch (error) {
    answer.writeHead(502).end(`${own}: no answer from ${TARGET}: ${error.message}\n`);
  }
}).listen(Number(PORT));

function call(name, headers) {
  const context = Object.entries(headers).filter(([key]) => key.startsWith('l5d-ctx-'));
  const { hostname, port } = new URL(`http://${HTTP_PROXY}`);
  const options = { host: hostname, port, path: `http://${name}/`, timeout: 5000 };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...options, headers: { ...Object.fromEntries(context), host: name } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part) => (body += part)).on('error', reject);
      response.on('end', () => resolve(body));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('none within 5 s'))).on('error', reject).end();
  });
}

process.on('SIGTERM', () => process.exit(0));
