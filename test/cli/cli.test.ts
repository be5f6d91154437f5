import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { freePorts, type Program, runProgram, startProgram } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-cli-'));
after(() => rmSync(folder, { recursive: true }));

const manifest: { version: string; engines: { node: string } } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

function configFile(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const yaml = (routerPort: number, adminPort: number): string => `admin: {ip: 127.0.0.1, port: ${adminPort}}
routers:
- protocol: http
  servers: [{port: ${routerPort}}]
  dtab: /svc => /$/inet/127.1/${adminPort};
`;

function statusOf(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/admin/ping', agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
}

/** A router in front of its own admin server, ready for requests. */
async function startRouter(words: (file: string) => string[]): Promise<{ program: Program; port: number }> {
  const [port = 0, adminPort = 0] = await freePorts(2);
  const program = startProgram(words(configFile('run.yaml', yaml(port, adminPort))));
  await program.says('\n');
  return { program, port };
}

describe('turnout', () => {
  it('prints its version and its usage', async () => {
    assert.deepEqual(await runProgram(['--version']), {
      code: 0,
      stdout: `turnout ${manifest.version}\n`,
      stderr: '',
    });
    const help = await runProgram(['--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /turnout validate CONFIG/);
    const ofRun = await runProgram(['run', '--help']);
    assert.match(ofRun.stdout, /^turnout run CONFIG\n/);
    assert.deepEqual(await runProgram(['help', 'run']), ofRun);
  });

  it('exits with 2 and one line at a mistake on the command line', async () => {
    const { code, stdout, stderr } = await runProgram(['run', '--nope']);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.equal(stderr, 'turnout: unknown option --nope of run. Try: turnout run --help\n');
  });

  it('takes a mistyped command for a configuration that is not there, and says what was meant', async () => {
    const { code, stderr } = await runProgram(['valdate']);
    assert.equal(code, 1);
    assert.equal(stderr, 'turnout: cannot read valdate: no such file. Did you mean: turnout validate?\n');
  });

  it('is content with a reader that has seen enough', async () => {
    const program = startProgram(['--help']);
    program.child.stdout?.destroy();
    assert.equal(await program.ended(), 0);
    assert.equal(program.stderr(), '');
  });

  it('says ok to a good configuration, from a file or from standard input, YAML or JSON', async () => {
    const good = { code: 0, stdout: 'ok\n', stderr: '' };
    assert.deepEqual(await runProgram(['validate', configFile('good.yaml', yaml(4140, 9990))]), good);
    assert.deepEqual(await runProgram(['-validate', '-'], yaml(4140, 9990)), good);
    const json = JSON.stringify({ routers: [{ protocol: 'http', servers: [{ port: 4140 }] }] });
    assert.deepEqual(await runProgram(['validate', '-'], json), good);
  });

  it('reports all mistakes of a configuration with their places, and exits with 1', async () => {
    const bad = configFile(
      'bad.yaml',
      'admin: {prot: 1}\nrouters:\n- protocol: http\n  servers: [{port: 70000}]\n',
    );
    for (const command of ['validate', 'run']) {
      const { code, stdout, stderr } = await runProgram([command, bad]);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /bad\.yaml:1:9 admin\.prot: /);
      assert.match(stderr, /bad\.yaml:4:20 routers\[0\]\.servers\[0\]\.port: /);
    }
  });

  it('reports TLS files that a real start could not use, and warns of those that are not there', async () => {
    const broken = configFile('broken.pem', 'hello');
    const missing = join(folder, 'missing.pem');
    const config = (file: string): string =>
      `routers:\n- protocol: http\n  servers: [{port: 4140, tls: {certPath: ${file}, keyPath: ${file}}}]\n`;
    const bad = await runProgram(['validate', '-'], config(broken));
    assert.equal(bad.code, 1);
    assert.match(
      bad.stderr,
      /^<stdin>: routers\[0\]\.servers\[0\]\.tls\.certPath: no certificate in ".*broken\.pem"/,
    );
    const absent = await runProgram(['validate', '-'], config(missing));
    assert.deepEqual([absent.code, absent.stdout], [0, 'ok\n']);
    assert.match(
      absent.stderr,
      /^warning: .*\.certPath: cannot read ".*missing\.pem": no such file; a start needs it$/m,
    );
  });

  it('says that a file cannot be read, and exits with 1', async () => {
    const { code, stderr } = await runProgram(['run', join(folder, 'absent.yaml')]);
    assert.equal(code, 1);
    assert.match(stderr, /^turnout: cannot read .*absent\.yaml: no such file\n$/);
    const binary = configFile('binary', '');
    writeFileSync(binary, Buffer.from([0xc3, 0x28]));
    const unreadable = await runProgram(['validate', binary]);
    assert.equal(unreadable.code, 1);
    assert.match(unreadable.stderr, /^turnout: cannot read .*binary: it is not UTF-8 text\n$/);
  });

  for (const threads of ['0', '1']) {
    it(`routes with --threads ${threads} until SIGTERM, which ends it with 0`, async () => {
      const { program, port } = await startRouter((file) => ['run', file, '--threads', threads]);
      try {
        assert.equal(await statusOf(port), 200);
        const [first = ''] = program.stdout().split('\n');
        assert.ok(first.includes(manifest.version) && first.includes(String(port)), first);
        program.child.kill('SIGTERM');
        assert.equal(await program.ended(), 0);
      } finally {
        program.child.kill('SIGKILL');
      }
    });
  }

  it('runs a configuration that comes from standard input', async () => {
    const [port = 0, adminPort = 0] = await freePorts(2);
    const program = startProgram(['-', '--threads', '0']);
    program.child.stdin?.end(yaml(port, adminPort));
    try {
      await program.says('\n');
      assert.equal(await statusOf(port), 200);
      program.child.kill('SIGINT');
      assert.equal(await program.ended(), 0);
    } finally {
      program.child.kill('SIGKILL');
    }
  });

  it('exits with 1 and names the port when one is taken', async () => {
    const { program, port } = await startRouter((file) => [file, '--threads', '0']);
    try {
      const [adminPort = 0] = await freePorts(1);
      const second = await runProgram(['run', configFile('second.yaml', yaml(port, adminPort))]);
      assert.equal(second.code, 1);
      assert.match(second.stderr, new RegExp(`${port}`));
    } finally {
      program.child.kill('SIGKILL');
      await program.ended();
    }
  });

  it('tells an older Node in one line what it needs, and exits with 2', async () => {
    const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '24.18.0' } });`;
    const program = startProgram(['--version'], {
      nodeOptions: ['--import', `data:text/javascript,${older}`],
    });
    assert.equal(await program.ended(), 2);
    assert.match(program.stderr(), /^turnout needs Node 24\.18\.1 or newer; .* is v[\d.]+\n$/);
  });
});
