/**
 * The header fields of one message, in order and with the names as they were received. The fields that a
 * router looks at have a number (an id), found while the head is parsed, so that no stage compares names
 * again. A field is removed by overwriting its id: nothing is spliced.
 */

/** Ids are bit positions of `seen` (1..31); 0 is any other field, -1 a removed one. */
export const Field = {
  removed: -1,
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  te: 6,
  trailer: 7,
  upgrade: 8,
  expect: 9,
  via: 10,
  maxForwards: 11,
  proxyAuthenticate: 12,
  proxyAuthorization: 13,
  proxyConnection: 14, // proxy-connection, http2-settings: about one connection only
  forwardedClientCert: 15, // x-forwarded-client-cert
  l5dDtab: 16,
  l5dCtxDtab: 17,
  l5dCtxDeadline: 18,
  l5dCtxTrace: 19,
  l5dSample: 20,
  l5dDst: 21, // l5d-dst-service, l5d-dst-client, l5d-dst-residual
  l5dReqid: 22,
  l5dErr: 23,
  l5dRetryable: 24,
  l5dSuccessClass: 25,
  l5dAddContext: 26,
  l5dOther: 27, // any other name that starts with l5d-
  retryAfter: 28,
  nack: 29, // finagle-http-nack, finagle-http-nonretryable-nack
  location: 30, // location, refresh
  b3: 31, // x-b3-*, traceparent
} as const;

const CERT_NAME = 'x-forwarded-client-cert';

const BY_NAME = new Map<string, number>([
  ['host', Field.host],
  ['content-length', Field.contentLength],
  ['transfer-encoding', Field.transferEncoding],
  ['connection', Field.connection],
  ['keep-alive', Field.keepAlive],
  ['te', Field.te],
  ['trailer', Field.trailer],
  ['upgrade', Field.upgrade],
  ['expect', Field.expect],
  ['via', Field.via],
  ['max-forwards', Field.maxForwards],
  ['proxy-authenticate', Field.proxyAuthenticate],
  ['proxy-authorization', Field.proxyAuthorization],
  ['proxy-connection', Field.proxyConnection],
  ['http2-settings', Field.proxyConnection],
  [CERT_NAME, Field.forwardedClientCert],
  ['l5d-dtab', Field.l5dDtab],
  ['l5d-ctx-dtab', Field.l5dCtxDtab],
  ['l5d-ctx-deadline', Field.l5dCtxDeadline],
  ['l5d-ctx-trace', Field.l5dCtxTrace],
  ['l5d-sample', Field.l5dSample],
  ['l5d-dst-service', Field.l5dDst],
  ['l5d-dst-client', Field.l5dDst],
  ['l5d-dst-residual', Field.l5dDst],
  ['l5d-reqid', Field.l5dReqid],
  ['l5d-err', Field.l5dErr],
  ['l5d-retryable', Field.l5dRetryable],
  ['l5d-success-class', Field.l5dSuccessClass],
  ['l5d-add-context', Field.l5dAddContext],
  ['retry-after', Field.retryAfter],
  ['finagle-http-nack', Field.nack],
  ['finagle-http-nonretryable-nack', Field.nack],
  ['location', Field.location],
  ['refresh', Field.location],
  ['x-b3-traceid', Field.b3],
  ['x-b3-spanid', Field.b3],
  ['x-b3-parentspanid', Field.b3],
  ['x-b3-sampled', Field.b3],
  ['x-b3-flags', Field.b3],
  ['traceparent', Field.b3],
]);

type KnownName = { readonly name: string; readonly id: number };

/**
 * The known names by length: a name is compared with the few of its own, without a copy and a hash (0.8 of
 * the time of a map of lower-case names).
 */
const BY_LENGTH: KnownName[][] = Array.from({ length: 31 }, () => []);
for (const [name, id] of BY_NAME) (BY_LENGTH[name.length] as KnownName[]).push({ name, id });

const LOWER_A = 0x61;
const DASH = 0x2d;

/** The id of a field name, whatever its case. */
export function fieldId(name: string): number {
  const known = BY_LENGTH[name.length];
  if (known !== undefined) {
    for (let i = 0; i < known.length; i++) {
      const each = known[i] as KnownName;
      if (isSpelled(name, each.name)) return each.id;
    }
  }
  // To CGI and WSGI it is the same name with underscores, and it says who the caller is.
  if (name.length === CERT_NAME.length && name.toLowerCase().replaceAll('_', '-') === CERT_NAME) {
    return Field.forwardedClientCert;
  }
  return name.charCodeAt(3) === DASH && isSpelled(name, 'l5d-') ? Field.l5dOther : Field.other;
}

/** `name` begins with `lower`, in any case. */
function isSpelled(name: string, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    const code = lower.charCodeAt(i);
    const given = name.charCodeAt(i);
    // A letter differs from its capital by one bit; other characters must be the same.
    if (given !== code && (code < LOWER_A || (given | 0x20) !== code)) return false;
  }
  return true;
}

/** Further names that are met all the time. */
const FREQUENT = [
  'accept',
  'accept-encoding',
  'accept-language',
  'accept-ranges',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-type',
  'cookie',
  'date',
  'etag',
  'last-modified',
  'server',
  'user-agent',
  'vary',
  'x-request-id',
];

