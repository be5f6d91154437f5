/** The order of things on a connection: pipelining, HTTP/1.0, Expect, HEAD, early answers, informational ones. */
import {
  answered,
  chunked,
  GET,
  get,
  OK,
  passes,
  post,
  type RawCase,
  refused,
  reply,
  SMUGGLED,
} from '../raw-case.ts';

const path = (name: string, ...lines: readonly string[]): string =>
  `GET /${name} HTTP/1.1\r\nHost: web\r\n${lines.map((each) => `${each}\r\n`).join('')}\r\n`;
const old = (...lines: readonly string[]): string =>
  `GET /x HTTP/1.0\r\n${['Host: web', ...lines].map((each) => `${each}\r\n`).join('')}\r\n`;
const early = 'HTTP/1.1 101 Switching Protocols\r\n\r\n';
const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const kept = { keepAlive: { connection: 'keep-alive' }, close: { connection: 'close' } };

const pipelining: readonly RawCase[] = [
  {
    title: 'three requests in one piece are answered in turn (RFC 9112 9.3.2)',
    send: path('1') + path('2') + path('3'),
    expectUpstream: ['GET /1 HTTP/1.1', 'GET /2 HTTP/1.1', 'GET /3 HTTP/1.1'],
    expectClient: [200, 200, 200],
    closed: false,
  },
  {
    title: 'a hundred requests in one piece',
    send: Array.from({ length: 100 }, (_, i) => path(`${i}`)).join(''),
    expectUpstream: Array.from({ length: 100 }, (_, i) => `GET /${i} HTTP/1.1`),
    expectClient: Array.from({ length: 100 }, () => 200),
    closed: false,
  },
  {
    title: 'requests of every kind of body in one piece',
    send:
      post('Content-Length: 5', 'hello') +
      chunked('5\r\nworld\r\n0\r\n\r\n') +
      GET +
      post('Content-Length: 6000', 'z'.repeat(6000)) +
      GET,
    expectUpstream: [
      { line: 'POST /x HTTP/1.1', body: 'hello' },
      { line: 'POST /x HTTP/1.1', body: 'world' },
      'GET /x HTTP/1.1',
      { line: 'POST /x HTTP/1.1', body: 'z'.repeat(6000) },
      'GET /x HTTP/1.1',
    ],
    expectClient: [200, 200, 200, 200, 200],
    closed: false,
  },
  {
    title: 'a second request cut in the middle of its head',
    send: [`${path('1')}GET /2 HT`, 'TP/1.1\r\nHost: web\r\n\r\n'],
    expectUpstream: ['GET /1 HTTP/1.1', 'GET /2 HTTP/1.1'],
    expectClient: [200, 200],
    closed: false,
  },
  {
    title: 'a bad request behind a good one: the good one is answered first',
    send: `${path('1')}GET /2 HTTP/1.1\r\nHost: a b\r\n\r\n${SMUGGLED}`,
    expectUpstream: ['GET /1 HTTP/1.1'],
    expectClient: [200, 400],
    closed: true,
  },
  {
    title: 'what comes after a request with close is not looked at (RFC 9112 9.6)',
    send: path('1', 'Connection: close') + SMUGGLED,
    expectUpstream: ['GET /1 HTTP/1.1'],
    expectClient: [{ status: 200, fields: kept.close }],
    closed: true,
  },
  {
    title: 'what comes after an HTTP/1.0 request is not looked at',
    send: old() + SMUGGLED,
    expectUpstream: ['GET /x HTTP/1.0'],
    expectClient: [{ status: 200, fields: kept.close }],
    closed: true,
  },
  {
    title: 'three requests, and then the end of the caller: all are answered',
    send: path('1') + path('2') + path('3'),
    hangUp: 'end',
    expectUpstream: ['GET /1 HTTP/1.1', 'GET /2 HTTP/1.1', 'GET /3 HTTP/1.1'],
    expectClient: [200, 200, 200],
    closed: true,
  },
  {
    title: 'the answer to a pipelined request is not mixed with the one before when that is cut',
    send: path('1') + path('2'),
    upstream: [{ write: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', finish: 'end' }],
    expectUpstream: ['GET /1 HTTP/1.1'],
    expectClient: [{ status: 200, cut: true }],
    closed: true,
  },
  {
    title: 'a failure in the middle of a pipeline: the others are answered',
    send: path('1') + path('2') + path('3'),
    upstream: [{ write: OK }, { write: 'garbage\r\n\r\n' }, { write: OK }],
    expectUpstream: ['GET /1 HTTP/1.1', 'GET /2 HTTP/1.1', 'GET /3 HTTP/1.1'],
    expectClient: [{ status: 200, body: 'ok' }, 502, { status: 200, body: 'ok' }],
    closed: false,
  },
];

const versions: readonly RawCase[] = [
  {
    ...passes('HTTP/1.0 without Host names nobody', 'GET /x HTTP/1.0\r\n\r\n'),
    expectUpstream: [],
    expectClient: [400],
    closed: true,
  },
  {
    ...passes('HTTP/1.0 is forwarded as HTTP/1.0 and closed', old(), {
      line: 'GET /x HTTP/1.0',
      fields: { connection: undefined, via: '1.0 turnout' },
    }),
    closed: true,
  },
  {
    ...passes(
      'HTTP/1.0 with keep-alive is kept (RFC 9112 9.3)',
      old('Connection: keep-alive'),
      'GET /x HTTP/1.0',
    ),
    expectClient: [{ status: 200, fields: kept.keepAlive }],
  },
  { ...passes('HTTP/1.0 with Keep-Alive in odd case', old('Connection: Keep-ALIVE'), 'GET /x HTTP/1.0') },
  {
    ...passes('HTTP/1.0 with keep-alive and close', old('Connection: keep-alive, close'), 'GET /x HTTP/1.0'),
    closed: true,
  },
  {
    title: 'a chunked answer to HTTP/1.0 is sent without chunks and ends with the connection (RFC 9112 6.1)',
    send: old('Connection: keep-alive'),
    upstream: [{ write: reply('Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\nX: y\r\n\r\n') }],
    expectUpstream: ['GET /x HTTP/1.0'],
    expectClient: [{ status: 200, framing: 'close', body: 'hello', fields: kept.close }],
    closed: true,
  },
  {
    title: 'a chunked answer to HTTP/1.0 that breaks off is a reset, not an end',
    send: old(),
    upstream: [{ write: reply('Transfer-Encoding: chunked', '5\r\nhello\r\n'), finish: 'end' }],
    expectUpstream: ['GET /x HTTP/1.0'],
    expectClient: [{ status: 200, cut: true }],
    closed: true,
  },
  {
    title: 'informational answers do not go to HTTP/1.0 (RFC 9110 15.2)',
    send: old(),
    upstream: [{ write: `${hints}HTTP/1.1 102 Processing\r\n\r\n${OK}` }],
    expectUpstream: ['GET /x HTTP/1.0'],
    expectClient: [{ status: 200, body: 'ok' }],
    closed: true,
  },
  {
    ...passes(
      'an HTTP/1.0 POST with a length',
      'POST /x HTTP/1.0\r\nHost: web\r\nContent-Length: 5\r\n\r\nhello',
      { line: 'POST /x HTTP/1.0', framing: 5, body: 'hello' },
    ),
    closed: true,
  },
  {
    ...passes(
      'Expect in HTTP/1.0 is not answered (RFC 9110 10.1.1)',
      'POST /x HTTP/1.0\r\nHost: web\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
      { line: 'POST /x HTTP/1.0', fields: { expect: undefined } },
    ),
    closed: true,
  },
];

const expecting: readonly RawCase[] = [
  {
    title: 'Expect: 100-continue is answered here and not sent on (RFC 9110 10.1.1)',
    send: [post(['Expect: 100-continue', 'Content-Length: 5']), 'hello'],
    expectUpstream: [{ line: 'POST /x HTTP/1.1', body: 'hello', fields: { expect: undefined } }],
    expectClient: [100, 200],
    closed: false,
  },
  {
    title: 'Expect: 100-continue with a chunked body',
    send: [chunked('', 'Expect: 100-continue'), '5\r\nhello\r\n0\r\n\r\n'],
    expectUpstream: [{ line: 'POST /x HTTP/1.1', body: 'hello' }],
    expectClient: [100, 200],
    closed: false,
  },
  passes(
    'Expect: 100-continue with the body right behind it is not answered',
    post(['Expect: 100-continue', 'Content-Length: 5'], 'hello'),
    { line: 'POST /x HTTP/1.1', body: 'hello' },
  ),
  passes('Expect: 100-continue without a body is not answered', get('Expect: 100-continue')),
  passes('Expect in odd case', post(['eXPECT: 100-Continue', 'Content-Length: 5'], 'hello'), {
    line: 'POST /x HTTP/1.1',
    body: 'hello',
  }),
  refused(
    'another expectation (RFC 9110 10.1.1)',
    post(['Expect: a-miracle', 'Content-Length: 5'], `hello${SMUGGLED}`),
    417,
  ),
  refused(
    '100-continue and another expectation',
    post(['Expect: 100-continue, more', 'Content-Length: 5'], `hello${SMUGGLED}`),
    417,
  ),
  refused(
    'another expectation in a second line',
    post(['Expect: 100-continue', 'Expect: more', 'Content-Length: 5'], `hello${SMUGGLED}`),
    417,
  ),
  refused('100-continue and a bad length: no 100', post(['Expect: 100-continue', 'Content-Length: 5x'])),
  {
    title: 'a 100 of the endpoint is not sent on: the caller has had one, or wanted none',
    send: GET,
    upstream: [{ write: `HTTP/1.1 100 Continue\r\n\r\n${OK}` }],
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [{ status: 200, body: 'ok' }],
    closed: false,
  },
];

const heads: readonly RawCase[] = [
  {
    title: 'HEAD: the length is told, no body comes (RFC 9110 9.3.2)',
    send: 'HEAD /x HTTP/1.1\r\nHost: web\r\n\r\n',
    expectUpstream: ['HEAD /x HTTP/1.1'],
    expectClient: [{ status: 200, head: true, fields: { 'content-length': '19' } }],
    closed: false,
  },
  {
    title: 'HEAD and GET in one piece',
    send: `HEAD /x HTTP/1.1\r\nHost: web\r\n\r\n${GET}`,
    upstream: [{ write: 'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n' }],
    expectUpstream: ['HEAD /x HTTP/1.1', 'GET /x HTTP/1.1'],
    expectClient: [{ status: 200, head: true, fields: { 'content-length': '900' } }, 200],
    closed: false,
  },
  {
    title: 'HEAD whose answer says chunked',
    send: 'HEAD /x HTTP/1.1\r\nHost: web\r\n\r\n',
    upstream: [{ write: reply('Transfer-Encoding: chunked') }],
    expectUpstream: ['HEAD /x HTTP/1.1'],
    expectClient: [{ status: 200, head: true, fields: { 'content-length': undefined } }],
    closed: false,
  },
  {
    title: 'HEAD answered with a body all the same: the endpoint is not used again',
    send: 'HEAD /x HTTP/1.1\r\nHost: web\r\n\r\n',
    upstream: [{ write: reply('Content-Length: 5', 'hello') }],
    expectUpstream: ['HEAD /x HTTP/1.1'],
    expectClient: [{ status: 200, head: true, fields: { 'content-length': '5' } }],
    closed: false,
  },
  {
    title: 'head in lower case is another method, and its answer has a body',
    send: 'head /x HTTP/1.1\r\nHost: web\r\n\r\n',
    upstream: [{ write: OK }],
    expectUpstream: ['head /x HTTP/1.1'],
    expectClient: [{ status: 200, body: 'ok' }],
    closed: false,
  },
  {
    title: 'HEAD that fails has a length and no body',
    send: 'HEAD /x HTTP/1.1\r\nHost: nobody\r\n\r\n',
    expectUpstream: [],
    expectClient: [{ status: 502, head: true }],
    closed: false,
  },
];

const informational: readonly RawCase[] = [
  answered('103 goes through (RFC 8297)', hints + OK, {
    status: 103,
    framing: 'none',
    fields: { link: '</a>' },
  }),
  answered('a 1xx that nobody knows goes through (RFC 9110 15.2)', `HTTP/1.1 199 Hm\r\n\r\n${OK}`, 199),
  answered(
    'a 1xx with a length has none (RFC 9110 8.6)',
    `HTTP/1.1 102 P\r\nContent-Length: 5\r\n\r\n${OK}`,
    { status: 102, framing: 'none' },
  ),
  answered(
    'a 1xx that says chunked has no body (RFC 9112 6.1)',
    `HTTP/1.1 102 P\r\nTransfer-Encoding: chunked\r\n\r\n${OK}`,
    { status: 102, framing: 'none', fields: { 'transfer-encoding': undefined } },
  ),
  answered(
    'a 1xx that says close is about the endpoint',
    `HTTP/1.1 102 P\r\nConnection: close, X\r\nX: y\r\n\r\n${OK}`,
    { status: 102, fields: { connection: undefined, x: undefined } },
  ),
].map((each) => ({ ...each, expectClient: [...each.expectClient, { status: 200, body: 'ok' }] }));

const floods: readonly RawCase[] = [
  {
    ...answered('sixteen informational answers', hints.repeat(16) + OK, 103),
    expectClient: [...Array.from({ length: 16 }, () => 103), { status: 200, body: 'ok' }],
  },
  {
    ...answered('a flood of 103 is cut off', hints.repeat(2000), 103),
    expectClient: [...Array.from({ length: 16 }, () => 103), 502],
  },
  answered('a flood of 100 is cut off', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(2000), 502),
  answered('a 101 that nobody asked for (RFC 9110 15.2.2)', `${early}${OK}`, 502),
  answered('a 101 to an h2c upgrade that was not passed on', `${early}PRI * HTTP/2.0`, 502),
];

const answers: readonly RawCase[] = [
  {
    title: "an answer before the body is complete closes the connection: the rest is nobody's (RFC 9112 9.3)",
    send: [post('Content-Length: 9000', 'hello'), SMUGGLED],
    upstream: [{ on: 'head', write: reply('Content-Length: 3', 'no!', 'HTTP/1.1 413 Too Large') }],
    expectUpstream: [],
    partial: true,
    expectClient: [{ status: 413, body: 'no!', fields: kept.close }],
    closed: true,
  },
  {
    title: 'an answer before the end of a chunked body',
    send: [chunked('5\r\nhello\r\n'), SMUGGLED],
    upstream: [{ on: 'head', write: OK }],
    expectUpstream: [],
    partial: true,
    expectClient: [{ status: 200, body: 'ok', fields: kept.close }],
    closed: true,
  },
  {
    title: 'an answer that begins before the body and ends after it',
    send: [post('Content-Length: 6000', 'z'.repeat(3000)), 'z'.repeat(3000)],
    upstream: [{ on: 'head', write: [reply('Content-Length: 40'), ...'done'.repeat(10)] }],
    expectUpstream: [{ line: 'POST /x HTTP/1.1', body: 'z'.repeat(6000) }],
    expectClient: [{ status: 200, body: 'done'.repeat(10), fields: kept.close }],
    closed: true,
  },
  {
    title: 'a chunked body that turns bad after the answer has begun: the answer is cut',
    send: [chunked('5\r\nhello\r\n'), 'xyz\r\n'],
    upstream: [{ on: 'head', write: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf' }],
    expectUpstream: [],
    partial: true,
    expectClient: [{ status: 200, cut: true }],
    closed: true,
  },
  {
    title: 'an answer before the body, and then the end of the endpoint',
    send: [post('Content-Length: 9000', 'hello'), 'more'],
    upstream: [{ on: 'head', write: reply('Content-Length: 3', 'no!', 'HTTP/1.1 403 No'), finish: 'end' }],
    expectUpstream: [],
    partial: true,
    expectClient: [{ status: 403, body: 'no!' }],
    closed: true,
  },
];

const traces: readonly RawCase[] = [
  {
    title: 'TRACE with Max-Forwards 0 is answered here (RFC 9110 7.6.2)',
    send: 'TRACE /x HTTP/1.1\r\nHost: web\r\nMax-Forwards: 0\r\n\r\n',
    expectUpstream: [],
    expectClient: [{ status: 200, body: /^/ }],
    closed: false,
  },
  {
    title: 'OPTIONS with Max-Forwards 0 is answered here (RFC 9110 7.6.2)',
    send: 'OPTIONS * HTTP/1.1\r\nHost: web\r\nMax-Forwards: 0\r\n\r\n',
    expectUpstream: [],
    expectClient: [{ status: 200, body: /^/ }],
    closed: false,
  },
  passes(
    'TRACE with Max-Forwards 3 goes on with 2',
    'TRACE /x HTTP/1.1\r\nHost: web\r\nMax-Forwards: 3\r\n\r\n',
    { line: 'TRACE /x HTTP/1.1', fields: { 'max-forwards': '2' } },
  ),
  passes('GET with Max-Forwards 0 goes on (RFC 9110 7.6.2)', get('Max-Forwards: 0'), {
    line: 'GET /x HTTP/1.1',
    fields: { 'max-forwards': '0' },
  }),
  {
    title: 'TRACE with a Max-Forwards that is no number',
    send: 'TRACE /x HTTP/1.1\r\nHost: web\r\nMax-Forwards: many\r\n\r\n',
    expectUpstream: [],
    expectClient: [400],
    closed: false,
  },
  {
    title: 'a bad l5d-dtab is refused and says nothing upstream',
    send: get('l5d-dtab: /svc => '),
    expectUpstream: [],
    expectClient: [400],
    closed: false,
  },
  passes('an l5d-dtab leaves as l5d-ctx-dtab, printed anew', get('l5d-dtab:  /a=>/b ;'), {
    line: 'GET /x HTTP/1.1',
    fields: { 'l5d-dtab': undefined, 'l5d-ctx-dtab': '/a=>/b' },
  }),
];

export const flow: readonly RawCase[] = [
  ...pipelining,
  ...versions,
  ...expecting,
  ...heads,
  ...informational,
  ...floods,
  ...answers,
  ...traces,
];
