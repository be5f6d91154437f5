/**
 * Reads HTTP/1 messages as the most pedantic receiver would, with nothing in common with the router's own parser:
 * whatever could be read in two ways is an error. It judges what the router emits on both sides.
 */
export type Framing = 'none' | 'chunked' | 'close' | number;

export type Message = {
  readonly line: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly framing: Framing;
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
};

export type Read = { readonly message: Message; readonly length: number };

/** The text cannot be read in exactly one way. */
export class Ambiguous extends Error {}

const REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e]+ HTTP\/1\.[01]$/;
const STATUS_LINE = /^HTTP\/1\.1 [1-9][0-9]{2} [\t\x20-\x7e\x80-\xff]*$/;
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\t\x20-\x7e\x80-\xff]*)$/;
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?$/;

function fieldsOf(lines: readonly string[]): [string, string][] {
  return lines.map((line) => {
    const match = FIELD.exec(line);
    const [, name, value] = match ?? [];
    if (name === undefined || value === undefined) throw new Ambiguous(`field line ${JSON.stringify(line)}`);
    if (/^[\t ]|[\t ]$/.test(value)) throw new Ambiguous(`blanks around ${JSON.stringify(line)}`);
    return [name, value];
  });
}

export function valuesOf(message: { readonly fields: Message['fields'] }, name: string): string[] {
  return message.fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
}

type Head = { line: string; fields: [string, string][]; length: number };

function headOf(text: string, firstLine: RegExp): Head | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  if (!firstLine.test(line)) throw new Ambiguous(`first line ${JSON.stringify(line)}`);
  return { line, fields: fieldsOf(lines), length: end + 4 };
}

/** What the head says of the body's end; undefined when it says nothing. */
function declared(head: Head): 'chunked' | number | undefined {
  const lengths = valuesOf(head, 'content-length');
  const codings = valuesOf(head, 'transfer-encoding');
  if (lengths.length + codings.length > 1)
    throw new Ambiguous(`two framings: ${[...lengths, ...codings].join()}`);
  if (codings.length === 1 && codings[0] !== 'chunked') throw new Ambiguous(`coding ${codings[0]}`);
  if (lengths.length === 1 && !/^(?:0|[1-9][0-9]{0,14})$/.test(lengths[0] ?? ''))
    throw new Ambiguous(`length ${lengths[0]}`);
  if (codings.length === 1) return 'chunked';
  return lengths.length === 1 ? Number(lengths[0]) : undefined;
}

function bodyOf(text: string, head: Head, framing: Framing, atEnd: boolean): Read | undefined {
  const { line, fields, length: start } = head;
  if (framing === 'chunked') return chunkedOf(text, head);
  const end = framing === 'none' ? start : framing === 'close' ? text.length : start + framing;
  if (text.length < end || (framing === 'close' && !atEnd)) return undefined;
  return { message: { line, fields, framing, body: text.slice(start, end), trailers: [] }, length: end };
}

function chunkedOf(text: string, { line, fields, length }: Head): Read | undefined {
  const pieces: string[] = [];
  for (let at = length; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = text.slice(at, lineEnd);
    if (!/^[0-9a-f]{1,12}$/.test(size)) throw new Ambiguous(`chunk size ${JSON.stringify(size)}`);
    const bytes = Number.parseInt(size, 16);
    if (bytes === 0) {
      const none = text.startsWith('\r\n', lineEnd + 2);
      const end = none ? lineEnd : text.indexOf('\r\n\r\n', lineEnd + 2);
      if (end === -1 || text.length < end + 4) return undefined;
      const trailers = none ? [] : fieldsOf(text.slice(lineEnd + 2, end).split('\r\n'));
      return {
        message: { line, fields, framing: 'chunked', body: pieces.join(''), trailers },
        length: end + 4,
      };
    }
    const dataEnd = lineEnd + 2 + bytes;
    if (text.length < dataEnd + 2) return undefined;
    if (!text.startsWith('\r\n', dataEnd)) throw new Ambiguous('chunk data without CRLF');
    pieces.push(text.slice(lineEnd + 2, dataEnd));
    at = dataEnd + 2;
  }
}

/** The request at the beginning of `text`; undefined when it is not complete. */
export function readRequest(text: string): Read | undefined {
  const head = headOf(text, REQUEST_LINE);
  if (head === undefined) return undefined;
  const hosts = valuesOf(head, 'host');
  const minor = head.line.endsWith('1') ? 1 : 0;
  if (hosts.length > 1 || (minor === 1 && hosts.length === 0))
    throw new Ambiguous(`${hosts.length} Host fields`);
  if (hosts.length === 1 && !HOST.test(hosts[0] ?? '')) throw new Ambiguous(`Host ${hosts[0]}`);
  const framing = declared(head);
  if (framing === 'chunked' && minor === 0) throw new Ambiguous('chunked in HTTP/1.0');
  return bodyOf(text, head, framing ?? 'none', false);
}

/** The head of the request at the beginning, when it is there. */
export function hasHead(text: string): boolean {
  return text.includes('\r\n\r\n');
}

/** The response at the beginning; `toHead`: it answers a HEAD; `atEnd`: nothing follows `text`. */
export function readResponse(text: string, toHead: boolean, atEnd: boolean): Read | undefined {
  const head = headOf(text, STATUS_LINE);
  if (head === undefined) return undefined;
  const status = Number(head.line.slice(9, 12));
  const framing = declared(head);
  if (status < 200 || status === 204) {
    if (framing !== undefined) throw new Ambiguous(`${status} with a framing header`);
    return bodyOf(text, head, 'none', atEnd);
  }
  if (toHead || status === 304) return bodyOf(text, head, 'none', atEnd);
  return bodyOf(text, head, framing ?? 'close', atEnd);
}
