/** Connection: what it names goes no further, and what it must not name stays (RFC 9110 7.6.1). */
import {
  type ExpectedAnswer,
  type ExpectedRequest,
  GET,
  get,
  passes,
  post,
  type RawCase,
  reply,
} from '../raw-case.ts';

const sees = (fields: ExpectedRequest['fields']): ExpectedRequest => ({
  line: 'GET /x HTTP/1.1',
  fields: fields ?? {},
});
const closes = (title: string, value: string): RawCase => ({
  ...passes(title, get(`Connection: ${value}`), sees({ connection: undefined, close: undefined })),
  expectClient: [{ status: 200, fields: { connection: 'close' } }],
  closed: true,
});
const keeps = (title: string, value: string): RawCase =>
  passes(title, get(`Connection: ${value}`), sees({ connection: undefined }));
const gone = (name: string, value: string): RawCase =>
  passes(
    `${name} belongs to one connection and goes no further`,
    get(`${name}: ${value}`),
    sees({ [name.toLowerCase()]: undefined }),
  );
const stays = (name: string, value: string, more: readonly string[] = []): RawCase =>
  passes(
    `Connection cannot take ${name} away`,
    get(`Connection: ${name}`, ...(name === 'Host' ? [] : [`${name}: ${value}`]), ...more),
    sees({ [name.toLowerCase()]: value }),
  );
const taken = (name: string, value: string, option = name): RawCase =>
  passes(
    `Connection: ${option} takes ${name} away (RFC 9110 7.6.1)`,
    get(`${name}: ${value}`, `Connection: ${option}`),
    sees({ [name.toLowerCase()]: undefined, connection: undefined }),
  );

/** An answer with these lines, and what the caller gets of it. */
const response = (title: string, lines: readonly string[], fields: ExpectedAnswer['fields']): RawCase => ({
  title,
  send: GET,
  upstream: [{ write: reply(['Content-Length: 2', ...lines], 'ok') }],
  expectUpstream: ['GET /x HTTP/1.1'],
  expectClient: [{ status: 200, body: 'ok', framing: 2, fields: fields ?? {} }],
  closed: false,
});

