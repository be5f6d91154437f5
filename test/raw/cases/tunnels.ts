/** CONNECT, and requests inside: what is said in a tunnel is read as strictly as what is said without one. */
import {
  type ExpectedAnswer,
  type ExpectedRequest,
  GET,
  get,
  type RawCase,
  refused,
  SMUGGLED,
} from '../raw-case.ts';

const connect = (authority: string, ...lines: readonly string[]): string =>
  `CONNECT ${authority} HTTP/1.1\r\n${['Host: web:80', ...lines].join('\r\n')}\r\n\r\n`;
const CONNECT = connect('web:80');
/** RFC 9110 9.3.6: nothing frames what follows a 2xx to CONNECT. */
const established: ExpectedAnswer = {
  status: 200,
  head: true,
  fields: { 'content-length': undefined, 'transfer-encoding': undefined, connection: undefined },
};

const inside = (
  title: string,
  send: string | readonly string[],
  expectUpstream: readonly (string | ExpectedRequest)[],
  answers: RawCase['expectClient'],
  closed = false,
): RawCase => ({ title, send, expectUpstream, expectClient: [established, ...answers], closed });
/** Nothing of it goes on, and the tunnel ends. */
const bad = (title: string, bytes: string): RawCase =>
  inside(`inside a tunnel: ${title}`, `${CONNECT}${bytes}${SMUGGLED}`, [], [400], true);
const line = (text: string, ...lines: readonly string[]): string =>
  `${[text, ...lines].join('\r\n')}\r\n\r\n`;

const requests: readonly RawCase[] = [
  inside('a request right behind its CONNECT', CONNECT + GET, ['GET /x HTTP/1.1'], [200]),
  inside(
    'a CONNECT and a request of which every byte comes alone',
    [...CONNECT, ...GET],
    ['GET /x HTTP/1.1'],
    [200],
  ),
  inside(
    'requests with and without a body behind a CONNECT',
    `${CONNECT}${line('POST /y HTTP/1.1', 'Host: web', 'Content-Length: 5')}hello${GET}`,
    [{ line: 'POST /y HTTP/1.1', framing: 5, body: 'hello' }, 'GET /x HTTP/1.1'],
    [200, 200],
  ),
  {
    title: 'a request, a CONNECT, and a request inside',
    send: GET + CONNECT + GET,
    expectUpstream: ['GET /x HTTP/1.1', 'GET /x HTTP/1.1'],
    expectClient: [200, established, 200],
    closed: false,
  },
  inside(
    'the Host inside says who is meant, not the CONNECT',
    `${connect('evil:80')}${GET}`,
    ['GET /x HTTP/1.1'],
    [200],
  ),
  inside(
    'without a Host inside it is the authority of the CONNECT (RFC 9112 3.2.3), and no Host beside that',
    `${connect('nobody:80')}${line('GET /x HTTP/1.1', 'X: y')}${GET}`,
    ['GET /x HTTP/1.1'],
    [{ status: 502, body: /\/svc\/nobody:80/ }, 200],
  ),
  inside(
    'an absolute target inside wins over both (RFC 9112 3.2.2)',
    CONNECT + line('GET http://nobody/x HTTP/1.1', 'Host: web') + GET,
    ['GET /x HTTP/1.1'],
    [{ status: 502, body: /\/svc\/nobody\b/ }, 200],
  ),
  inside(
    'close inside ends the tunnel',
    CONNECT + get('Connection: close') + SMUGGLED,
    ['GET /x HTTP/1.1'],
    [200],
    true,
  ),
  inside(
    'h2c inside is not passed on (RFC 9113 3.1)',
    CONNECT + get('Connection: Upgrade', 'Upgrade: h2c'),
    [{ line: 'GET /x HTTP/1.1', fields: { upgrade: undefined, connection: undefined } }],
    [200],
  ),
  inside('an empty line before the request inside', `${CONNECT}\r\n${GET}`, ['GET /x HTTP/1.1'], [200]),
  bad('two empty lines before a request', '\r\n\r\n'),
  bad('a bare LF before a request', '\n'),
  bad('a bare CR before a request', '\r'),
  bad('a tab for the blank', line('GET\t/x HTTP/1.1', 'Host: web')),
  bad('a method that nobody knows, and tabs', line('BREW\t/x\tHTTP/1.1', 'Host: web')),
  bad('two blanks', line('GET  /x HTTP/1.1', 'Host: web')),
  bad('no version', line('GET /x', 'Host: web')),
  bad('bare LFs', 'GET /x HTTP/1.1\nHost: web\n\n'),
  bad('two Hosts (RFC 9112 3.2)', line('GET /x HTTP/1.1', 'Host: web', 'Host: evil')),
  bad('a folded Host (RFC 9112 5.2)', line('GET /x HTTP/1.1', 'Host:', ' web')),
  bad('a blank before a colon (RFC 9112 5.1)', line('GET /x HTTP/1.1', 'Host : web')),
  bad(
    'a length and chunks (RFC 9112 6.1)',
    `${line('POST /x HTTP/1.1', 'Host: web', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  ),
  bad('another CONNECT', CONNECT),
];

const heads: readonly RawCase[] = [
  inside(
    'a CONNECT of length 0',
    `${connect('web:80', 'Content-Length: 0')}${GET}`,
    ['GET /x HTTP/1.1'],
    [200],
  ),
  inside(
    'a CONNECT that asks for another protocol gets a tunnel and no other protocol',
    `${connect('web:80', 'Connection: Upgrade', 'Upgrade: websocket')}${GET}`,
    [{ line: 'GET /x HTTP/1.1', fields: { upgrade: undefined } }],
    [200],
  ),
  inside(
    'a CONNECT that expects gets no 100',
    `${connect('web:80', 'Expect: 100-continue')}${GET}`,
    ['GET /x HTTP/1.1'],
    [200],
  ),
  inside(
    'fields of a CONNECT are not those of the requests inside',
    `${connect('web:80', 'X-A: y', 'Cookie: a=b', 'l5d-dtab: /svc => /nowhere')}${GET}`,
    [{ line: 'GET /x HTTP/1.1', fields: { 'x-a': undefined, cookie: undefined, 'l5d-ctx-dtab': undefined } }],
    [200],
  ),
  refused(
    'a CONNECT with a length and chunks',
    `${connect('web:80', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  ),
  refused('a CONNECT with two Hosts (RFC 9112 3.2)', `${connect('web:80', 'Host: evil')}${GET}`),
  refused('a CONNECT without a Host (RFC 9112 3.2)', `${line('CONNECT web:80 HTTP/1.1', 'X: y')}${GET}`),
  refused('a CONNECT to a port that nobody allows', `${connect('web:22')}${GET}`, 403),
  refused('connect in lower case', `${line('connect web:80 HTTP/1.1', 'Host: web:80')}${GET}`),
  ...[
    'web',
    'web:',
    'web:x',
    'web:0',
    'web:65536',
    'web:+80',
    'web:-1',
    'web:80:80',
    'web:99999999999999999999',
    ':80',
    'me@web:80',
    'http://web:80',
    'web:80/',
    'web:80?x',
    'web:80#x',
    'web\\:80',
    'web%zz:80',
    '[::1',
    '[::1]',
    '::1:80',
    '[:::]:80',
    '[web]:80',
    'w\xe4b:80',
    'web\0:80',
  ].map((authority) =>
    refused(`a CONNECT to ${JSON.stringify(authority)} (RFC 9110 9.3.6)`, `${connect(authority)}${GET}`),
  ),
];

export const tunnels: readonly RawCase[] = [...requests, ...heads];
