/** Every odd byte at every odd place of a head, of callers and of endpoints. */
import { GET, passes, type RawCase, refused, reply, SMUGGLED } from '../raw-case.ts';

const CONTROLS = [...Array(0x20).keys(), 0x7f];
const HIGH = Array.from({ length: 0x80 }, (_, i) => 0x80 + i);
/** No token characters (RFC 9110 5.6.2). */
const DELIMITERS = [...'"(),/:;<=>?@[\\]{} '].map((char) => char.charCodeAt(0));
const COLON = 0x3a;
const TAB = 0x09;

type Place = {
  readonly place: string;
  readonly head: (byte: string) => string;
  /** What is refused there. */
  readonly bytes: readonly number[];
};

const withLine = (line: string): string => `GET /x HTTP/1.1\r\nHost: web\r\n${line}\r\n\r\n`;

const places: readonly Place[] = [
  { place: 'before the method', head: (b) => `${b}${GET}`, bytes: [...CONTROLS, ...HIGH, ...DELIMITERS] },
  {
    place: 'in the method',
    head: (b) => `G${b}T /x HTTP/1.1\r\nHost: web\r\n\r\n`,
    bytes: [...CONTROLS, ...HIGH, ...DELIMITERS],
  },
  {
    place: 'after the method',
    head: (b) => `GET${b}/x HTTP/1.1\r\nHost: web\r\n\r\n`,
    bytes: [...CONTROLS, ...HIGH],
  },
  {
    place: 'in the target',
    head: (b) => `GET /x${b}y HTTP/1.1\r\nHost: web\r\n\r\n`,
    bytes: [...CONTROLS, ...HIGH, 0x20],
  },
  {
    place: 'after the target',
    head: (b) => `GET /x${b}HTTP/1.1\r\nHost: web\r\n\r\n`,
    bytes: [...CONTROLS, ...HIGH],
  },
  {
    place: 'in the version',
    head: (b) => `GET /x HTTP/1${b}1\r\nHost: web\r\n\r\n`,
    bytes: [...CONTROLS, ...HIGH, 0x20],
  },
  {
    place: 'after the version',
    head: (b) => `GET /x HTTP/1.1${b}\r\nHost: web\r\n\r\n`,
    bytes: [...CONTROLS, ...HIGH, 0x20, 0x31],
  },
  {
    place: 'in a name',
    head: (b) => withLine(`X${b}Y: z`),
    bytes: [...CONTROLS, ...HIGH, ...DELIMITERS].filter((c) => c !== COLON),
  },
  { place: 'before a name', head: (b) => withLine(`${b}X: z`), bytes: [...CONTROLS, ...HIGH, ...DELIMITERS] },
  {
    place: 'before a colon',
    head: (b) => withLine(`X${b}: z`),
    bytes: [...CONTROLS, ...HIGH, ...DELIMITERS].filter((c) => c !== COLON),
  },
  { place: 'in a value', head: (b) => withLine(`X: y${b}z`), bytes: CONTROLS.filter((c) => c !== TAB) },
  { place: 'before a value', head: (b) => withLine(`X:${b}z`), bytes: CONTROLS.filter((c) => c !== TAB) },
  { place: 'after a value', head: (b) => withLine(`X: z${b}`), bytes: CONTROLS.filter((c) => c !== TAB) },
  {
    place: 'in a host',
    head: (b) => `GET /x HTTP/1.1\r\nHost: we${b}b\r\n\r\n`,
    bytes: [...CONTROLS, ...HIGH, ...[...'"/:<>?@[\\]^`{|} '].map((c) => c.charCodeAt(0))],
  },
  {
    place: 'in the host of an absolute target',
    head: (b) => `GET http://we${b}b/x HTTP/1.1\r\nHost: web\r\n\r\n`,
    bytes: [...CONTROLS, ...HIGH, ...[...'":<>@[\\]^`{|} '].map((c) => c.charCodeAt(0))],
  },
];

const shown = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`;

export const oddBytesOfCallers: readonly { readonly place: string; readonly cases: readonly RawCase[] }[] =
  places.map(({ place, head, bytes }) => ({
    place,
    cases: bytes.map((byte) =>
      refused(`${shown(byte)} ${place}`, `${head(String.fromCharCode(byte))}${SMUGGLED}`),
    ),
  }));

const responsePlaces: readonly Place[] = [
  {
    place: 'before the status line',
    head: (b) => `${b}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
    bytes: [...CONTROLS, ...HIGH, 0x20],
  },
  {
    place: 'in the version of the answer',
    head: (b) => `HTTP/1${b}1 200 OK\r\nContent-Length: 0\r\n\r\n`,
    bytes: [...CONTROLS, ...HIGH],
  },
  {
    place: 'in the status code',
    head: (b) => `HTTP/1.1 2${b}0 OK\r\nContent-Length: 0\r\n\r\n`,
    bytes: [...CONTROLS, ...HIGH, 0x20],
  },
  {
    place: 'in the reason',
    head: (b) => `HTTP/1.1 200 O${b}K\r\nContent-Length: 0\r\n\r\n`,
    bytes: CONTROLS.filter((c) => c !== TAB),
  },
  {
    place: 'in a name of the answer',
    head: (b) => reply([`X${b}Y: z`, 'Content-Length: 0']),
    bytes: [...CONTROLS, ...HIGH, ...DELIMITERS].filter((c) => c !== COLON),
  },
  {
    place: 'before a colon of the answer',
    head: (b) => reply([`X${b}: z`, 'Content-Length: 0']),
    bytes: [...CONTROLS, ...HIGH, 0x20],
  },
  {
    place: 'in a value of the answer',
    head: (b) => reply([`X: y${b}z`, 'Content-Length: 0']),
    bytes: CONTROLS.filter((c) => c !== TAB),
  },
  {
    place: 'after a value of the answer',
    head: (b) => reply([`X: z${b}`, 'Content-Length: 0']),
    bytes: CONTROLS.filter((c) => c !== TAB),
  },
];

