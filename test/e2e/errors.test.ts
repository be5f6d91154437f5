/**
 * Failures as an application developer meets them, at a router that runs: each answer has its code, and says
 * enough to know what to do.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Demo } from '../cli/demo.ts';
import { freePorts, type Program, startProgram } from '../cli/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnout-errors-'));
const sections = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

let demo: Demo;
let program: Program;
let silent: Server;
let port = 0;
let narrow = 0;
let nobody = 0;

before(async () => {
  demo = await Demo.start();
  silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const [first = 0, second = 0, admin = 0, fourth = 0] = await freePorts(4);
  [port, narrow, nobody] = [first, second, fourth];
  const { port: silentPort } = silent.address() as AddressInfo;
  const file = join(folder, 'linkerd.yaml');
  const tls = `tls: {commonName: other, trustCertsBundle: ${demo.folder}/ca.pem}`;
  writeFileSync(
    file,
    `admin: {port: ${admin}}
namers: [{kind: io.l5d.fs, rootDir: ${demo.folder}/disco}]
routers:
- protocol: http
  label: out
  servers: [{port: ${port}, maxCallDepth: 3}]
  dtab: |
    /svc => /#/io.l5d.fs;
    /svc/loop => /$/inet/127.0.0.1/${port};
    /svc/strict => /$/inet/127.0.0.1/${demo.incoming};
    /svc/plain => /$/inet/127.0.0.1/${demo.outgoing};
    /svc/nobody => /$/inet/127.0.0.1/${nobody};
    /svc/unknown => /$/inet/nosuch.invalid/80;
    /svc/silent => /$/inet/127.0.0.1/${silentPort};
    /svc/itself => /svc/itself;
  client:
    kind: io.l5d.static
    configs:
    - {prefix: /$/inet/127.0.0.1/${demo.incoming}, ${tls}}
    - {prefix: /$/inet/127.0.0.1/${demo.outgoing}, ${tls}}
  service:
    kind: io.l5d.static
    configs: [{prefix: /svc/silent, totalTimeoutMs: 200}]
- protocol: http
  label: narrow
  servers: [{port: ${narrow}, maxConcurrentRequests: 1}]
  dtab: /svc => /$/inet/127.0.0.1/${silentPort};
`,
  );
  program = startProgram(['run', file, '--threads', '1']);
  await program.says('is running');
});
after(async () => {
  program.child.kill('SIGTERM');
  await program.ended();
  silent.close();
  await demo.close();
  rmSync(folder, { recursive: true });
});

/** The whole answer to a head, up to the end of the connection. */
function answerTo(head: string, to = port): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(to, '127.0.0.1', () => socket.write(head));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

const get = (host: string, ...lines: string[]): string =>
  `${['GET / HTTP/1.1', `Host: ${host}`, 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`;

type Case = {
  readonly title: string;
  readonly head: () => string;
  readonly status: number;
  readonly code: string;
  /** What a developer needs to know. */
  readonly says: readonly RegExp[];
};

