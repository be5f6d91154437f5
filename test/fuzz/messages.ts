/** Messages by grammar, then damaged a little: what callers and endpoints might send. */
import fc from 'fast-check';
import { mutated } from './corpus.ts';

const token = fc.constantFrom('a', 'b', 'Z9', '!#$', 'Test');
const value = fc.constantFrom('', '1', 'y z', 'a, b', '"q;r"', '\xe4\xf6', 'x\ty', ': :', 'chunked', '5');
const line = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(token, value).map(([name, each]) => `X-${name}: ${each}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'Connection: keep-alive',
      'Connection: close',
      'Connection: X-a',
      'Content-Type: text/plain',
      'Accept: */*',
      'TE: trailers',
      'Via: 1.1 z',
      'Cookie: a=b',
    ),
  },
);
const text = fc.constantFrom(
  '',
  'hello',
  '0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: web\r\n\r\n',
  'z'.repeat(6000),
  '\0\xff\r\n',
);

const hex = (body: string): string => body.length.toString(16);
const chunksOf = (body: string, wild: string): string =>
  body === '' ? `0${wild}\r\n\r\n` : `${hex(body)}${wild}\r\n${body}\r\n0\r\n\r\n`;

/** How a body is framed, its lines and its bytes; some ways contradict themselves. */
const framed = fc.tuple(text, fc.nat(11)).map(([body, way]): [string[], string] => {
  const length = `Content-Length: ${body.length}`;
  const chunked = 'Transfer-Encoding: chunked';
  switch (way) {
    case 0:
      return [[chunked], chunksOf(body, '')];
    case 1:
      return [[chunked], chunksOf(body, ';x=y')];
    case 2:
      return [[chunked], `${chunksOf(body, '').slice(0, -2)}X-T: u\r\n\r\n`];
    case 3:
      return [[length, chunked], chunksOf(body, '')];
    case 4:
      return [[length, length], body];
    case 5:
      return [[length, `Content-Length: ${body.length + 1}`], body];
    case 6:
      return [['Transfer-Encoding: gzip, chunked'], chunksOf(body, '')];
    case 7:
      return [[], ''];
    default:
      return [[length], body];
  }
});

const withLines = (first: string, lines: readonly string[], body: string): string =>
  `${[first, ...lines].join('\r\n')}\r\n\r\n${body}`;

const target = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('/', '/x', '/a/b?c=d', '//x', '/%2e%2e/', '/x?u=http://y/', '/a;b'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'http://web/x',
      'http://web',
      'http://other:80/y?z',
      'https://web/x',
      '*',
      'web',
      'http://u@web/x',
      '/x#y',
      'ftp://web/',
    ),
  },
);
const method = fc.constantFrom(
  'GET',
  'GET',
  'POST',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'HEAD',
  'PATCH',
  'BREW',
);
const host = fc.oneof(
  { weight: 8, arbitrary: fc.constant(['Host: web']) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      [],
      ['Host: web', 'Host: web'],
      ['Host:'],
      ['Host: web:80'],
      ['Host: a b'],
      ['Host: a@b'],
    ),
  },
);

const request = fc
  .tuple(
    method,
    target,
    fc.constantFrom('1.1', '1.1', '1.1', '1.1', '1.0'),
    host,
    fc.array(line, { maxLength: 4 }),
    framed,
  )
  .map(([verb, where, version, hosts, lines, [framing, body]]) => {
    const plain = (verb === 'GET' || verb === 'HEAD') && framing.length === 1 && body.length > 100;
    return withLines(
      `${verb} ${where} HTTP/${version}`,
      [...hosts, ...lines, ...(plain ? [] : framing)],
      plain ? '' : body,
    );
  });

const response = fc
  .tuple(
    fc.constantFrom(200, 200, 200, 201, 404, 500, 204, 304, 206),
    fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
    fc.array(line, { maxLength: 4 }),
    framed,
    fc.nat(9),
  )
  .map(([status, version, lines, [framing, body], before]) => {
    const bare = status === 204 || status === 304;
    const whole = withLines(
      `HTTP/${version} ${status} Some Reason`,
      [...lines, ...(bare ? [] : framing)],
      bare ? '' : body,
    );
    return before === 0 ? `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${whole}` : whole;
  });

const damaged = (whole: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    whole,
    whole.chain((each) => mutated([each], 2)),
  );

/** What one connection of a caller carries: one to three messages, the last one perhaps cut. */
export const requestStreams: fc.Arbitrary<string> = fc
  .array(damaged(request), { minLength: 1, maxLength: 3 })
  .map((all) => all.join(''));

/** What an endpoint sends for one GET before it closes. */
export const responseStreams: fc.Arbitrary<string> = damaged(response);