export const oddBytesOfEndpoints: typeof oddBytesOfCallers = responsePlaces.map(({ place, head, bytes }) => ({
  place,
  cases: bytes.map((byte) => ({
    title: `${shown(byte)} ${place}`,
    send: GET,
    upstream: [{ write: head(String.fromCharCode(byte)) }],
    expectUpstream: ['GET /x HTTP/1.1'],
    expectClient: [502],
    closed: false,
  })),
}));

export const headerBytes: readonly RawCase[] = [
  passes(
    'every byte above ASCII in a value arrives as it is (RFC 9110 5.5)',
    withLine(`X: ${String.fromCharCode(...HIGH)}`),
    {
      line: 'GET /x HTTP/1.1',
      fields: { x: String.fromCharCode(...HIGH) },
    },
  ),
  passes('tabs inside a value stay, tabs around it go', withLine('X: \t a\tb\t '), {
    line: 'GET /x HTTP/1.1',
    fields: { x: 'a\tb' },
  }),
  passes('every token character in a name', withLine("!#$%&'*+-.^_`|~09azAZ: y"), {
    line: 'GET /x HTTP/1.1',
    fields: { "!#$%&'*+-.^_`|~09azaz": 'y' },
  }),
  passes(
    'every token character in a method',
    `!#$%&'*+-.^_\`|~09azAZ /x HTTP/1.1\r\nHost: web\r\n\r\n`,
    "!#$%&'*+-.^_`|~09azAZ /x HTTP/1.1",
  ),
  passes('an empty value', withLine('X:'), { line: 'GET /x HTTP/1.1', fields: { x: '' } }),
  passes('a value of blanks', withLine('X: \t '), { line: 'GET /x HTTP/1.1', fields: { x: '' } }),
  passes('a value of colons', withLine('X: :::'), { line: 'GET /x HTTP/1.1', fields: { x: ':::' } }),
  passes('a name of many lines', withLine('X: 1\r\nx: 2\r\nX: 3'), {
    line: 'GET /x HTTP/1.1',
    fields: { x: '1 | 2 | 3' },
  }),
  passes('names of properties of objects', withLine('__proto__: 1\r\nconstructor: 2\r\ntoString: 3'), {
    line: 'GET /x HTTP/1.1',
    fields: { __proto__: undefined, constructor: '2', tostring: '3' },
  }),
  passes('an empty line before the request (RFC 9112 2.2)', `\r\n${GET}`),
  passes('a head of which every byte comes alone', [...GET]),
  passes('a head cut between CR and LF', ['GET /x HTTP/1.1\r', '\nHost: web\r', '\n\r', '\n']),
  passes('a head of almost 8 KB', withLine(`X: ${'y'.repeat(8000)}`)),
  passes('900 header lines', withLine(Array.from({ length: 900 }, () => 'X: y').join('\r\n'))),
  refused('two empty lines before the request', `\r\n\r\n${GET}`),
  refused('a bare LF before the request', `\n${GET}`),
  refused('a bare LF after each line', `GET /x HTTP/1.1\nHost: web\n\n${SMUGGLED}`),
  refused('a bare LF for the empty line', `GET /x HTTP/1.1\r\nHost: web\r\n\n${SMUGGLED}`),
  refused('LF CR for CR LF', `GET /x HTTP/1.1\n\rHost: web\n\r\n\r${SMUGGLED}`),
  refused('CR CR LF (RFC 9112 2.2)', `GET /x HTTP/1.1\r\r\nHost: web\r\r\n\r\r\n${SMUGGLED}`),
  refused('a bare CR for the empty line', `GET /x HTTP/1.1\r\nHost: web\r\n\rX${SMUGGLED}`),
  refused('a fold with a blank (RFC 9112 5.2)', withLine('X: y\r\n z')),
  refused('a fold with a tab (RFC 9112 5.2)', withLine('X: y\r\n\tz')),
  refused('a fold of an empty line (RFC 9112 5.2)', withLine('X: y\r\n ')),
  refused('a fold right after the request line (RFC 9112 2.2)', 'GET /x HTTP/1.1\r\n Host: web\r\n\r\n'),
  refused('a blank line that is not empty', `GET /x HTTP/1.1\r\nHost: web\r\n \r\n\r\n${SMUGGLED}`),
  refused('a line without a colon', withLine('nonsense')),
  refused('a line that is a colon', withLine(':')),
  refused('a line without a name', withLine(': y')),
  refused('a request line among the fields', withLine('GET /y HTTP/1.1')),
  refused('a head of more than 8 KB', withLine(`X: ${'y'.repeat(9000)}`), 431),
  refused('a head that has no end', `GET /x HTTP/1.1\r\nX: ${'y'.repeat(20000)}`, 431),
  refused('more than 1,000 lines', `GET / HTTP/1.1\r\nHost: web\r\n${'X:\r\n'.repeat(1100)}\r\n`, 431),
  refused(
    'many short lines, beyond 8 KB',
    withLine(Array.from({ length: 999 }, () => 'X: yyyyyyyy').join('\r\n')),
    431,
  ),
];
