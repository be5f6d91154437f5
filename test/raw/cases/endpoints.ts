/** Endpoints that misbehave: what of it the caller gets, and that nobody gets it in place of an answer. */
import { answered, GET, OK, post, type RawCase, reply, type UpstreamStep } from '../raw-case.ts';

const wrong = (title: string, write: string | readonly string[], step: UpstreamStep = {}): RawCase =>
  answered(title, write, 502, step);
const cut = (title: string, write: string, step: UpstreamStep = { finish: 'end' }): RawCase =>
  answered(title, write, { status: 200, cut: true }, step, true);
const ok = { status: 200, body: 'ok' } as const;
const hello = { status: 200, body: 'hello' } as const;
const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
const te = (value: string): string => reply(`Transfer-Encoding: ${value}`, '5\r\nhello\r\n0\r\n\r\n');
const cl = (value: string): string => reply(`Content-Length: ${value}`, 'hello');
const chunks = (wire: string): string => reply('Transfer-Encoding: chunked', wire);
const status = (line: string): string => `${line}\r\nContent-Length: 2\r\n\r\nok`;

const statusLines: readonly RawCase[] = [
  ...[
    'garbage',
    '',
    ' HTTP/1.1 200 OK',
    'HTTP/1.1200 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 200OK',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.1 -20 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 000 OK',
    'HTTP/1.1 OK',
    'HTTP/1.1 ',
    'HTTP/1 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/2 200 OK',
    'HTTP/0.9 200 OK',
    'http/1.1 200 OK',
    'ICY 200 OK',
    'HTTP/1.1 200 O\x01K',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\rK',
    'SSH-2.0-OpenSSH_9.6',
    '220 mail.example ESMTP',
    '\x15\x03\x01\x00\x02\x02\x28',
    '<html><body>0.9</body></html>',
  ].map((line) => wrong(`the status line ${JSON.stringify(line)}`, status(line), { finish: 'end' })),
  answered('a status line without a reason (RFC 9112 4)', status('HTTP/1.1 200 '), ok),
  answered('a status line without the blank before the reason', status('HTTP/1.1 200'), ok),
  answered('a reason with blanks, tabs and bytes above ASCII', status('HTTP/1.1 200 a \t\xe4'), ok),
  answered('a status that nobody knows', status('HTTP/1.1 599 What'), { status: 599, body: 'ok' }),
  answered('a status beyond all classes', status('HTTP/1.1 999 What'), { status: 999, body: 'ok' }),
  answered('an answer of HTTP/1.0', status('HTTP/1.0 200 OK'), ok),
  answered('an answer of HTTP/1.0 without a length', 'HTTP/1.0 200 OK\r\n\r\nhello', hello, {
    finish: 'end',
  }),
  wrong('a status line that has no end', `HTTP/1.1 200 ${'x'.repeat(9000)}`),
  wrong('a head that has no end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(5000)}`),
  wrong('a header line that has no end', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(20000)}`),
  wrong('a head of 9 KB', reply([`X: ${'y'.repeat(9000)}`, 'Content-Length: 2'], 'ok')),
  wrong(
    '1,500 header lines',
    reply([...Array.from({ length: 1500 }, () => 'X:'), 'Content-Length: 2'], 'ok'),
  ),
  wrong('bare LFs', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'),
  wrong('a folded line (RFC 9112 5.2)', reply(['X: y', ' z', 'Content-Length: 2'], 'ok')),
  wrong('a blank before a colon: refused, not repaired (RFC 9112 5.1)', reply(['Content-Length : 2'], 'ok')),
  wrong('an empty line before the status line', `\r\n${OK}`),
  answered('a head of which every byte comes alone', [...OK], ok),
  answered(
    'a head cut between CR and LF',
    ['HTTP/1.1 200 OK\r', '\nContent-Length: 2\r', '\n\r', '\nok'],
    ok,
  ),
];

const lengths: readonly RawCase[] = [
  ...['5x', '+5', '-1', '', '5, 6', '5, 5', '0x5', '5 5', 'chunked', '99999999999999999999', '1e1'].map(
    (value) => wrong(`Content-Length: ${value || 'nothing'} (RFC 9112 6.3)`, cl(value)),
  ),
  wrong('two different lengths (RFC 9112 6.3)', reply(['Content-Length: 5', 'Content-Length: 6'], 'hello!')),
  wrong(
    'two different lengths, the longer one first',
    reply(['Content-Length: 6', 'Content-Length: 5'], 'hello!'),
  ),
  wrong(
    'a length and chunks (RFC 9112 6.1)',
    reply(['Content-Length: 5', 'Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'),
  ),
  wrong(
    'chunks and a length',
    reply(['Transfer-Encoding: chunked', 'Content-Length: 5'], '5\r\nhello\r\n0\r\n\r\n'),
  ),
  wrong(
    'chunks in HTTP/1.0 (RFC 9112 6.1)',
    reply('Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n', 'HTTP/1.0 200 OK'),
  ),
  ...[
    'gzip',
    'gzip, chunked',
    'chunked, chunked',
    'identity',
    'chunked;q=1',
    'xchunked',
    '',
    '\x0bchunked',
    'chunked\0',
  ].map((value) => wrong(`Transfer-Encoding: ${JSON.stringify(value)}`, te(value))),
  wrong(
    'two lines of Transfer-Encoding',
    reply(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ),
  wrong(
    'a 204 with two framings',
    reply(['Content-Length: 5', 'Transfer-Encoding: chunked'], '', 'HTTP/1.1 204 No'),
  ),
  wrong('a 304 with two lengths', reply(['Content-Length: 5', 'Content-Length: 6'], '', 'HTTP/1.1 304 Not')),
  answered('two equal lengths become one', reply(['Content-Length: 2', 'Content-Length: 2'], 'ok'), {
    ...ok,
    framing: 2,
  }),
  answered('a length with zeros before it', cl('0005'), { ...hello, framing: 5 }),
  answered(
    'a 204 has no length and no body (RFC 9110 15.3.5)',
    reply('Content-Length: 5', '', 'HTTP/1.1 204 No'),
    { status: 204, body: '', fields: { 'content-length': undefined } },
  ),
  answered('a 204 that says chunked', reply('Transfer-Encoding: chunked', '', 'HTTP/1.1 204 No'), {
    status: 204,
    fields: { 'transfer-encoding': undefined },
  }),
  answered(
    'a 304 keeps its length and has no body (RFC 9110 8.6)',
    reply('Content-Length: 500', '', 'HTTP/1.1 304 Not'),
    { status: 304, fields: { 'content-length': '500' } },
  ),
  answered('a 205 with a body', reply('Content-Length: 2', 'ok', 'HTTP/1.1 205 Reset'), {
    status: 205,
    body: 'ok',
  }),
  answered(
    'a body until the end of the connection (RFC 9112 6.3)',
    'HTTP/1.1 200 OK\r\n\r\nhello',
    { ...hello, framing: 'chunked' },
    { finish: 'end' },
  ),
  answered(
    'no body until the end of the connection',
    'HTTP/1.1 200 OK\r\n\r\n',
    { status: 200, body: '' },
    { finish: 'end' },
  ),
  answered('a body of nothing', reply('Content-Length: 0'), { status: 200, body: '', framing: 0 }),
  answered(
    'a body of which every byte comes alone',
    [reply('Content-Length: 5'), 'h', 'e', 'l', 'l', 'o'],
    hello,
  ),
  answered('chunks of which every byte comes alone', [...chunks('5\r\nhello\r\n0\r\nX-T: y\r\n\r\n')], {
    ...hello,
    trailers: ['X-T: y'],
  }),
  answered(
    'forbidden trailers of an answer are not sent on (RFC 9110 6.5.1)',
    chunks('5\r\nhello\r\n0\r\nContent-Length: 3\r\nl5d-err: x\r\nSet-Cookie: a=b\r\nX-T: y\r\n\r\n'),
    { ...hello, trailers: ['X-T: y'] },
  ),
  answered('extensions of an answer are not sent on', chunks('5;a=b\r\nhello\r\n0\r\n\r\n'), {
    ...hello,
    framing: 'chunked',
  }),
];

const bodies: readonly RawCase[] = [
  cut('a body that is shorter than its length (RFC 9112 8)', reply('Content-Length: 9', 'half')),
  cut('a body that is shorter than its length, and a reset', reply('Content-Length: 9', 'half'), {
    finish: 'reset',
  }),
  cut('a long body of which the last byte is missing', reply('Content-Length: 100001', 'z'.repeat(100000))),
  cut('chunks without the last one (RFC 9112 8)', chunks('5\r\nhello\r\n')),
  cut('chunks whose last line is missing', chunks('5\r\nhello\r\n0\r\n')),
  cut('a chunk that is cut', chunks('5\r\nhel')),
  cut('a chunk size that is cut', chunks('5\r\nhello\r\n5')),
  cut('trailers that are cut', chunks('5\r\nhello\r\n0\r\nX: y\r\n')),
  cut('a body until the end, and a reset', 'HTTP/1.1 200 OK\r\n\r\nhello', { finish: 'reset' }),
  ...[
    'xyz\r\n',
    ' 5\r\nhello\r\n',
    '5 \r\nhello\r\n',
    '0x5\r\nhello\r\n',
    '5\nhello\r\n',
    '5\r\nhello!\r\n',
    '5\r\nhelloXX',
    '-1\r\n',
    'fffffffffffffffff\r\n',
    '5;a\nb\r\nhello\r\n',
    '0\r\nX : y\r\n\r\n',
    '0\r\nX\r\n\r\n',
    '0\r\nX',
    'X',
    '\rX',
    '5\rXhello\r\n',
    '5\r\nhello\rX0\r\n\r\n',
  ].map((wire) =>
    cut(`a second chunk that is ${JSON.stringify(wire)}`, chunks(`5\r\nhello\r\n${wire}`), {
      write: [chunks('5\r\nhello\r\n'), wire],
      finish: 'end',
    }),
  ),
  answered('bytes after the end of a body: the connection is not used again', `${OK}${EVIL}`, ok),
  answered('bytes after the end of chunks', chunks(`5\r\nhello\r\n0\r\n\r\n${EVIL}`), hello),
  {
    title: "an answer in the body of an answer to HEAD is nobody's (RFC 9110 9.3.2)",
    send: `HEAD /x HTTP/1.1\r\nHost: web\r\n\r\n${GET}`,
    upstream: [{ write: reply(`Content-Length: ${EVIL.length}`, EVIL) }],
    expectUpstream: ['HEAD /x HTTP/1.1', 'GET /x HTTP/1.1'],
    expectClient: [{ status: 200, head: true, fields: { 'content-length': `${EVIL.length}` } }, 200],
    closed: false,
  },
  answered(
    'Connection of an answer cannot take its framing away (RFC 9110 7.6.1)',
    reply(['Connection: Transfer-Encoding', 'Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'),
    { status: 200, framing: 'chunked', body: 'hello' },
  ),
  answered('one byte after the end', `${OK}x`, ok),
  answered('a line break after the end', `${OK}\r\n`, ok),
  answered('a body after a 204', reply('Content-Length: 4', 'evil', 'HTTP/1.1 204 No'), {
    status: 204,
    body: '',
  }),
  answered('an answer after a 304', reply([], EVIL, 'HTTP/1.1 304 Not'), { status: 304, body: '' }),
  answered('an answer after the answer, a moment later: the next caller does not get it', [OK, EVIL], ok),
  answered(
    'a 408 on the connection when it is idle, as servers do',
    [OK, 'HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'],
    ok,
    { finish: 'end' },
  ),
  answered('an answer, and the end', OK, ok, { finish: 'end' }),
  answered('an answer, and a reset', OK, ok, { finish: 'reset' }),
];

const silences: readonly RawCase[] = [
  wrong('the end before an answer', '', { finish: 'end' }),
  wrong('a reset before an answer', '', { finish: 'reset' }),
  wrong('the end in the middle of a head', 'HTTP/1.1 200 OK\r\nCont', { finish: 'end' }),
  wrong('a reset in the middle of a head', 'HTTP/1.1 200 OK\r\nCont', { finish: 'reset' }),
  wrong('the end right after an informational answer', 'HTTP/1.1 100 Continue\r\n\r\n', { finish: 'end' }),
  {
    ...wrong('the end of a fresh connection is not tried again: the request was sent once', '', {
      finish: 'end',
    }),
    expectUpstream: ['GET /x HTTP/1.1'],
  },
  {
    title: 'a POST whose connection ends is not sent again (RFC 9110 9.2.2)',
    send: post('Content-Length: 5', 'hello'),
    upstream: [{ finish: 'end' }],
    warm: true,
    expectUpstream: ['POST /x HTTP/1.1'],
    expectClient: [502],
    closed: false,
  },
  {
    title: 'a POST whose used connection is reset is not sent again (RFC 9110 9.2.2)',
    send: post('Content-Length: 5', 'hello'),
    upstream: [{ finish: 'reset' }],
    warm: true,
    expectUpstream: ['POST /x HTTP/1.1'],
    expectClient: [502],
    closed: false,
  },
  {
    title: 'a GET whose used connection ends is sent once more (the idle race)',
    send: GET,
    upstream: [{ finish: 'end' }, { write: OK }],
    warm: true,
    expectUpstream: ['GET /x HTTP/1.1', 'GET /x HTTP/1.1'],
    expectClient: [ok],
    closed: false,
  },
  {
    title: 'a GET whose used connection ends is sent once more, and no more than once',
    send: GET,
    upstream: [{ finish: 'end' }, { finish: 'end' }],
    warm: true,
    expectUpstream: ['GET /x HTTP/1.1', 'GET /x HTTP/1.1'],
    expectClient: [502],
    closed: false,
  },
  {
    title: 'a GET is not sent again once a byte of an answer has come',
    send: GET,
    upstream: [{ write: 'H', finish: 'end' }],
    warm: true,
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [502],
    closed: false,
  },
  {
    title:
      'a caller that leaves while the endpoint is silent: its request is dropped, its answer goes to nobody',
    send: GET,
    upstream: [{ on: 'request' }],
    hangUp: 'reset',
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [],
    closed: true,
  },
  {
    title: 'a caller that leaves in the middle of an answer',
    send: GET,
    upstream: [{ write: reply('Content-Length: 100000', 'half') }],
    hangUp: 'reset',
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [],
    closed: true,
  },
];

const early: readonly RawCase[] = [
  {
    title: 'bytes that an endpoint sends before any request, on a connection that has been used',
    send: GET,
    warm: true,
    upstream: [{ write: [OK, EVIL, EVIL] }],
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [ok],
    closed: false,
  },
  {
    title: 'an endpoint that greets like a mail server',
    send: GET,
    upstream: [{ on: 'connect', write: '220 mail.example ESMTP\r\n' }, {}],
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [502],
    closed: false,
  },
  {
    title: 'an endpoint that resets what it accepts: the request may have arrived, and is not sent again',
    send: GET,
    upstream: [{ on: 'connect', finish: 'reset' }, {}],
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [502],
    closed: false,
  },
];

export const endpoints: readonly RawCase[] = [...statusLines, ...lengths, ...bodies, ...silences, ...early];
