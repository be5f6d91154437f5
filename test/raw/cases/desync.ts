/**
 * Ways of getting two parties to disagree that were published as attacks on other proxies and servers: 0.CL and
 * TE.0, expectations, upgrades that did not happen, lists with odd blanks, spoofed names, split answers.
 */
import {
  answered,
  chunked,
  type ExpectedRequest,
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

const with1 = (line: string, ...lines: readonly string[]): string =>
  `${[line, 'Host: web', ...lines].join('\r\n')}\r\n\r\n`;
const HELLO = '5\r\nhello\r\n0\r\n\r\n';
const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
const sees = (fields: ExpectedRequest['fields']): ExpectedRequest => ({
  line: 'GET /x HTTP/1.1',
  fields: fields ?? {},
});
const nobody = (title: string, send: string): RawCase => ({
  title,
  send,
  expectUpstream: [],
  expectClient: [{ status: [400, 502], body: /./ }],
  closed: false,
});

/** Whether a body is read must not depend on the method (0.CL, TE.0). */
const bodies: readonly RawCase[] = [
  ...['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PROPFIND', 'BREW'].flatMap((method): RawCase[] => {
    const line = `${method} /x HTTP/1.1`;
    const answer = method === 'HEAD' ? { status: 200, head: true } : { status: 200, body: /^/ };
    return [
      {
        title: `a length on ${method} is the length of its body (0.CL)`,
        send: with1(line, `Content-Length: ${SMUGGLED.length}`) + SMUGGLED + GET,
        expectUpstream: [{ line, framing: SMUGGLED.length, body: SMUGGLED }, 'GET /x HTTP/1.1'],
        expectClient: [answer, { status: 200, body: 'GET /x HTTP/1.1 0:' }],
        closed: false,
      },
      {
        title: `chunks on ${method} are its body (TE.0)`,
        send: with1(line, 'Transfer-Encoding: chunked') + HELLO + GET,
        expectUpstream: [{ line, framing: 'chunked', body: 'hello' }, 'GET /x HTTP/1.1'],
        expectClient: [answer, { status: 200, body: 'GET /x HTTP/1.1 0:' }],
        closed: false,
      },
    ];
  }),
  passes('chunks on OPTIONS * (TE.0)', with1('OPTIONS * HTTP/1.1', 'Transfer-Encoding: chunked') + HELLO, {
    line: 'OPTIONS * HTTP/1.1',
    body: 'hello',
  }),
  {
    title: 'TRACE with a body that is answered here: the body is not the next request (RFC 9110 9.3.8)',
    send:
      with1('TRACE /x HTTP/1.1', 'Max-Forwards: 0', `Content-Length: ${SMUGGLED.length}`) + SMUGGLED + GET,
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [{ status: 200, body: /^/ }, 200],
    closed: false,
  },
  {
    title: 'TRACE with a streamed body that is answered here: what follows is not trusted',
    send: with1('TRACE /x HTTP/1.1', 'Max-Forwards: 0', 'Transfer-Encoding: chunked') + SMUGGLED,
    expectUpstream: [],
    expectClient: [{ status: [200, 400], body: /^/ }],
    closed: true,
  },
  {
    title: 'an endpoint that answers a chunked GET before its end: the rest reaches no other request',
    send: [with1('GET /x HTTP/1.1', 'Transfer-Encoding: chunked'), `5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`],
    upstream: [{ on: 'head', write: OK }],
    expectUpstream: [],
    partial: true,
    expectClient: [{ status: 200, body: 'ok', fields: { connection: 'close' } }],
    closed: true,
  },
];

/** Expect has desynchronised those who forward it (RFC 9110 10.1.1). */
const expectations: readonly RawCase[] = [
  passes(
    'Expect twice alike',
    post(['Expect: 100-continue', 'Expect: 100-continue', 'Content-Length: 5'], 'hello'),
    {
      line: 'POST /x HTTP/1.1',
      body: 'hello',
      fields: { expect: undefined },
    },
  ),
  ...[
    '',
    'y 100-continue',
    '100-continuex',
    '100-continue;a=b',
    '100',
    '"100-continue"',
    '100-continue,100-continue',
    '100-continue\xa0',
  ].map((value) =>
    refused(`Expect: ${JSON.stringify(value)}`, get(`Expect: ${value}`, 'Content-Length: 5') + SMUGGLED, 417),
  ),
  refused('an Expect that is folded', get('Expect:', ' 100-continue') + SMUGGLED),
  passes(
    'Connection: Expect, on which the 100 still comes',
    post(['Connection: Expect', 'Expect: 100-continue', 'Content-Length: 5'], 'hello'),
    {
      line: 'POST /x HTTP/1.1',
      body: 'hello',
      fields: { expect: undefined },
    },
  ),
  {
    title: 'HEAD that expects: the 100 comes first, and its body is its own',
    send: [with1('HEAD /x HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 5'), `hello${GET}`],
    expectUpstream: [
      { line: 'HEAD /x HTTP/1.1', body: 'hello', fields: { expect: undefined } },
      'GET /x HTTP/1.1',
    ],
    expectClient: [100, { status: 200, head: true }, { status: 200, body: 'GET /x HTTP/1.1 0:' }],
    closed: false,
  },
  {
    title: 'a caller that expects and is refused by the endpoint does not get to say more',
    send: [post(['Expect: 100-continue', 'Content-Length: 9000']), SMUGGLED],
    upstream: [{ on: 'head', write: reply('Content-Length: 2', 'no', 'HTTP/1.1 417 No') }],
    expectUpstream: [],
    partial: true,
    expectClient: [100, { status: 417, body: 'no', fields: { connection: 'close' } }],
    closed: true,
  },
  {
    title: '100 of the endpoint, and then its answer, to a body that is still coming',
    send: [post(['Expect: 100-continue', 'Content-Length: 9000']), 'z'.repeat(9000)],
    upstream: [{ on: 'request', write: ['HTTP/1.1 100 Continue\r\n\r\n', OK] }],
    expectUpstream: [{ line: 'POST /x HTTP/1.1', framing: 9000 }],
    expectClient: [100, { status: 200, body: 'ok' }],
    closed: false,
  },
];

const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 99'];
const upgrades: readonly RawCase[] = [
  {
    title: 'an upgrade that the endpoint refuses with 426: what follows are requests',
    send: get(...upgrade) + GET,
    upstream: [{ write: reply(['Upgrade: websocket', 'Content-Length: 2'], 'no', 'HTTP/1.1 426 No') }],
    expectUpstream: ['GET /x HTTP/1.1', 'GET /x HTTP/1.1'],
    expectClient: [{ status: 426, body: 'no', fields: { upgrade: undefined } }, 200],
    closed: false,
  },
  {
    title: 'an upgrade that the endpoint answers with 200: what follows are requests',
    send: get(...upgrade) + GET,
    upstream: [{ write: reply(['Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 2'], 'ok') }],
    expectUpstream: ['GET /x HTTP/1.1', 'GET /x HTTP/1.1'],
    expectClient: [
      { status: 200, body: 'ok', fields: { upgrade: undefined, connection: 'keep-alive' } },
      200,
    ],
    closed: false,
  },
  ...[
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    reply(['Connection: Upgrade', 'Upgrade: h2c'], '', 'HTTP/1.1 101 S'),
    reply(['Upgrade: websocket'], '', 'HTTP/1.1 101 S'),
    reply(['Connection: Upgrade', 'Upgrade: websocket, h2c'], '', 'HTTP/1.1 101 S'),
  ].map(
    (answer): RawCase => ({
      title: `a 101 that is not the one asked for: ${JSON.stringify(answer.slice(9))}`,
      send: get(...upgrade) + GET,
      upstream: [{ write: answer + EVIL }],
      expectUpstream: ['GET /x HTTP/1.1', 'GET /x HTTP/1.1'],
      expectClient: [502, 200],
      closed: false,
    }),
  ),
  passes(
    'an Upgrade with a byte above ASCII in its token asks for nothing',
    get('Connection: Upgrade', 'Upgrade: websocket\xa0'),
    sees({ upgrade: undefined }),
  ),
  passes(
    'a Connection with a byte above ASCII beside its token names nothing',
    get('Connection: \xa0Upgrade', 'Upgrade: websocket'),
    sees({ upgrade: undefined }),
  ),
  passes('an upgrade of a request with a body', post([...upgrade, 'Content-Length: 5'], 'hello'), {
    line: 'POST /x HTTP/1.1',
    body: 'hello',
    fields: { upgrade: undefined },
  }),
];

const connection: readonly RawCase[] = [
  {
    ...passes('Connection: close, Host', get('Connection: close, Host'), sees({ host: 'web' })),
    closed: true,
  },
  passes(
    'close with a byte above ASCII beside it is not close',
    get('Connection: close\xa0'),
    sees({ connection: undefined }),
  ),
  passes(
    'a field named with a byte above ASCII beside it stays',
    get('Connection: X-A\xa0', 'X-A: y'),
    sees({ 'x-a': 'y' }),
  ),
  passes(
    'Connection cannot take away what is said of the certificate of a caller, and a caller cannot say it',
    get('Connection: X-Forwarded-Client-Cert', 'X-Forwarded-Client-Cert: Hash=0'),
    sees({ 'x-forwarded-client-cert': undefined }),
  ),
  passes(
    'nor with an underscore, which is the same name to CGI and WSGI',
    get('X_Forwarded_Client_Cert: Hash=0', 'x-forwarded_client-cert: Hash=1'),
    sees({ x_forwarded_client_cert: undefined, 'x-forwarded_client-cert': undefined }),
  ),
  passes('other names with underscores stay', get('X_Other: y'), sees({ x_other: 'y' })),
  answered(
    'an answer whose Connection names its cookies and type loses them, and nothing else',
    reply(
      ['Connection: Set-Cookie, Content-Type', 'Set-Cookie: a=b', 'Content-Type: x/y', 'Content-Length: 2'],
      'ok',
    ),
    { status: 200, body: 'ok', fields: { 'set-cookie': undefined, 'content-type': undefined } },
  ),
  {
    title: 'an endpoint that keeps its connection for no time at all',
    send: GET + GET,
    upstream: [{ write: reply(['Keep-Alive: timeout=0', 'Content-Length: 2'], 'ok') }],
    expectUpstream: ['GET /x HTTP/1.1', 'GET /x HTTP/1.1'],
    expectClient: [{ status: 200, body: 'ok' }, 200],
    closed: false,
  },
];

const hosts: readonly RawCase[] = [
  ...[
    'web:99999',
    'web:65536',
    'web:00080',
    'web:',
    'web,evil',
    'web;evil',
    'web%00',
    'web%0d%0aX',
    'web%2fevil',
    'web%40evil',
    '%77eb',
    'web.',
    "web'",
    '[::1]',
    '[::ffff:127.0.0.1]:80',
  ].map((host) =>
    nobody(`Host: ${host} names nobody and is not decoded`, with1('GET /x HTTP/1.1').replace('web', host)),
  ),
  ...[
    ':80',
    ':',
    '[fe80::1%25eth0]',
    '[fe80::1%eth0]',
    '[v1.x]',
    '[]',
    '[::1]x',
    '[::1]:x',
    '[:::]',
    '[1.2.3.4]',
    '[1:2:3:4:5:6:7:8:9]',
    '[::1]]',
    '[.]:80',
    'web:80,web',
    'web\t evil',
    'web%',
    'web%0',
    'web%zz',
    '%',
  ].map((host) =>
    refused(
      `Host: ${JSON.stringify(host)} (RFC 9112 3.2)`,
      with1('GET /x HTTP/1.1').replace('web', host) + SMUGGLED,
    ),
  ),
  ...[
    'http://web:/x',
    'http://web:99999/x',
    'http://web:0x50/x',
    'http://web:080x/x',
    'http://web:-1/x',
    'http://[fe80::1%25eth0]/x',
    'http://[::1]evil/x',
    'http://[:::]/x',
    'http://[1.2.3.4]:80/x',
    'http://@web/x',
    'http://:@web/x',
    'http://web%/x',
    'http://:/x',
    'HTTP:web/x',
    '/\x7fx',
  ].map(
    (target): RawCase => ({
      ...refused(`the target ${JSON.stringify(target)}`, with1(`GET ${target} HTTP/1.1`)),
      // A port that is odd and no more makes another name.
      ...(/web:(?:99999)?\//.test(target) ? { expectClient: [502], closed: false } : {}),
    }),
  ),
  refused(
    'an absolute target and a Host in a folded line',
    'GET http://web/x HTTP/1.1\r\nHost: web\r\n evil\r\n\r\n',
  ),
  passes(
    'an absolute target of which the query holds an @ and a colon',
    with1('GET http://web?@evil:80 HTTP/1.1'),
    { line: 'GET /?@evil:80 HTTP/1.1', fields: { host: 'web' } },
  ),
];

const forwards = (value: string, status: number, upstream: readonly ExpectedRequest[]): RawCase => ({
  title: `TRACE with Max-Forwards: ${value}`,
  send: with1('TRACE /x HTTP/1.1', ...value.split('|').map((each) => `Max-Forwards: ${each}`)),
  expectUpstream: upstream,
  expectClient: [{ status, body: /^/ }],
  closed: false,
});
const counted = (value: string): readonly ExpectedRequest[] => [
  { line: 'TRACE /x HTTP/1.1', fields: { 'max-forwards': value } },
];
const loops: readonly RawCase[] = [
  forwards('-1', 400, []),
  forwards('+1', 400, []),
  forwards('1.0', 400, []),
  forwards('', 400, []),
  forwards('0x1', 400, []),
  forwards('99999999999', 400, []),
  forwards('1|0', 400, []),
  forwards('007', 200, counted('6')),
  forwards('00', 200, []),
];

const LINES = 'HTTP/1.1 200 OK%0d%0aX: y';
const splitting: readonly RawCase[] = [
  passes(
    'an l5d-dtab whose labels hold line breaks',
    get('l5d-dtab: /a => /b\\x0d\\x0aX:y'),
    sees({ 'l5d-ctx-dtab': '/a=>/\\x62\\x0d\\x0a\\x58\\x3a\\x79', x: undefined }),
  ),
  {
    title: 'a bad l5d-dtab comes back encoded in l5d-err',
    send: get('l5d-dtab: /a => \xe9%0d%0a"<>'),
    expectUpstream: [],
    expectClient: [{ status: 400, body: /./ }],
    closed: false,
  },
  answered(
    'a reason that looks like escaped lines stays one line',
    `${LINES}\r\nContent-Length: 2\r\n\r\nok`,
    {
      status: 200,
      body: 'ok',
      fields: { x: undefined },
    },
  ),
  answered(
    'a value that looks like escaped lines stays one value',
    reply(['X: a%0d%0aY: b\\r\\nZ: c', 'Content-Length: 2'], 'ok'),
    {
      status: 200,
      body: 'ok',
      fields: { x: 'a%0d%0aY: b\\r\\nZ: c', y: undefined },
    },
  ),
  answered('a reason of 3,000 bytes', `HTTP/1.1 200 ${'x'.repeat(3000)}\r\nContent-Length: 2\r\n\r\nok`, {
    status: 200,
    body: 'ok',
  }),
];

const answers: readonly RawCase[] = [
  answered('5 and 05 as lengths of an answer', reply(['Content-Length: 2', 'Content-Length: 02'], 'ok'), 502),
  answered(
    'a 1xx with a length and chunks has neither',
    `HTTP/1.1 102 P\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${OK}`,
    {
      status: 102,
      framing: 'none',
    },
  ),
  answered(
    "an answer in the body of a 204 is nobody's",
    reply(`Content-Length: ${EVIL.length}`, EVIL, 'HTTP/1.1 204 No'),
    { status: 204, body: '' },
  ),
  answered('chunks in the body of a 304', reply('Transfer-Encoding: chunked', HELLO, 'HTTP/1.1 304 Not'), {
    status: 304,
    body: '',
  }),
  answered('an answer to HEAD in an answer to GET', reply('Content-Length: 0') + EVIL, {
    status: 200,
    body: '',
  }),
  answered('a status that is 101 and a body', reply('Content-Length: 4', 'evil', 'HTTP/1.1 101 S'), 502),
  ...['5;a\x7f', '5;a\x1b', '5;\r', '5\x0b', '5\x0c'].flatMap((line) => [
    answered(
      `an answer with the chunk line ${JSON.stringify(line)}`,
      [reply('Transfer-Encoding: chunked', '2\r\nok\r\n'), `${line}\r\nhello\r\n0\r\n\r\n`],
      { status: 200, cut: true },
      { finish: 'end' },
      true,
    ),
    {
      title: `a request with the chunk line ${JSON.stringify(line)}`,
      send: chunked(`${line}\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
      expectUpstream: [],
      partial: true,
      expectClient: [400],
      closed: true,
    } satisfies RawCase,
  ]),
].map((each) =>
  each.title.startsWith('a 1xx')
    ? { ...each, expectClient: [...each.expectClient, { status: 200, body: 'ok' }] }
    : each,
);

const pipelines: readonly RawCase[] = [
  {
    title: 'a name that leads nowhere in the middle of a pipeline (RFC 9112 9.3.2)',
    send: GET + GET.replace('web', 'nobody') + GET,
    expectUpstream: ['GET /x HTTP/1.1', 'GET /x HTTP/1.1'],
    expectClient: [200, { status: 502, body: /./ }, 200],
    closed: false,
  },
  {
    title: 'a bad override in the middle of a pipeline',
    send: GET + get('l5d-dtab: !') + GET,
    expectUpstream: ['GET /x HTTP/1.1', 'GET /x HTTP/1.1'],
    expectClient: [200, { status: 400, body: /./ }, 200],
    closed: false,
  },
  {
    title: 'a body for a name that leads nowhere is not the next request',
    send: post(`Content-Length: ${SMUGGLED.length}`, SMUGGLED).replace('web', 'nobody') + GET,
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [{ status: 502, body: /./ }, 200],
    closed: false,
  },
  {
    title: 'a chunked body for a name that leads nowhere: what follows is not trusted',
    send: chunked(`5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`).replace('web', 'nobody'),
    expectUpstream: [],
    expectClient: [{ status: 502, body: /./ }],
    closed: true,
  },
  {
    title: 'HTTP/1.0 that is kept, then HTTP/1.1, then HTTP/1.0',
    send: `GET /x HTTP/1.0\r\nHost: web\r\nConnection: keep-alive\r\n\r\n${GET}GET /x HTTP/1.0\r\nHost: web\r\n\r\n`,
    expectUpstream: ['GET /x HTTP/1.0', 'GET /x HTTP/1.1', 'GET /x HTTP/1.0'],
    expectClient: [
      { status: 200, fields: { connection: 'keep-alive' } },
      200,
      { status: 200, fields: { connection: 'close' } },
    ],
    closed: true,
  },
  passes(
    'a method of 3,000 bytes',
    with1(`${'G'.repeat(3000)} /x HTTP/1.1`),
    `${'G'.repeat(3000)} /x HTTP/1.1`,
  ),
  refused(
    'a CONNECT with chunks (RFC 9110 9.3.6)',
    `CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\nTransfer-Encoding: chunked\r\n\r\n${HELLO}${SMUGGLED}`,
  ),
  refused(
    'a CONNECT with a length (RFC 9110 9.3.6)',
    `CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\nContent-Length: 5\r\n\r\nhello${SMUGGLED}`,
  ),
];

export const desync: readonly RawCase[] = [
  ...bodies,
  ...expectations,
  ...upgrades,
  ...connection,
  ...hosts,
  ...loops,
  ...splitting,
  ...answers,
  ...pipelines,
];