export const connectionFields: readonly RawCase[] = [
  closes('Connection: close', 'close'),
  closes('Connection: CLOSE', 'CLOSE'),
  closes('close among others', 'X-A, close'),
  closes('close among others, without blanks', 'X-A,close,X-B'),
  closes('close between tabs', '\tclose\t'),
  closes('close after empty members of the list', ', ,close'),
  closes('close wins over keep-alive', 'keep-alive, close'),
  closes('close wins over a later keep-alive', 'close, keep-alive'),
  keeps('keep-alive is what it is anyway', 'keep-alive'),
  keeps('closed is not close', 'closed'),
  keeps('close in quotes is not close', '"close"'),
  keeps('close with a parameter is not close', 'close;q=1'),
  keeps('xclose is not close', 'xclose'),
  keeps('an empty Connection', ''),
  keeps('a Connection of commas', ',,,'),
  keeps('a Connection of words that no field has', 'a b c'),
  {
    ...passes(
      'close in the second of two lines',
      get('Connection: X-A', 'Connection: close', 'X-A: y'),
      sees({ connection: undefined, 'x-a': undefined }),
    ),
    closed: true,
  },
  taken('X-A', 'y'),
  taken('X-A', 'y', 'x-a'),
  taken('X-A', 'y', 'X-B, X-A'),
  taken('X-A', 'y', 'X-B,\tX-A\t,'),
  taken('Keep-Alive', 'timeout=5'),
  taken('Cookie', 'a=b'),
  taken('Upgrade', 'h2c'),
  taken('Upgrade', 'h2c', 'Upgrade, HTTP2-Settings'),
  taken('HTTP2-Settings', 'AAMAAABkAAQAoAAAAAIAAAAA', 'Upgrade, HTTP2-Settings'),
  passes(
    'a field that Connection names twice, and that is there twice',
    get('X-A: 1', 'Connection: X-A, X-A', 'x-a: 2'),
    sees({ 'x-a': undefined }),
  ),
  passes(
    'a field that Connection names with a blank in its name stays',
    get('X-A: 1', 'Connection: X -A'),
    sees({ 'x-a': '1' }),
  ),
  passes(
    'a Connection that names itself',
    get('Connection: Connection', 'X-A: 1'),
    sees({ connection: undefined, 'x-a': '1' }),
  ),
  stays('Host', 'web'),
  stays('X-Forwarded-For', '10.0.0.1'),
  stays('X-Forwarded-Proto', 'https'),
  stays('Forwarded', 'for=10.0.0.1'),
  passes(
    'Connection cannot take Via away',
    get('Connection: Via', 'Via: 1.1 a'),
    sees({ via: '1.1 a, 1.1 turnout' }),
  ),
  passes(
    'Connection cannot take Content-Length away',
    post(['Connection: Content-Length', 'Content-Length: 5'], 'hello'),
    { line: 'POST /x HTTP/1.1', framing: 5, body: 'hello' },
  ),
  passes(
    'Connection: Transfer-Encoding changes nothing',
    post(['Connection: Transfer-Encoding', 'Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'),
    { line: 'POST /x HTTP/1.1', framing: 'chunked', body: 'hello' },
  ),
  passes(
    'Connection cannot take away what the router says of the name',
    get('Connection: l5d-dst-service, l5d-dst-client'),
    sees({ 'l5d-dst-service': '/svc/web', 'l5d-dst-client': '/#/test/web' }),
  ),
  passes(
    'a caller cannot say what the router says of the name',
    get('l5d-dst-service: /svc/evil', 'l5d-dst-client: /evil', 'l5d-dst-residual: /evil'),
    sees({ 'l5d-dst-service': '/svc/web', 'l5d-dst-client': '/#/test/web', 'l5d-dst-residual': undefined }),
  ),
  passes(
    'Connection cannot take away the deadline of a caller',
    get('l5d-ctx-deadline: 1 9000000000000000000', 'Connection: l5d-ctx-deadline'),
    sees({ 'l5d-ctx-deadline': '1 9000000000000000000' }),
  ),
  passes(
    'Connection: l5d-ctx-trace takes no trace away',
    get('Connection: l5d-ctx-trace, l5d-reqid'),
    sees({ connection: undefined, host: 'web' }),
  ),
  gone('Keep-Alive', 'timeout=5'),
  gone('Proxy-Connection', 'keep-alive'),
  gone('Proxy-Authorization', 'Basic eA=='),
  gone('Proxy-Authenticate', 'Basic'),
  gone('TE', 'trailers'),
  gone('Trailer', 'X-A'),
  gone('Upgrade', 'h2c'),
  passes(
    'an Upgrade to h2c is never passed on (RFC 9113 3.1)',
    get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA'),
    sees({ upgrade: undefined, connection: undefined, 'http2-settings': undefined }),
  ),
  passes(
    'authorization stays, whoever it is for',
    get('Authorization: Basic eA=='),
    sees({ authorization: 'Basic eA==' }),
  ),
  passes(
    'a second Via line is not sent on, the first is added to',
    get('Via: 1.1 a', 'Via: 1.1 b'),
    sees({ via: '1.1 a, 1.1 turnout' }),
  ),
  {
    title: 'a caller that has gone round a thousand times is refused',
    send: get(`Via: ${Array.from({ length: 1001 }, () => '1.1 a').join(',')}`),
    expectUpstream: [],
    expectClient: [400],
    closed: false,
  },
  response('Connection of an answer takes its fields away', ['Connection: X-A', 'X-A: y', 'X-B: z'], {
    'x-a': undefined,
    'x-b': 'z',
    connection: 'keep-alive',
  }),
  response('Connection of an answer cannot take its length away', ['Connection: Content-Length'], {}),
  response('Keep-Alive of an answer is replaced by ours', ['Keep-Alive: timeout=99'], {
    'keep-alive': 'timeout=600',
  }),
  response(
    'Upgrade and Trailer of an answer go no further',
    ['Upgrade: h2c', 'Trailer: X', 'TE: x', 'Proxy-Authenticate: Basic'],
    { upgrade: undefined, trailer: undefined, te: undefined, 'proxy-authenticate': undefined },
  ),
  response('an endpoint cannot say whether we succeeded', ['l5d-success-class: 0.0'], {
    'l5d-success-class': '1.0',
  }),
  response('close of an answer concerns the endpoint only', ['Connection: close'], {
    connection: 'keep-alive',
  }),
  response('Via of an answer is added to', ['Via: 1.1 b'], { via: '1.1 b, 1.1 turnout' }),
];
