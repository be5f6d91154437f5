import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runProgram } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-lint-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const config = (dtab: string): string => `namers:
- {kind: io.l5d.fs, rootDir: ${folder}}
routers:
- protocol: http
  servers: [{port: 4140}]
  dtab: |
${dtab.replace(/^/gm, '    ')}
`;

async function findings(dtab: string): Promise<[rule: string, line: number, column: number][]> {
  const { code, stdout } = await runProgram(['lint', '-', '-o', 'json'], config(dtab));
  const found: { rule: string; line: number; column: number }[] = JSON.parse(stdout);
  assert.equal(code, found.length === 0 ? 0 : 1);
  return found.map(({ rule, line, column }) => [rule, line, column]);
}

describe('turnout lint', () => {
  it('has nothing to say about a table whose entries are all used', async () => {
    assert.deepEqual(await findings('/srv => /#/io.l5d.fs;\n/svc => /srv;\n/svc/a => /$/inet/127.1/80;'), []);
  });

  it('finds entries that a later one always answers for', async () => {
    assert.deepEqual(await findings('/svc/a => /#/io.l5d.fs/b;\n/svc => /$/inet/127.1/80;'), [
      ['shadowed', 7, 5],
    ]);
    assert.deepEqual(await findings('/svc => /#/io.l5d.fs;\n/svc => /#/io.l5d.fs | !;'), [
      ['shadowed', 7, 5],
    ]);
  });

  it('finds entries that no name of the router comes to, and those that stand twice', async () => {
    assert.deepEqual(await findings('/srv => /#/io.l5d.fs;\n/svc => /#/io.l5d.fs;'), [['unreachable', 7, 5]]);
    assert.deepEqual(await findings('/svc => /#/io.l5d.fs;\n/svc => /#/io.l5d.fs;'), [['duplicate', 7, 5]]);
  });

  it('finds loops, at the entries that are on them', async () => {
    assert.deepEqual(await findings('/a => /b;\n/b => /a;\n/svc => /a;'), [
      ['loop', 7, 5],
      ['loop', 8, 5],
    ]);
    assert.deepEqual(await findings('/svc => /svc;'), [['loop', 7, 5]]);
    // Once an entry, however many ways lead around.
    assert.deepEqual(await findings('/svc => /#/io.l5d.fs; /svc/x => /svc/y; /svc/y => /svc/x;'), [
      ['loop', 7, 27],
      ['loop', 7, 45],
    ]);
  });

  it('finds namers that are not there, and shows the line with the nearest', async () => {
    assert.deepEqual(await findings('/svc => /#/io.l5d.ff;'), [['unknown-namer', 7, 5]]);
    assert.deepEqual(await findings('/svc => /$/nonsense/a;'), [['unknown-namer', 7, 5]]);
    const { code, stdout } = await runProgram(['lint', '-'], config('/svc => /#/io.l5d.ff;'));
    assert.equal(code, 1);
    assert.equal(
      stdout,
      '<stdin>:7:5: unknown-namer: no namer has the name /#/io.l5d.ff; did you mean /#/io.l5d.fs?\n' +
        '  7 |     /svc => /#/io.l5d.ff;\n    |     ^\n',
    );
  });

  it('reports what is not valid at all as validate does', async () => {
    const { code, stderr } = await runProgram(['lint', '-'], 'routers: 3\n');
    assert.equal(code, 1);
    assert.match(stderr, /<stdin>:1:10/);
  });
});

describe('turnout test', () => {
  const linkerd = file(
    'linkerd.yaml',
    config('/svc => /#/io.l5d.fs;\n/svc/cart => 9 * /#/io.l5d.fs/web & /#/io.l5d.fs/v2;'),
  );
  const good = `config: linkerd.yaml
answers:
  "/#/io.l5d.fs/web": 10.0.0.1:8080
  "/#/io.l5d.fs/v2": ["[::1]:80", 10.0.0.2:80]
  "/#/io.l5d.fs/down": "failed: not allowed"
  "/#/io.l5d.fs/none": empty
tests:
- {request: "http://web/a", expect: {bound: "/#/io.l5d.fs/web"}}
- {request: /svc/cart, expect: {weights: {"/#/io.l5d.fs/web": 90, "/#/io.l5d.fs/v2": 10}}}
- {request: "http://x", headers: {l5d-dtab: /svc/x => /svc/v2}, expect: {bound: "/#/io.l5d.fs/v2"}}
- {name: unknown, request: "http://nope", expect: {error: no-endpoints}}
- {request: "http://none", expect: {error: no-endpoints}}
- {request: "http://down", expect: {error: naming}}
`;

  it('holds requests and names against bound names, weights and errors, with the answers of the file', async () => {
    const { code, stdout, stderr } = await runProgram(['test', file('good.yaml', good)]);
    assert.equal(code, 0, stderr + stdout);
    assert.match(stdout, /^√ http:\/\/web\/a$/m);
    assert.match(stdout, /^6 of 6 hold$/m);
  });

  it('says what differs, writes JUnit, and exits with 1', async () => {
    const tests = file(
      'bad.yaml',
      good.replace('expect: {bound: "/#/io.l5d.fs/v2"}', 'expect: {error: naming}'),
    );
    const xml = join(folder, 'out.xml');
    const { code, stdout } = await runProgram(['test', tests, '--junit', xml]);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^× http:\/\/x\n {5}expected the error naming\n {5,}got \/#\/io\.l5d\.fs\/v2 \(as \/svc\/x\)$/m,
    );
    const written = readFileSync(xml, 'utf8');
    assert.match(written, /<testsuite name=".*bad\.yaml" tests="6" failures="1"/);
    assert.match(written, /<failure message="expected the error naming">/);
  });

  it('asks the real namers without answers', async () => {
    writeFileSync(join(folder, 'web'), '127.0.0.1 80\n');
    const tests = file('real.yaml', 'tests: [{request: /svc/web, expect: {bound: "/#/io.l5d.fs/web"}}]\n');
    const { code, stdout } = await runProgram(['test', tests, '--config', linkerd]);
    assert.equal(code, 0, stdout);
  });

  it('says where the file is wrong', async () => {
    const wrong = async (text: string): Promise<string> => (await runProgram(['test', '-'], text)).stderr;
    assert.match(await wrong('tests: []'), /<stdin>: tests: expected a list of tests/);
    assert.match(await wrong('tests: [{request: a, expect: {}}]'), /tests\[0\]\.expect: expected one of/);
    assert.match(await wrong('test: []'), /unknown key test; known: config, answers, tests/);
    assert.match(await wrong('{'), /<stdin>: /);
  });
});
