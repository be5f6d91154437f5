import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type Application, type Mesh, startApplication, startMesh } from './mesh.ts';

const run = promisify(execFile);
const PIECE = Buffer.alloc(65536, 'turnout ');
const MEMORY_MAX = 150 * 1024 * 1024;

function missing(program: string): string | false {
  return spawnSync(program, ['--version']).error === undefined ? false : `${program} is not installed`;
}

/** Writes `length` bytes without holding more than a piece of them. */
function pour(
  length: number,
  out: { write(data: Buffer): boolean; end(): void; once(event: 'drain', go: () => void): unknown },
): void {
  let left = length;
  const go = (): void => {
    while (left > 0) {
      const piece = left >= PIECE.length ? PIECE : PIECE.subarray(0, left);
      left -= piece.length;
      if (!out.write(piece)) {
        out.once('drain', go);
        return;
      }
    }
    out.end();
  };
  go();
}

function digestOf(length: number): string {
  const hash = createHash('sha256');
  for (let left = length; left > 0; left -= PIECE.length)
    hash.update(left >= PIECE.length ? PIECE : PIECE.subarray(0, left));
  return hash.digest('hex');
}

function digest(stream: IncomingMessage): Promise<string> {
  const hash: Hash = createHash('sha256');
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => hash.update(chunk));
    stream.on('end', () => resolve(hash.digest('hex')));
    stream.on('error', reject);
    stream.on('aborted', () => reject(new Error('the body was cut')));
  });
}

/** /down/N answers with N bytes; anything else answers with the digest of what was sent to it. */
const service =
  (name: string) => async (incoming: IncomingMessage, response: import('node:http').ServerResponse) => {
    response.setHeader('x-service', name);
    const length = /^\/down\/(\d+)(\/chunked)?$/.exec(incoming.url ?? '');
    if (length === null) response.end(await digest(incoming));
    else {
      if (length[2] === undefined) response.setHeader('content-length', Number(length[1]));
      pour(Number(length[1]), response);
    }
  };

describe('callers through the outgoing router', () => {
  let router: Mesh;
  let web: Application;
  let shop: Application;
  before(async () => {
    router = await startMesh();
    web = await startApplication(service('web'));
    shop = await startApplication(service('shop'));
    router.point('web', web.port);
    router.point('shop', shop.port);
  });
  after(async () => {
    assert.equal(await router.stop(), 0);
    await web.close();
    await shop.close();
  });

  const send = (
    name: string,
    path: string,
    body: number | undefined,
    headers = {},
    agent?: Agent,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: router.port,
        path,
        agent: agent ?? false,
        headers: { host: name, ...headers },
      };
      const sent: ClientRequest = request(
        { ...options, method: body === undefined ? 'GET' : 'POST' },
        resolve,
      );
      sent.on('error', reject);
      if (body === undefined) sent.end();
      else pour(body, sent);
    });

  for (const length of [0, 1, 65536, 100 * 1000 * 1000]) {
    it(`carries a body of ${length} bytes intact, up and down, with a length and chunked`, async () => {
      const expected = digestOf(length);
      for (const headers of [{ 'content-length': length }, { 'transfer-encoding': 'chunked' }]) {
        const answer = await send('web', '/up', length, headers);
        let text = '';
        for await (const chunk of answer) text += String(chunk);
        assert.equal(text, expected);
      }
      for (const path of [`/down/${length}`, `/down/${length}/chunked`]) {
        assert.equal(await digest(await send('web', path, undefined)), expected);
      }
    });
  }

  it('needs less than 150 MB for all that', { skip: process.platform !== 'linux' && 'reads /proc' }, () => {
    assert.ok(router.rssBytes() < MEMORY_MAX, `${Math.round(router.rssBytes() / 1048576)} MB at the most`);
  });

  it('answers a keep-alive client on one connection, each request by its own name', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set();
    for (const name of ['web', 'shop', 'web', 'shop']) {
      const answer = await send(name, '/down/10', undefined, {}, agent);
      sockets.add(answer.socket);
      assert.equal(answer.headers['x-service'], name);
      await digest(answer);
    }
    assert.equal(sockets.size, 1);
    agent.destroy();
  });

  const proxy = () => ({
    env: { ...process.env, http_proxy: `http://127.0.0.1:${router.port}`, no_proxy: '' },
  });

  it('serves curl with http_proxy', { skip: missing('curl') }, async () => {
    const { stdout } = await run('curl', ['-si', 'http://shop/down/5'], proxy());
    assert.match(stdout, /^HTTP\/1\.1 200 OK\r\n[\s\S]*x-service: shop\r\n[\s\S]*\r\n\r\nturno$/);
  });

  it('serves wget with http_proxy', { skip: missing('wget') }, async () => {
    const { stdout } = await run('wget', ['-qO-', 'http://web/down/7'], proxy());
    assert.equal(stdout, 'turnout');
  });

  it('tells a caller of an unknown name which entry decided and what exists nearby', async () => {
    const answer = await send('wep', '/', undefined);
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    assert.equal(answer.statusCode, 502);
    assert.match(text, /^Unable to route request!\n\nservice name: \/svc\/wep\n/);
    assert.match(text, /linkerd\.yaml:5:9/);
    assert.match(text, /nearest names: .*web/);
    assert.match(text, /curl -s 'http:\/\/.*delegator\.json/);
  });

  it('tells a caller of a name that cannot be resolved which entry led there', async () => {
    const answer = await send('web', '/', undefined, { 'l5d-dtab': '/svc => /$/foo' });
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    assert.equal(answer.statusCode, 502);
    assert.match(text, /^Unknown namer: foo for path: \/\$\/foo\/web\n/);
    assert.match(text, /led here by \/svc=>\/\$\/foo/);
  });
});
