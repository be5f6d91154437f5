import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get, type RequestOptions } from 'node:http';
import { get as getTls } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { freePorts, type Program, startProgram } from '../cli/program.ts';
import { until } from '../support/until.ts';

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
    const folder = /^Address files of the services: (.*)$/m.exec(demo.stdout())?.[1] ?? '';
    const other = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nedit!'),
      );
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    writeFileSync(join(folder, 'world'), `127.0.0.1 ${(other.address() as AddressInfo).port}\n`);
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
    let demo: Program;
    let admin = 0;
    let commands: readonly string[];
    const shell = async (command: string): Promise<string> =>
      (await promisify(execFile)('sh', ['-c', command])).stdout.trimEnd();
    /** Pastes the command that begins so. */
    const paste = (beginning: string): Promise<string> => {
      const command = commands.find((each) => each.startsWith(beginning));
      assert.ok(command !== undefined, `no command begins with ${beginning}`);
      return shell(command);
    };
    const hello = (): Promise<string> => paste('http_proxy');
    const generations = async (): Promise<string[]> => {
      const url = `http://127.0.0.1:${admin}/config/generations.json`;
      const all = JSON.parse(await shell(`curl -s ${url}`)) as { outcome: string; generation: number }[];
      return all.map(({ outcome, generation }) => `${outcome} ${generation}`);
    };
    async function untilHello(wanted: string): Promise<void> {
      const deadline = Date.now() + 20_000;
      let said = '';
      while (said !== wanted && Date.now() < deadline) said = await hello();
      assert.equal(said, wanted);
    }

    before(async () => {
      const [outgoing = 0, incoming = 0, third = 0] = await freePorts(3);
      admin = third;
      demo = startDemo(outgoing, incoming, admin);
      await demo.says('Ctrl-C ends it');
      commands = demo.stdout().match(/^(http_proxy|curl|sed|echo|mv|kill).*$/gm) ?? [];
      assert.equal(commands.length, 7, demo.stdout());
    });
    after(() => demo.child.kill('SIGKILL'));

    it('print what they promise when they are pasted into a shell', async () => {
      const answers = [];
      for (const command of commands.slice(0, 3)) answers.push(await shell(command));
      assert.deepEqual(answers, ['Hello world!', 'Hello world v2!', 'pong']);
    });

    it('edit the configuration: the difference is printed and in force', async () => {
      await paste('sed');
      await demo.says('configuration applied (file): generation 2\n');
      await demo.says('  + routers[incoming].dtab: /host/world => /srv/world-v2\n');
      await untilHello('Hello world v2!');
    });

    it('break the configuration: it is refused with its place, and the one before stays in force', async () => {
      await paste('echo');
      await demo.says('configuration refused (file); generation 2 stays in force\n');
      await demo.says('| oops\n');
      assert.match(demo.stdout(), /turnout\.yaml:\d+:1: /);
      assert.equal(await hello(), 'Hello world v2!');
      await paste('mv');
      await demo.says('configuration applied (file): generation 3\n');
      await untilHello('Hello world!');
      assert.deepEqual(await generations(), ['applied 3', 'refused 2', 'applied 2', 'started 1']);
    });

    it('kill world: it is started again at another port, and hello goes on', async () => {
      await paste('kill');
      await demo.says('world ended (SIGTERM); it will be started again\n');
      await demo.says('world runs again, as process ');
      await untilHello('Hello world!');
    });

    it('leave nothing behind: no file, no process', async () => {
      const pids = ['hello', 'world', 'world-v2'].map((name) =>
        Number(readFileSync(join(temporary, readdirSync(temporary)[0] ?? '', `${name}.pid`), 'utf8')),
      );
      demo.child.kill('SIGTERM');
      assert.equal(await demo.ended(), 0);
      assert.deepEqual(readdirSync(temporary), []);
      await until(() => pids.every((pid) => !lives(pid)), 'the end of the applications');
    });

    it('end the applications also when the demo is killed', async () => {
      const [outgoing = 0, incoming = 0, third = 0] = await freePorts(3);
      const killed = startDemo(outgoing, incoming, third);
      await killed.says('Ctrl-C ends it');
      const folder = join(temporary, readdirSync(temporary)[0] ?? '');
      const pid = Number(readFileSync(join(folder, 'world.pid'), 'utf8'));
      assert.ok(lives(pid));
      killed.child.kill('SIGKILL');
      await killed.ended();
      await until(() => !lives(pid), 'the end of the application');
    });
  });
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
