import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer } from 'node:tls';
import { CertificateAuthority, type Issued } from '../../src/certs.ts';
import { freePorts, type Program, startProgram } from '../cli/program.ts';
import { type Application, startApplication } from './mesh.ts';

const BODY = randomBytes(5_000_000);
const DIGEST = createHash('sha256').update(BODY).digest('hex');

async function digestOf(stream: IncomingMessage): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

describe('two routers with TLS between them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-mesh-'));
  let outgoing = 0;
  let program: Program;
  let web: Application;
  let shop: Issued;

  before(async () => {
    web = await startApplication((incoming, response) => {
      if (incoming.method === 'GET') response.end(BODY);
      else void digestOf(incoming).then((digest) => response.end(digest));
    });
    const [out = 0, between = 0, admin = 0] = await freePorts(3);
    outgoing = out;
    const authority = await CertificateAuthority.create({ commonName: 'test authority' });
    shop = await authority.issue({ commonName: 'shop', dnsNames: ['shop'] });
    const leaf = await authority.issue({ commonName: 'web', dnsNames: ['web'] });
    const write = (name: string, text: string): string => {
      const file = join(folder, name);
      writeFileSync(file, text);
      return file;
    };
    const tls = { certPath: write('cert.pem', leaf.certPem), keyPath: write('key.pem', leaf.keyPem) };
    const bundle = write('ca.pem', authority.certPem);
    const config = {
      admin: { port: admin },
      routers: [
        {
          protocol: 'http',
          label: 'outgoing',
          dtab: `/svc => /$/inet/127.1/${between};`,
          servers: [{ port: out }],
          client: { tls: { commonName: 'web', trustCertsBundle: bundle } },
        },
        {
          protocol: 'http',
          label: 'incoming',
          dtab: `/svc => /$/inet/127.1/${web.port};`,
          servers: [{ port: between, tls }],
        },
      ],
    };
    program = startProgram(['run', write('config.json', JSON.stringify(config)), '--threads', '1']);
    await program.says('is running');
  });
  after(async () => {
    program.child.kill('SIGTERM');
    await program.ended();
    await web.close();
    rmSync(folder, { recursive: true });
  });

  const call = (method: string, headers: Record<string, string | number>): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: outgoing, method, agent: false as const };
      const sent = request({ ...options, headers: { host: 'web', ...headers } }, resolve);
      sent.on('error', reject);
      sent.end(method === 'GET' ? undefined : BODY);
    });

  it('carry many large bodies at once without mixing or losing a byte', async () => {
    const down = Array.from({ length: 8 }, () => call('GET', {}).then(digestOf));
    const up = Array.from({ length: 8 }, async (_, i) => {
      const framing = i % 2 === 0 ? { 'content-length': BODY.length } : { 'transfer-encoding': 'chunked' };
      let text = '';
      for await (const chunk of await call('POST', framing)) text += String(chunk);
      return text;
    });
    const digests = await Promise.all([...down, ...up]);
    assert.deepEqual([...new Set(digests)], [DIGEST]);
  });

  it('answer 502 and say which name was expected when the certificate bears another', async () => {
    const stranger = createServer({ cert: shop.certPem, key: shop.keyPem }, (socket) => socket.destroy());
    stranger.listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    const answer = await call('GET', { 'l5d-dtab': `/svc => /$/inet/127.1/${port}` });
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    stranger.close();
    assert.equal(answer.statusCode, 502);
    assert.match(text, /code: tls/);
    assert.match(text, /reason: .*"web".*shop/);
  });
});
