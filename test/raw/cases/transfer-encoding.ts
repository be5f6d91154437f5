/** Transfer-Encoding, written in every way that has once fooled somebody. Only one spelling means anything. */
import { chunked, type ExpectedRequest, passes, post, type RawCase, refused, SMUGGLED } from '../raw-case.ts';

/** The body is complete for whoever reads it as chunked, and the length for whoever does not. */
const BODY = `0\r\n\r\n${SMUGGLED}`;
const te = (value: string): string => post(`Transfer-Encoding: ${value}`, BODY);

const values: readonly (readonly [title: string, value: string])[] = [
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['gzip, chunked', 'gzip, chunked'],
  ['chunked, gzip: not chunked at the end (RFC 9112 6.3)', 'chunked, gzip'],
  ['chunked, identity', 'chunked, identity'],
  ['identity, chunked', 'identity, chunked'],
  ['chunked, chunked: applied twice (RFC 9112 6.1)', 'chunked, chunked'],
  ['an empty value', ''],
  ['a comma alone', ','],
  ['chunked and a comma', 'chunked,'],
  ['a comma and chunked', ',chunked'],
  ['chunked with a parameter', 'chunked;foo=bar'],
  ['chunked with a blank inside', 'chun ked'],
  ['a prefix of chunked', 'chunke'],
  ['a longer word', 'chunkedx'],
  ['xchunked', 'xchunked'],
  ['x-chunked', 'x-chunked'],
  ['quoted chunked', '"chunked"'],
  ['quoted in single quotes', "'chunked'"],
  ['chunked in brackets', '[chunked]'],
  ['cow', 'cow'],
  ['chunked and a byte above ASCII', 'chunked\xa0'],
  ['a byte above ASCII and chunked', '\xa0chunked'],
  ['chunked with a Kelvin sign for its k', 'chun\xe2\x84\xaaed'],
  ['chunked and a tab and a word', 'chunked\tgzip'],
  ['percent-encoded', 'chunke%64'],
  ['deflate', 'deflate'],
  ['compress, chunked', 'compress, chunked'],
  ['trailers', 'trailers'],
];

const controls: readonly (readonly [title: string, value: string])[] = [
  ['a vertical tab before it', '\x0bchunked'],
  ['a form feed before it', '\x0cchunked'],
  ['a vertical tab after it', 'chunked\x0b'],
  ['a NUL after it', 'chunked\0'],
  ['a NUL before it', '\0chunked'],
  ['a bare CR after it', 'chunked\r'],
  ['a bare CR before it', '\rchunked'],
  ['DEL after it', 'chunked\x7f'],
  ['a fold before it (RFC 9112 5.2)', '\r\n chunked'],
  ['a fold with a tab before it', '\r\n\tchunked'],
  ['a fold after it', 'chunked\r\n '],
  ['a bare LF and another length', 'chunked\nContent-Length: 4'],
];

const names: readonly (readonly [title: string, line: string])[] = [
  ['a blank before the colon (RFC 9112 5.1)', 'Transfer-Encoding : chunked'],
  ['a tab before the colon', 'Transfer-Encoding\t: chunked'],
  ['a blank before the name', ' Transfer-Encoding: chunked'],
  ['a NUL in the name', 'Transfer\0-Encoding: chunked'],
  ['a CR before the name', '\rTransfer-Encoding: chunked'],
  ['a byte above ASCII after the name', 'Transfer-Encoding\xa0: chunked'],
  ['no colon', 'Transfer-Encoding chunked'],
  ['an equals sign for the colon', 'Transfer-Encoding= chunked'],
  ['two colons', 'Transfer-Encoding:: chunked'],
];

/** Fields of another name: to everybody the request has no body, and what follows is a request. */
const strangers: readonly string[] = [
  'Transfer_Encoding: chunked',
  'Transfer-Encodin: chunked',
  'Transfer-Encodings: chunked',
  'X-Transfer-Encoding: chunked',
  'Content-Encoding: chunked',
];

