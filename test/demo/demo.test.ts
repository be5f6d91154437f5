import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { get, type RequestOptions } from 'node:http';
import { get as getTls } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { freePorts, type Program, startProgram } from '../cli/program.ts';

const temporary = mkdtempSync(join(tmpdir(), 'turnout-test-'));
after(() => rmSync(temporary, { recursive: true }));

function startDemo(outgoing: number, incoming: number, admin: number): Program {
  const ports = ['--outgoing-port', outgoing, '--incoming-port', incoming, '--admin-port', admin].map(String);
  return startProgram(['demo', ...ports], { env: { TMPDIR: temporary } });
}

function fetchText(
  send: typeof get,
  options: RequestOptions & { rejectUnauthorized?: boolean },
): Promise<string> {
  return new Promise((resolve, reject) => {
    send({ host: '127.0.0.1', agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve(`${response.statusCode} ${text}`));
    }).on('error', reject);
  });
}

describe('turnout demo', () => {
  let ports: [outgoing: number, incoming: number, admin: number];
  let demo: Program;

  before(async () => {
    const [outgoing = 0, incoming = 0, admin = 0] = await freePorts(3);
    ports = [outgoing, incoming, admin];
    demo = startDemo(...ports);
    await demo.says('Ctrl-C ends it');
  });
  after(() => demo.child.kill('SIGKILL'));

  const throughProxy = (host: string, headers: Record<string, string> = {}) =>
    fetchText(get, { port: ports[0], path: `http://${host}/`, headers: { host, ...headers } });

  it('carries a call by name through both routers to hello, and from hello to world', async () => {
    assert.equal(await throughProxy('hello'), '200 Hello world!\n');
  });

  it('lets one request choose another version of world, two hops away', async () => {
    const headers = { 'l5d-dtab': '/host/world => /srv/world-v2' };
    assert.equal(await throughProxy('hello', headers), '200 Hello world v2!\n');
    assert.equal(await throughProxy('hello'), '200 Hello world!\n');
  });

  it('reaches the admin server through the TLS router', async () => {
    const headers = { 'l5d-dtab': `/svc => /$/inet/127.1/${ports[2]}` };
    const options = { port: ports[1], path: '/admin/ping', headers, rejectUnauthorized: false };
    assert.equal(await fetchText(getTls, options), '200 pong');
  });

  it('takes no plain text on the TLS port', async () => {
    await assert.rejects(fetchText(get, { port: ports[1], headers: { host: 'hello' } }));
  });

  it('follows an edit of an address file', async () => {
    const folder = /^Services and configuration: (.*)$/m.exec(demo.stdout())?.[1] ?? '';
    const other = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nedit!'),
      );
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    writeFileSync(join(folder, 'disco', 'world'), `127.0.0.1 ${(other.address() as AddressInfo).port}\n`);
    const deadline = Date.now() + 5000;
    let text = '';
    while (text !== '200 Hello edit!' && Date.now() < deadline) text = await throughProxy('hello');
    other.close();
    assert.equal(text, '200 Hello edit!');
  });

  it('names a taken port and the option that changes it, and exits with 1', async () => {
    const second = startDemo(...ports);
    assert.equal(await second.ended(), 1);
    const [first] = second.stderr().split('\n');
    assert.equal(first, `turnout: port ${ports[0]} (outgoing) is taken; choose another with --outgoing-port`);
    assert.equal(second.stdout(), '');
  });

  it('ends with 0 at Ctrl-C and leaves no file and no listener', async () => {
    assert.equal(readdirSync(temporary).length, 1);
    demo.child.kill('SIGINT');
    assert.equal(await demo.ended(), 0);
    assert.deepEqual(readdirSync(temporary), []);
    for (const port of ports) await assert.rejects(fetchText(get, { port }), /ECONNREFUSED/);
  });
});

if (spawnSync('curl', ['--version']).error === undefined) {
  describe('The commands that the demo prints', () => {
    it('print what they promise when they are pasted into a shell', async () => {
      const [outgoing = 0, incoming = 0, admin = 0] = await freePorts(3);
      const demo = startDemo(outgoing, incoming, admin);
      try {
        await demo.says('Ctrl-C ends it');
        const commands = demo.stdout().match(/^(http_proxy|curl).*$/gm) ?? [];
        const answers: string[] = [];
        for (const command of commands) {
          answers.push((await promisify(execFile)('sh', ['-c', command])).stdout.trimEnd());
        }
        assert.deepEqual(answers, ['Hello world!', 'Hello world v2!', 'pong']);
        demo.child.kill('SIGTERM');
        assert.equal(await demo.ended(), 0);
        assert.deepEqual(readdirSync(temporary), []);
      } finally {
        demo.child.kill('SIGKILL');
      }
    });
  });
}
