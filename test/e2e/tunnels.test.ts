import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { createServer as createSecureServer, get as secureGet } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { CertificateAuthority } from '../../src/certs.ts';
import { freePorts, type Program, startProgram } from '../cli/program.ts';
import { until } from '../support/until.ts';
import { type Application, named, startApplication } from './mesh.ts';

const run = promisify(execFile);
const skipCurl = spawnSync('curl', ['--version']).error === undefined ? false : 'curl is not installed';

const CLOSE = 0x88;

/** Sends back every frame that it gets. */
function echoWebSocket(server: Server): void {
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    const key = `${incoming.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    // The greeting leaves in one piece with the 101.
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Accept: ${accept}\r\nx-dst: ${incoming.headers['l5d-dst-service']}\r\n\r\n\x81\x05hello`,
      'latin1',
    );
    let bytes = head;
    const read = (): void => {
      while (bytes.length >= 6) {
        const length = (bytes[1] as number) & 0x7f;
        if (bytes.length < 6 + length) return;
        const data = Buffer.from(bytes.subarray(6, 6 + length));
        for (let i = 0; i < length; i++) data[i] = (data[i] as number) ^ (bytes[2 + (i % 4)] as number);
        socket.write(Buffer.concat([Buffer.from([bytes[0] as number, length]), data]));
        if (bytes[0] === CLOSE) socket.end();
        bytes = bytes.subarray(6 + length);
      }
    };
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      read();
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
    read();
  });
}

