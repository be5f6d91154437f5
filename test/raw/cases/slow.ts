/** Peers that are slow or silent: each is cut when its time is over, and only then. Limits are 120 ms here. */
import { chunked, GET, OK, passes, post, type RawCase, reply, type UpstreamStep } from '../raw-case.ts';

const slow = (each: RawCase): RawCase => ({ ...each, lanes: ['slow'] });
const late = (title: string, send: string | readonly string[], partial = false): RawCase =>
  slow({ title, send, expectUpstream: [], partial, expectClient: [408], closed: true });
const stalls = (
  title: string,
  step: UpstreamStep,
  expected: RawCase['expectClient'],
  closed = false,
): RawCase =>
  slow({
    title,
    send: GET,
    upstream: [step],
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: expected,
    closed,
  });

export const slowPeers: readonly RawCase[] = [
  late('one byte of a method', 'G'),
  late('a request line without its end', 'GET /x HTTP/1.1'),
  late('a head without its end', 'GET /x HTTP/1.1\r\nHost: web\r\n'),
  late('a head without its last byte', 'GET /x HTTP/1.1\r\nHost: web\r\n\r'),
  late('an empty line and nothing else', '\r\n'),
  late('a head that comes byte by byte and never ends', [...'GET /x HTTP/1.1\r\nHost: web\r\nX-Slow: loris']),
  late('a body that does not come', post('Content-Length: 5')),
  late('half of a body', post('Content-Length: 5', 'he')),
  late('half of a streamed body', post('Content-Length: 9000', 'half'), true),
  late('a chunk size and nothing else', chunked('5\r\n'), true),
  late('half of a chunk', chunked('5\r\nhe'), true),
  late('chunks without the last', chunked('5\r\nhello\r\n'), true),
  late('a last chunk without its end', chunked('0\r\n'), true),
  late('half of a trailer', chunked('0\r\nX: '), true),
  late('a chunk extension that does not end', chunked('5;a=b'), true),
  slow({
    title: '100-continue to a caller that then sends nothing',
    send: post(['Expect: 100-continue', 'Content-Length: 5']),
    expectUpstream: [],
    expectClient: [100, 408],
    closed: true,
  }),
  slow({
    title: 'a caller that says nothing at all is closed without a word',
    send: '',
    expectUpstream: [],
    expectClient: [],
    closed: true,
  }),
  slow({
    title: 'a caller that falls silent after its answer is closed',
    send: [GET, ''],
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [200],
    closed: true,
  }),
  slow({
    title: 'half of a second request',
    send: `${GET}GET /2 HT`,
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [200, 408],
    closed: true,
  }),
  slow(passes('a head in pieces that ends in time', ['GET /x HT', 'TP/1.1\r\nHo', 'st: web\r\n', '\r\n'])),
  stalls('an endpoint that takes the request and says nothing', {}, [503]),
  stalls('an endpoint that sends half of a head', { write: 'HTTP/1.1 200 OK\r\nX: ' }, [503]),
  stalls(
    'an endpoint that sends informational answers only',
    { write: 'HTTP/1.1 102 P\r\n\r\n' },
    [102, 503],
  ),
  stalls(
    'an endpoint that stops in the middle of a body',
    { write: reply('Content-Length: 9', 'half') },
    [{ status: 200, cut: true }],
    true,
  ),
  stalls(
    'an endpoint that stops in the middle of chunks',
    { write: reply('Transfer-Encoding: chunked', '5\r\nhello\r\n') },
    [{ status: 200, cut: true }],
    true,
  ),
  stalls(
    'an endpoint that stops in the middle of a trailer',
    { write: reply('Transfer-Encoding: chunked', '0\r\nX: y\r\n') },
    [{ status: 200, cut: true }],
    true,
  ),
  stalls(
    'an endpoint that stops in a body without a length',
    { write: 'HTTP/1.1 200 OK\r\n\r\nhello' },
    [{ status: 200, cut: true }],
    true,
  ),
  stalls('an endpoint whose bytes come one by one, in time', { write: [...OK] }, [
    { status: 200, body: 'ok' },
  ]),
  slow({
    title: 'a late answer reaches nobody',
    send: GET,
    upstream: [{ afterMs: 900, write: OK }],
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [503],
    closed: false,
  }),
];