const hello: ExpectedRequest = { line: 'POST /x HTTP/1.1', body: 'hello' };
const five = '5\r\nhello\r\n0\r\n\r\n';
const bothWays = ['plain', 'buffered'] as const;

export const transferEncoding: readonly RawCase[] = [
  ...values.map(([title, value]) => refused(`Transfer-Encoding: ${title}`, te(value))),
  ...controls.map(([title, value]) => refused(`Transfer-Encoding with ${title}`, te(value))),
  ...names.map(([title, line]) => refused(`Transfer-Encoding with ${title}`, post(line, BODY))),
  ...strangers.map(
    (line): RawCase => ({
      title: `${line} is a field like any other`,
      send: post(line, 'GET /x HTTP/1.1\r\nHost: web\r\n\r\n'),
      expectUpstream: [
        { line: 'POST /x HTTP/1.1', framing: 'none', fields: { 'transfer-encoding': undefined } },
        'GET /x HTTP/1.1',
      ],
      expectClient: [200, 200],
      closed: false,
    }),
  ),
  { ...passes('chunked', chunked(five), hello), lanes: bothWays },
  {
    ...passes('CHUNKED: codings know no case (RFC 9112 7)', post('Transfer-Encoding: CHUNKED', five), hello),
    lanes: bothWays,
  },
  { ...passes('a name in odd case', post('tRANSFER-eNCODING: Chunked', five), hello), lanes: bothWays },
  {
    ...passes('blanks and tabs around chunked', post('Transfer-Encoding: \t chunked \t', five), hello),
    lanes: bothWays,
  },
  { ...passes('no blank after the colon', post('Transfer-Encoding:chunked', five), hello), lanes: bothWays },
  {
    ...passes('a chunked GET', `GET /x HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n${five}`, {
      line: 'GET /x HTTP/1.1',
      body: 'hello',
    }),
    lanes: bothWays,
  },
  passes(
    'TE: chunked is no framing and goes no further (RFC 9110 10.1.4)',
    'GET /x HTTP/1.1\r\nHost: web\r\nTE: chunked\r\n\r\n',
    {
      line: 'GET /x HTTP/1.1',
      framing: 'none',
      fields: { te: undefined },
    },
  ),
  refused(
    'chunked in two lines (RFC 9112 6.1)',
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], BODY),
  ),
  refused(
    'gzip and chunked in two lines',
    post(['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'], BODY),
  ),
  refused(
    'chunked and identity in two lines',
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], BODY),
  ),
  refused(
    'chunked and an empty line of it',
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding:'], BODY),
  ),
  refused(
    'Transfer-Encoding, then Content-Length (RFC 9112 6.1)',
    post(['Transfer-Encoding: chunked', 'Content-Length: 5'], BODY),
  ),
  refused(
    'Content-Length, then Transfer-Encoding (RFC 9112 6.3)',
    post(['Content-Length: 5', 'Transfer-Encoding: chunked'], BODY),
  ),
  refused(
    'Content-Length: 0 and Transfer-Encoding',
    post(['Content-Length: 0', 'Transfer-Encoding: chunked'], BODY),
  ),
  refused(
    'Transfer-Encoding between two Content-Lengths',
    post(['Content-Length: 5', 'Transfer-Encoding: chunked', 'Content-Length: 5'], BODY),
  ),
  refused(
    'Transfer-Encoding: identity with Content-Length',
    post(['Transfer-Encoding: identity', 'Content-Length: 5'], BODY),
  ),
  refused(
    'Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)',
    `POST /x HTTP/1.0\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n${BODY}`,
  ),
  refused(
    'Transfer-Encoding in HTTP/1.0 that is kept alive',
    `POST /x HTTP/1.0\r\nHost: web\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${BODY}`,
  ),
  refused(
    'Transfer-Encoding that Connection names, with Content-Length',
    post(['Connection: Transfer-Encoding', 'Content-Length: 5', 'Transfer-Encoding: chunked'], BODY),
  ),
];