const cases: readonly Case[] = [
  {
    title: 'a misspelt host: the entry with its line, the answer of the namer, the nearest names',
    head: () => get('wrld'),
    status: 502,
    code: 'no-endpoints',
    says: [
      /^\/svc\/wrld does not exist$/m,
      /knows no such name; led here by \/svc=>.*linkerd\.yaml:8:5\); nearest names: \/#\/io\.l5d\.fs\/world/,
      /^explain: curl -s '.*path=\/svc\/wrld'$/m,
    ],
  },
  {
    title: 'a misspelt name in an override: the place in the override',
    head: () => get('world', 'l5d-dtab: /svc/world => /svc/wrld-v2 | !'),
    status: 502,
    code: 'no-endpoints',
    says: [/\/#\/io\.l5d\.fs\/wrld-v2: absent.*nearest names: .*world-v2/, /blocked.*\(l5d-dtab:1:1\)/],
  },
  {
    title: 'an override that does not parse: where, and what was expected',
    head: () => get('world', 'l5d-dtab: /svc/world -> /svc/hello'),
    status: 400,
    code: 'bad-dtab',
    says: [/^l5d-dtab:1:12: expected '=>' after the prefix, found '-'$/m],
  },
  {
    title: 'a table that leads back to itself: the entry that does',
    head: () => get('itself'),
    status: 502,
    code: 'naming',
    says: [/Max recursion level/, /led here by \/svc\/itself=>\/svc\/itself \(.*linkerd\.yaml:\d+:5\)/],
  },
  {
    title: 'endpoints that all refuse: which, and by what',
    head: () => get('nobody'),
    status: 502,
    code: 'connect',
    says: [/^addresses: \[127\.0\.0\.1:\d+\]$/m, /^reason: connect ECONNREFUSED 127\.0\.0\.1:\d+$/m],
  },
  {
    title: 'a host that DNS does not know: that it is DNS',
    head: () => get('unknown'),
    status: 502,
    code: 'no-endpoints',
    says: [/^client name: \/\$\/inet\/nosuch\.invalid\/80, which has no address: .*DNS.* does not know it/m],
  },
  {
    title: 'a certificate for another name: both names',
    head: () => get('strict'),
    status: 502,
    code: 'tls',
    says: [/expected the name "other", the certificate bears .*"world".*refused: wrong name/],
  },
  {
    title: 'a plain port that is asked for TLS: that it may not speak TLS',
    head: () => get('plain'),
    status: 502,
    code: 'tls',
    says: [/the peer may not speak TLS on this port/],
  },
  {
    title: 'an endpoint that does not answer in time: which, and whose limit',
    head: () => get('silent'),
    status: 503,
    code: 'total-timeout',
    says: [/^exceeded 200\.milliseconds to \/svc\/silent .*including retries.* Address: 127\.0\.0\.1:\d+$/m],
  },
  {
    title: 'a loop through the router itself: how deep',
    head: () => get('loop'),
    status: 400,
    code: 'call-depth',
    says: [/Maximum number of calls \(3\) has been exceeded.*loops/],
  },
  {
    title: 'a head that is too long: the limit and its key',
    head: () => get('world', `cookie: ${'x'.repeat(9000)}`),
    status: 431,
    code: 'head-too-long',
    says: [/8192 bytes \(maxHeadersKB\)\n$/],
  },
  {
    title: 'a line that is too long: the limit and its key',
    head: () => get('world').replace('/', `/${'x'.repeat(5000)}`),
    status: 414,
    code: 'line-too-long',
    says: [/4096 bytes \(maxInitialLineKB\)\n$/],
  },
  {
    title: 'a CONNECT to a port that is not allowed: those that are, and the key',
    head: () => 'CONNECT world:22 HTTP/1.1\r\nHost: world:22\r\n\r\n',
    status: 403,
    code: 'connect-refused',
    says: [/port 22 is not allowed: the allowed ports are 80, 443, .*connect\.ports/],
  },
];

describe('An error of a router that runs', () => {
  for (const { title, head, status, code, says } of cases) {
    it(`tells of ${title}`, async () => {
      const answer = await answerTo(head());
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(answer, new RegExp(`^turnout-err: ${code}\r$`, 'm'));
      for (const wanted of says) assert.match(answer, wanted);
      assert.match(sections, new RegExp(`^### ${code}$`, 'm'));
    });
  }

  it('tells of too much work which limits there are, and that the request may be sent elsewhere', async () => {
    const first = connect(narrow, '127.0.0.1', () => first.write(get('a')));
    first.on('error', () => {});
    // Refused while the first one is under way; until then this one takes its place.
    for (let answer = ''; !answer.includes('turnout-err: overloaded'); ) {
      answer = await Promise.race([answerTo(get('b'), narrow), answerTo(get('c'), narrow)]);
      assert.match(answer, /^HTTP\/1\.1 503 [\s\S]*safe to retry\n\nmaxConcurrentRequests .*maxLoopDelayMs/);
    }
    first.destroy();
  });
});
