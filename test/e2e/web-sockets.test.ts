/** WebSocket clients as people use them: the `ws` package and a browser, through the built program. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { Agent, type ClientRequest, createServer, request } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { type Browser, chromium } from 'playwright-core';
import { WebSocket, WebSocketServer } from 'ws';
import { CertificateAuthority } from '../../src/certs.ts';
import { type Mesh, startMesh } from './mesh.ts';

const BROWSER = '/usr/bin/chromium';
const noBrowser = existsSync(BROWSER) ? false : `no browser: ${BROWSER} is not installed`;
const DTAB = '/svc/chat => /svc/chat-v2';
const PAGE = '<!doctype html><title>page</title>';

type Chat = { readonly port: number; close(): void };

/** Greets with its name and the name that it was called by, and sends back what it gets. */
async function startChat(name: string, tls?: { cert: string; key: string }): Promise<Chat> {
  const page = (_: unknown, response: import('node:http').ServerResponse) =>
    response.setHeader('content-type', 'text/html').end(`${PAGE}${name}`);
  const server = tls === undefined ? createServer(page) : createSecureServer(tls, page);
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, { headers }) => {
    socket.send(`${name} as ${headers['l5d-dst-service'] ?? 'nobody'}`);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Opens each connection through `CONNECT` at a proxy, as agents for proxies do. */
class ConnectAgent extends Agent {
  readonly #port: number;
  readonly #tls: object | undefined;

  constructor(port: number, tls?: object) {
    super();
    this.#port = port;
    this.#tls = tls;
    // What the client checks its URI against.
    if (tls !== undefined) Object.assign(this, { protocol: 'https:' });
  }

  override createConnection(
    { host, port }: { host?: string | null; port?: number | string | null },
    done: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const options = { host: '127.0.0.1', port: this.#port, method: 'CONNECT', path: `${host}:${port}` };
    const fail = (error: Error): void => done(error, undefined as unknown as Duplex);
    request({ ...options, agent: false })
      .on('connect', ({ statusCode }, socket) => {
        if (statusCode !== 200) fail(new Error(`CONNECT: ${statusCode}`));
        else if (this.#tls === undefined) done(null, socket);
        else done(null, connectTls({ ...this.#tls, socket, servername: host ?? '' }));
      })
      .on('error', fail)
      .end();
  }
}

/** What a client hears: the greeting, and what it says come back. */
function talk(client: WebSocket): Promise<string[]> {
  const heard: string[] = [];
  const say = ['text', 'x'.repeat(70_000)];
  return new Promise((resolve, reject) => {
    client.on('error', reject);
    client.on('unexpected-response', (_, { statusCode }) => reject(new Error(`status ${statusCode}`)));
    client.on('message', (data) => {
      heard.push(String(data));
      const next = say[heard.length - 1];
      if (next === undefined) client.close(4001, 'done');
      else client.send(next);
    });
    client.on('close', (code) => (code === 4001 ? resolve(heard) : reject(new Error(`closed: ${code}`))));
  });
}

const heardFrom = (greeting: string): string[] => [greeting, 'text', 'x'.repeat(70_000)];

describe('WebSockets through the built program', () => {
  let mesh: Mesh;
  let authority: CertificateAuthority;
  const chats: Chat[] = [];

  before(async () => {
    mesh = await startMesh();
    authority = await CertificateAuthority.create({ commonName: 'test authority' });
    const { certPem, keyPem } = await authority.issue({ commonName: 'chat', dnsNames: ['chat'] });
    for (const name of ['chat', 'chat-v2', 'chat:443']) {
      const chat = await startChat(name, name.endsWith('443') ? { cert: certPem, key: keyPem } : undefined);
      chats.push(chat);
      mesh.point(name, chat.port);
    }
  });
  after(async () => {
    for (const chat of chats) chat.close();
    assert.equal(await mesh.stop(), 0);
  });

  it('reach the service that the Host names', async () => {
    const at = `ws://127.0.0.1:${mesh.port}/room`;
    const plain = await talk(new WebSocket(at, { headers: { host: 'chat' } }));
    assert.deepEqual(plain, heardFrom('chat as /svc/chat'));
    const overridden = await talk(new WebSocket(at, { headers: { host: 'chat', 'l5d-dtab': DTAB } }));
    assert.deepEqual(overridden, heardFrom('chat-v2 as /svc/chat'));
  });

  it('reach the service that an absolute target names', async () => {
    const finishRequest = (sent: ClientRequest): void => {
      sent.path = 'http://chat/room';
      sent.end();
    };
    for (const headers of [{}, { 'l5d-dtab': DTAB }]) {
      const client = new WebSocket(`ws://127.0.0.1:${mesh.port}`, { headers, finishRequest });
      const name = 'l5d-dtab' in headers ? 'chat-v2' : 'chat';
      assert.deepEqual(await talk(client), heardFrom(`${name} as /svc/chat`));
    }
  });

  it('reach it through a CONNECT, where the handshake brings the override', async () => {
    const agent = new ConnectAgent(mesh.port);
    const plain = await talk(new WebSocket('ws://chat/room', { agent }));
    assert.deepEqual(plain, heardFrom('chat as /svc/chat'));
    const headers = { 'l5d-dtab': DTAB };
    const overridden = await talk(new WebSocket('ws://chat/room', { agent, headers }));
    assert.deepEqual(overridden, heardFrom('chat-v2 as /svc/chat'));
  });

  it('reach it through a CONNECT with TLS from end to end', async () => {
    const agent = new ConnectAgent(mesh.port, { ca: authority.certPem });
    const heard = await talk(new WebSocket('wss://chat/room', { agent }));
    assert.deepEqual(heard, heardFrom('chat:443 as nobody'));
  });

  it('are refused with the status of the failure when the name leads nowhere', async () => {
    await assert.rejects(talk(new WebSocket(`ws://127.0.0.1:${mesh.port}`)), /status 502/);
  });

  describe('of a browser', { skip: noBrowser }, () => {
    let browser: Browser;
    before(async () => {
      browser = await chromium.launch({
        executablePath: BROWSER,
        args: [
          ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
          ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
          `--proxy-server=http://127.0.0.1:${mesh.port}`,
          '--proxy-bypass-list=<-loopback>',
        ],
      });
    });
    after(() => browser?.close());

    /** In the page: connects, says one thing, and answers with all that it heard. */
    const inPage = (url: string): Promise<string[]> =>
      new Promise((resolve, reject) => {
        const heard: string[] = [];
        const client = new globalThis.WebSocket(url);
        client.onmessage = ({ data }) => {
          heard.push(String(data));
          if (heard.length === 1) client.send('from the page');
          else client.close(4001);
        };
        client.onerror = () => reject(new Error('the WebSocket failed'));
        client.onclose = () => resolve(heard);
      });

    it('reach the service, as do its pages and their requests with an override', async () => {
      const page = await browser.newPage();
      await page.goto('http://chat/');
      assert.equal(await page.textContent('body'), 'chat');
      const heard = await page.evaluate(inPage, 'ws://chat/room');
      assert.deepEqual(heard, ['chat as /svc/chat', 'from the page']);
      const fetched = await page.evaluate(
        async (headers) => (await fetch('http://chat/', { headers })).text(),
        { 'l5d-dtab': DTAB },
      );
      assert.equal(fetched, `${PAGE}chat-v2`);
    });

    it('reach it with TLS from end to end', async () => {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const page = await context.newPage();
      await page.goto('https://chat/');
      const heard = await page.evaluate(inPage, 'wss://chat/room');
      assert.deepEqual(heard, ['chat:443 as nobody', 'from the page']);
    });
  });
});