type UsualName = { readonly text: string; readonly bytes: Uint8Array; readonly id: number };

/** By length: names as senders spell them, in lower case and with capitals. */
const USUAL: UsualName[][] = Array.from({ length: 31 }, () => []);
for (const name of [...BY_NAME.keys(), ...FREQUENT]) {
  for (const text of new Set([name.replace(/(?<![^-])[a-z]/g, (letter) => letter.toUpperCase()), name])) {
    USUAL[name.length]?.push({ text, bytes: Buffer.from(text, 'latin1'), id: fieldId(name) });
  }
}

/**
 * The name that stands in `bytes`, with its id, if it is spelled as usual: no copy is made of it then, and
 * its id need not be looked for (17 of 61 ns for a `Content-Type`).
 */
function usualName(bytes: Uint8Array, from: number, to: number): UsualName | undefined {
  const usual = USUAL[to - from];
  if (usual === undefined) return undefined;
  for (let i = 0; i < usual.length; i++) {
    const each = usual[i] as UsualName;
    let at = from;
    while (at < to && bytes[at] === each.bytes[at - from]) at++;
    if (at === to) return each;
  }
  return undefined;
}

/** Where fields stand in a text: for each of them begin and end of the name, begin and end of the value. */
export class FieldPlaces {
  /** Four a field. */
  places = new Int32Array(256);
  count = 0;

  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    let at = 4 * this.count;
    if (at === this.places.length) {
      const longer = new Int32Array(2 * at);
      longer.set(this.places);
      this.places = longer;
    }
    this.places[at++] = nameStart;
    this.places[at++] = nameEnd;
    this.places[at++] = valueStart;
    this.places[at] = valueEnd;
    this.count++;
  }
}

export class Fields {
  /** Parallel arrays; `names` as received, `values` without surrounding blanks, both one character a byte. */
  readonly names: string[];
  readonly values: string[];
  readonly ids: number[];
  /** Bit `id` is set when a field with that id has been added (it may have been removed since). */
  seen = 0;

  /**
   * Room for `count` fields, which `cut` fills: arrays that grow by one have room for 17 (150 bytes each).
   */
  constructor(count = 0) {
    this.names = new Array<string>(count);
    this.values = new Array<string>(count);
    this.ids = new Array<number>(count);
  }

  static of(pairs: readonly (readonly [string, string])[]): Fields {
    const fields = new Fields();
    for (const [name, value] of pairs) fields.add(name, value);
    return fields;
  }

  /** The fields that stand at `places` of `text`; character 0 of it is byte `base` of `bytes`. */
  static cut(text: string, bytes: Uint8Array, base: number, { places, count }: FieldPlaces): Fields {
    const fields = new Fields(count);
    for (let i = 0; i < count; i++) {
      const nameStart = places[4 * i] as number;
      const nameEnd = places[4 * i + 1] as number;
      const usual = usualName(bytes, base + nameStart, base + nameEnd);
      const name = usual === undefined ? text.slice(nameStart, nameEnd) : usual.text;
      const id = usual === undefined ? fieldId(name) : usual.id;
      fields.names[i] = name;
      fields.values[i] = text.slice(places[4 * i + 2] as number, places[4 * i + 3] as number);
      fields.ids[i] = id;
      if (id > 0) fields.seen |= 1 << id;
    }
    return fields;
  }

  add(name: string, value: string, id: number = fieldId(name)): void {
    this.names.push(name);
    this.values.push(value);
    this.ids.push(id);
    if (id > 0) this.seen |= 1 << id;
  }

  /** False only if no such field is there: the cheap test before any loop. */
  mayHave(id: number): boolean {
    return (this.seen & (1 << id)) !== 0;
  }

  /** The first value of a field with an id. */
  first(id: number): string | undefined {
    if (!this.mayHave(id)) return undefined;
    const at = this.ids.indexOf(id);
    return at === -1 ? undefined : this.values[at];
  }

  /** All values of a field with an id, in order. */
  all(id: number): string[] {
    if (!this.mayHave(id)) return [];
    return this.values.filter((_, i) => this.ids[i] === id);
  }

  /** The first value of a field by its lower-case name, for names without an id. */
  named(lowerName: string): string | undefined {
    for (let i = 0; i < this.names.length; i++) {
      const name = this.names[i] as string;
      if (name.length === lowerName.length && this.ids[i] !== Field.removed && isSpelled(name, lowerName)) {
        return this.values[i];
      }
    }
    return undefined;
  }

  remove(id: number): void {
    if (!this.mayHave(id)) return;
    for (let i = 0; i < this.ids.length; i++) if (this.ids[i] === id) this.ids[i] = Field.removed;
    this.seen &= ~(1 << id);
  }

  removeAt(index: number): void {
    this.ids[index] = Field.removed;
  }

  removeNamed(lowerName: string): void {
    for (let i = 0; i < this.names.length; i++) {
      if (this.ids[i] !== Field.removed && this.names[i]?.toLowerCase() === lowerName)
        this.ids[i] = Field.removed;
    }
  }

  /** What is left, in order. */
  pairs(): [string, string][] {
    const pairs: [string, string][] = [];
    for (let i = 0; i < this.names.length; i++) {
      if (this.ids[i] !== Field.removed) pairs.push([this.names[i] as string, this.values[i] as string]);
    }
    return pairs;
  }
}