async function listening(server: {
  listen(port: number, host: string): unknown;
  address(): unknown;
}): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server as never, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('tunnels through the built program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-tunnels-'));
  const sockets = createServer((_, response) => response.end('plain'));
  const greeter = createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.write('220 ready\r\n');
    socket.on('data', () => {});
    socket.on('error', () => {});
    socket.on('end', () => socket.end('bye\r\n'));
  });
  const apps: Application[] = [];
  let secure: ReturnType<typeof createSecureServer>;
  let authority = '';
  let program: Program;
  let ports = { out: 0, between: 0, fixed: 0, admin: 0 };

  before(async () => {
    echoWebSocket(sockets);
    const certificates = await CertificateAuthority.create({ commonName: 'test authority' });
    const issued = await certificates.issue({ commonName: 'web', dnsNames: ['web'] });
    authority = certificates.certPem;
    secure = createSecureServer({ cert: issued.certPem, key: issued.keyPem }, (_, response) =>
      response.end('secret'),
    );
    const web = await startApplication(named('web'));
    const v2 = await startApplication(named('web-v2'));
    apps.push(web, v2);
    const at = { web: web.port, v2: v2.port, ws: await listening(sockets) };
    const far = { secure: await listening(secure), greeter: await listening(greeter) };
    const [out = 0, between = 0, fixed = 0, admin = 0] = await freePorts(4);
    ports = { out, between, fixed, admin };
    const write = (name: string, text: string): string => {
      const file = join(folder, name);
      writeFileSync(file, text);
      return file;
    };
    const tls = { certPath: write('cert.pem', issued.certPem), keyPath: write('key.pem', issued.keyPem) };
    const inet = (port: number): string => `/$/inet/127.1/${port}`;
    const config = {
      admin: { port: admin, shutdownGraceMs: 300 },
      routers: [
        {
          protocol: 'http',
          label: 'outgoing',
          dtab: [
            `/svc/web => ${inet(at.web)}`,
            `/svc/v2 => ${inet(at.v2)}`,
            `/svc/web:8080 => /svc/web`,
            `/svc/web:443 => ${inet(far.secure)}`,
            `/svc/mail:443 => ${inet(far.greeter)}`,
            `/svc/dead:443 => ${inet(1)}`,
            `/svc/mesh => ${inet(between)}`,
          ].join(';'),
          servers: [{ port: out }],
          client: {
            kind: 'io.l5d.static',
            configs: [
              {
                prefix: `/$/inet/127.1/${between}`,
                tls: { commonName: 'web', trustCertsBundle: write('ca.pem', certificates.certPem) },
              },
            ],
          },
        },
        {
          protocol: 'http',
          label: 'incoming',
          dtab: `/svc => ${inet(at.ws)}`,
          servers: [{ port: between, tls }],
        },
        {
          protocol: 'http',
          label: 'fixed',
          identifier: { kind: 'io.l5d.static', path: '/ws' },
          dtab: `/svc => ${inet(at.ws)}`,
          servers: [{ port: fixed }],
        },
      ],
    };
    program = startProgram(['run', write('config.json', JSON.stringify(config)), '--threads', '1']);
    await program.says('is running');
  });
  after(async () => {
    program.child.kill('SIGTERM');
    await program.ended();
    for (const each of apps) await each.close();
    sockets.closeAllConnections();
    secure.closeAllConnections();
    for (const each of [sockets, secure, greeter]) each.close();
    rmSync(folder, { recursive: true });
  });

  const metric = async (name: string): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${ports.admin}/admin/metrics.json`);
    return ((await response.json()) as Record<string, number>)[name] ?? 0;
  };
  const tunnelMetric = (name: string): Promise<number> =>
    metric(`rt/outgoing/server/127.0.0.1/${ports.out}/tunnel/${name}`);

  const node = (script: string): Promise<{ stdout: string }> =>
    run(process.execPath, ['--input-type=module', '-e', script], {
      env: {
        ...process.env,
        NODE_USE_ENV_PROXY: '1',
        http_proxy: `http://127.0.0.1:${ports.out}`,
        https_proxy: `http://127.0.0.1:${ports.out}`,
        NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
        no_proxy: '',
      },
    });

  /** The connection after a CONNECT, and what came with the answer. */
  const tunnel = (
    target: string,
    headers = {},
    port = ports.out,
  ): Promise<{ socket: Socket; head: Buffer }> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, method: 'CONNECT', path: target, headers, agent: false };
      request(options)
        .on('connect', (answer, socket, head) => {
          if (answer.statusCode === 200) resolve({ socket: socket as Socket, head });
          else reject(new Error(`${answer.statusCode}`));
        })
        .on('error', reject)
        .end();
    });

  const readAll = async (socket: Socket, first: Buffer = Buffer.alloc(0)): Promise<string> => {
    const chunks: Buffer[] = [first];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('latin1');
  };

  it("serves Node's fetch with NODE_USE_ENV_PROXY=1, with an l5d-dtab too, by name and port", async () => {
    const { stdout } = await node(`
      const text = async (url, headers) => (await fetch(url, { headers })).text();
      const override = { 'l5d-dtab': '/svc/web => /svc/v2' };
      console.log(await text('http://web/'), await text('http://web:8080/'), await text('http://web/', override));
      console.log((await fetch('http://nobody/')).status);
    `);
    assert.equal(stdout, 'web web web-v2\n502\n');
    assert.ok((await tunnelMetric('http')) >= 3);
  });

  it("serves Node's fetch of an https URI", async () => {
    const { stdout } = await node("console.log(await (await fetch('https://web/')).text())");
    assert.equal(stdout, 'secret\n');
  });

  it('serves curl -p, keeps the connection, and refuses other ports', { skip: skipCurl }, async () => {
    const proxy = ['-sp', '-x', `http://127.0.0.1:${ports.out}`];
    const { stdout } = await run('curl', [...proxy, 'http://web/1', 'http://web/2']);
    assert.equal(stdout, 'webweb');
    const dtab = await run('curl', [...proxy, '-H', 'l5d-dtab: /svc/web => /svc/v2', 'http://web/']);
    assert.equal(dtab.stdout, 'web-v2');
    await assert.rejects(run('curl', [...proxy, '-S', 'http://web:25/']), /403/);
  });

  it('carries TLS from end to end, also to where an l5d-dtab of the CONNECT leads', async () => {
    for (const [target, headers] of [
      ['web:443', {}],
      ['other:443', { 'l5d-dtab': '/svc/other:443 => /svc/web:443' }],
    ] as const) {
      const { socket } = await tunnel(target, headers);
      const text = await new Promise<string>((resolve, reject) => {
        const createConnection = () => connectTls({ socket, servername: 'web', ca: authority });
        secureGet({ host: 'web', path: '/', createConnection }, async (answer) => {
          let body = '';
          for await (const chunk of answer) body += String(chunk);
          resolve(body);
        }).on('error', reject);
      });
      assert.equal(text, 'secret');
      socket.destroy();
    }
    assert.ok((await tunnelMetric('tls')) >= 2);
  });

  it('lets the server speak first, and either side end first', async () => {
    const { socket, head } = await tunnel('mail:443');
    const all = readAll(socket, head);
    await once(socket, 'data');
    socket.end();
    assert.equal(await all, '220 ready\r\nbye\r\n');
    await until(() => socket.destroyed, 'the end');
  });

  it('shows a failure after the 200 as a reset', async () => {
    const { socket } = await tunnel('dead:443');
    socket.write('\x16\x03\x01');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
  });

  const webSocket = async (url: string): Promise<string[]> => {
    const messages: string[] = [];
    const client = new WebSocket(url);
    client.onmessage = ({ data }) => {
      messages.push(String(data));
      if (messages.length === 1) client.send('one');
      else if (messages.length === 2) client.send('two'.repeat(30));
      else client.close();
    };
    await new Promise((resolve, reject) => {
      client.onclose = resolve;
      client.onerror = () => reject(new Error('the WebSocket failed'));
    });
    return messages;
  };

  it("serves Node's WebSocket", async () => {
    const messages = await webSocket(`ws://127.0.0.1:${ports.fixed}/chat`);
    assert.deepEqual(messages, ['hello', 'one', 'two'.repeat(30)]);
    assert.equal(await metric(`rt/fixed/server/127.0.0.1/${ports.fixed}/tunnel/upgrades`), 1);
  });

  const upgrade = (path: string): Promise<{ answer: IncomingMessage; socket: Socket; head: Buffer }> =>
    new Promise((resolve, reject) => {
      const headers = {
        host: 'elsewhere',
        connection: 'Upgrade',
        upgrade: 'h2c, websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'l5d-dtab': '/svc/elsewhere => /svc/mesh',
      };
      request({ host: '127.0.0.1', port: ports.out, path, headers, agent: false })
        .on('response', ({ statusCode }) => reject(new Error(`${statusCode} instead of 101`)))
        .on('upgrade', (answer, socket, head) => resolve({ answer, socket: socket as Socket, head }))
        .on('error', reject)
        .end();
    });

  it('carries a WebSocket through two routers with TLS between them', async () => {
    const { answer, socket, head } = await upgrade('/chat');
    assert.equal(answer.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.equal(answer.headers['x-dst'], '/svc/elsewhere');
    const all = readAll(socket, head);
    socket.write(Buffer.concat([Buffer.from([0x81, 0x82, 0, 0, 0, 0]), Buffer.from('hi')]));
    // The answer to what was said before the end must still come: half-close works through TLS.
    socket.end();
    assert.equal(await all, '\x81\x05hello\x81\x02hi');
  });

  it('is left with nothing when all tunnels have ended', async () => {
    const open = await connect(ports.out, '127.0.0.1');
    open.destroy();
    let left: string[] = [];
    const look = async (): Promise<boolean> => {
      const response = await fetch(`http://127.0.0.1:${ports.admin}/admin/metrics.json`);
      const metrics = (await response.json()) as Record<string, number>;
      const gauges = /\/(?:tunnel\/open|connections|pending|pool_size|pool_waiters)$/;
      left = Object.entries(metrics)
        .filter(([name, value]) => name.startsWith('rt/') && gauges.test(name) && value !== 0)
        .map(([name, value]) => `${name} = ${value}`);
      return left.length === 0;
    };
    // Idle connections to endpoints are kept for three seconds.
    for (let i = 0; i < 100 && !(await look()); i++) await new Promise((go) => setTimeout(go, 50));
    assert.deepEqual(left, []);
    if (process.platform === 'linux') {
      const open = readdirSync(`/proc/${program.child.pid}/fd`).length;
      assert.ok(open < 80, `${open} open files`);
    }
  });

  it('cuts what is still open when the grace period ends', async () => {
    const { socket } = await upgrade('/stays');
    socket.resume();
    const closed = once(socket, 'close').catch(() => {});
    socket.on('error', () => {});
    program.child.kill('SIGTERM');
    await closed;
    assert.equal(await program.ended(), 0);
  });
});
