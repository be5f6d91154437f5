/**
 * Makes certificate authorities and leaf certificates. node-forge writes the ASN.1; keys and signatures come
 * from node:crypto in its thread pool, so EC works and nothing blocks. What is issued passes `openssl verify
 * -x509_strict`. Private keys are returned as PKCS#8 PEM and are never written to disk here.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { isSelfSigned } from './certificates/describe.ts';

const { asn1, util } = forge;
type Asn1 = forge.asn1.Asn1;

export type KeyType = 'ec' | 'rsa';

export type Validity = {
  /** Default: five minutes ago, for peers whose clock is a little slow. */
  readonly notBefore?: Date;
  /** Default: 365 days from now. */
  readonly notAfter?: Date;
};

export type AuthorityOptions = Validity & { readonly commonName: string; readonly keyType?: KeyType };

export type LeafOptions = Validity & {
  readonly commonName: string;
  /** Subject alternative names; without any the extension is left out and only the common name identifies. */
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly keyType?: KeyType;
};

export type Issued = { readonly certPem: string; readonly keyPem: string };

type Holder = {
  readonly name: Asn1;
  /** Absent for an authority of another origin that has none. */
  readonly keyId: string | undefined;
  readonly key: KeyObject;
};

const CLOCK_SKEW_MS = 5 * 60_000;
const DEFAULT_LIFETIME_MS = 365 * 24 * 3_600_000;

const OID = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
} as const;

export class CertificateAuthority {
  readonly certPem: string;
  readonly keyPem: string;
  /** PEM of the certificates between this authority and the root, this one first; empty for a root. */
  readonly intermediatesPem: string;
  readonly #holder: Holder;

  private constructor(issued: Issued, holder: Holder, intermediatesPem: string) {
    this.certPem = issued.certPem;
    this.keyPem = issued.keyPem;
    this.intermediatesPem = intermediatesPem;
    this.#holder = holder;
  }

  /** A self-signed root. */
  static async create(options: AuthorityOptions): Promise<CertificateAuthority> {
    const holder = await newHolder(options.commonName, options.keyType);
    const certPem = await certify(holder, holder, options, authorityExtensions(holder, holder));
    return new CertificateAuthority({ certPem, keyPem: privatePem(holder.key) }, holder, '');
  }

  /**
   * An authority that exists: its certificate, those between it and the root, and its key, all PEM. Throws an
   * Error that says why it cannot issue anything.
   */
  static load(certPems: readonly string[], keyPem: string): CertificateAuthority {
    const [certPem = '', ...intermediates] = certPems;
    const certificate = new X509Certificate(certPem);
    const key = createPrivateKey(keyPem);
    if (!certificate.ca) throw new Error('its certificate is not that of an authority (CA:TRUE is missing)');
    if (!certificate.checkPrivateKey(key)) throw new Error('its key does not belong to its certificate');
    const { subject, extensions } = certificateParts(certificate);
    const keyId = extensions.get(OID.subjectKeyIdentifier)?.value;
    const holder = { name: subject, keyId: typeof keyId === 'string' ? keyId : undefined, key };
    const above = intermediates.filter((pem) => !isSelfSigned(new X509Certificate(pem)));
    const passedOn = isSelfSigned(certificate) ? [] : [certPem, ...above];
    return new CertificateAuthority({ certPem, keyPem: privatePem(key) }, holder, passedOn.join(''));
  }

  /** An authority below this one, allowed to issue leaves only. */
  async intermediate(options: AuthorityOptions): Promise<CertificateAuthority> {
    const holder = await newHolder(options.commonName, options.keyType);
    const certPem = await certify(
      holder,
      this.#holder,
      options,
      authorityExtensions(holder, this.#holder, 0),
    );
    return new CertificateAuthority(
      { certPem, keyPem: privatePem(holder.key) },
      holder,
      certPem + this.intermediatesPem,
    );
  }

  /** A certificate and key for one workload, usable as server and as client. */
  async issue(options: LeafOptions): Promise<Issued> {
    const holder = await newHolder(options.commonName, options.keyType);
    const certPem = await certify(
      holder,
      this.#holder,
      options,
      leafExtensions(holder, this.#holder, options),
    );
    return { certPem, keyPem: privatePem(holder.key) };
  }
}

async function newHolder(commonName: string, keyType: KeyType = 'ec'): Promise<Holder> {
  const { privateKey } =
    keyType === 'ec'
      ? await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
      : await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  // RFC 7093 section 2, method 4: any hash of the whole public key will do; 160 bits of SHA-256 here.
  const keyId = createHash('sha256')
    .update(publicDer(privateKey))
    .digest()
    .subarray(0, 20)
    .toString('latin1');
  return { name: distinguishedName(commonName), keyId, key: privateKey };
}

async function certify(
  subject: Holder,
  issuer: Holder,
  validity: Validity,
  extensions: readonly Asn1[],
): Promise<string> {
  const notBefore = validity.notBefore ?? new Date(Date.now() - CLOCK_SKEW_MS);
  const notAfter = validity.notAfter ?? new Date(Date.now() + DEFAULT_LIFETIME_MS);
  const algorithm = signatureAlgorithm(issuer.key);
  const body = sequence(
    context(0, [integer('\x02')]),
    integer(serialNumber()),
    algorithm,
    issuer.name,
    sequence(time(notBefore), time(notAfter)),
    subject.name,
    asn1.fromDer(publicDer(subject.key).toString('latin1')),
    context(3, [sequence(...extensions)]),
  );
  const signed = Buffer.from(asn1.toDer(body).getBytes(), 'latin1');
  const signature = await promisify(sign)('sha256', signed, issuer.key);
  const der = asn1.toDer(sequence(body, algorithm, bitString(0, signature.toString('latin1')))).getBytes();
  return new X509Certificate(Buffer.from(der, 'latin1')).toString();
}

function authorityExtensions(subject: Holder, issuer: Holder, pathLength?: number): Asn1[] {
  const isAuthority = universal(asn1.Type.BOOLEAN, '\xff');
  const limit = pathLength === undefined ? [] : [integer(String.fromCharCode(pathLength))];
  return [
    extension(OID.basicConstraints, sequence(isAuthority, ...limit), true),
    // Bits 5 and 6: keyCertSign, cRLSign.
    extension(OID.keyUsage, bitString(1, '\x06'), true),
    ...keyIdentifiers(subject, issuer),
  ];
}

/** How many authorities may stand between this one and a leaf; undefined when nothing limits it. */
export function pathLengthOf(certificate: X509Certificate): number | undefined {
  const constraints = certificateParts(certificate).extensions.get(OID.basicConstraints)?.value;
  const limit = Array.isArray(constraints) ? constraints[1]?.value : undefined;
  return typeof limit === 'string' ? Number.parseInt(util.bytesToHex(limit), 16) : undefined;
}

/** What X509Certificate does not tell: the subject as it is encoded, and the extensions by their OID. */
function certificateParts(certificate: X509Certificate): { subject: Asn1; extensions: Map<string, Asn1> } {
  const whole = asn1.fromDer(certificate.raw.toString('latin1'));
  // RFC 5280 4.1: version, serial number, algorithm, issuer, validity, subject, key, and tag 3 at the end.
  const fields = children(children(whole)[0]);
  const subject = fields[5];
  if (subject === undefined) throw new Error('its certificate has no subject');
  const tagged = fields.find(({ tagClass, type }) => tagClass === asn1.Class.CONTEXT_SPECIFIC && type === 3);
  const extensions = new Map<string, Asn1>();
  for (const extension of children(children(tagged)[0])) {
    const oid = children(extension)[0]?.value;
    const payload = children(extension).at(-1)?.value;
    if (typeof oid !== 'string' || typeof payload !== 'string') continue;
    extensions.set(asn1.derToOid(oid), asn1.fromDer(payload));
  }
  return { subject, extensions };
}

const children = (value: Asn1 | undefined): Asn1[] => (Array.isArray(value?.value) ? value.value : []);

function leafExtensions(subject: Holder, issuer: Holder, options: LeafOptions): Asn1[] {
  const dnsNames = (options.dnsNames ?? []).map((name) => contextString(2, name));
  const addresses = (options.ipAddresses ?? []).map((ip) => contextString(7, addressBytes(ip)));
  const names = [...dnsNames, ...addresses];
  // Bit 0: digitalSignature; bit 2, for RSA key exchange: keyEncipherment.
  const usage = subject.key.asymmetricKeyType === 'rsa' ? bitString(5, '\xa0') : bitString(7, '\x80');
  return [
    extension(OID.basicConstraints, sequence(), true),
    extension(OID.keyUsage, usage, true),
    extension(OID.extKeyUsage, sequence(objectId(OID.serverAuth), objectId(OID.clientAuth))),
    ...(names.length === 0 ? [] : [extension(OID.subjectAltName, sequence(...names))]),
    ...keyIdentifiers(subject, issuer),
  ];
}

function keyIdentifiers(subject: Holder, issuer: Holder): Asn1[] {
  return [
    ...(subject.keyId === undefined
      ? []
      : [extension(OID.subjectKeyIdentifier, universal(asn1.Type.OCTETSTRING, subject.keyId))]),
    ...(issuer.keyId === undefined
      ? []
      : [extension(OID.authorityKeyIdentifier, sequence(contextString(0, issuer.keyId)))]),
  ];
}

function signatureAlgorithm(key: KeyObject): Asn1 {
  return key.asymmetricKeyType === 'rsa'
    ? sequence(objectId(OID.sha256WithRsa), universal(asn1.Type.NULL, ''))
    : sequence(objectId(OID.ecdsaWithSha256));
}

/** 127 random bits; the leading bits are fixed so that the encoding is positive and minimal. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('latin1');
}

/** RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on. */
function time(date: Date): Asn1 {
  return date.getUTCFullYear() < 2050
    ? universal(asn1.Type.UTCTIME, asn1.dateToUtcTime(date))
    : universal(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));
}

function distinguishedName(commonName: string): Asn1 {
  const value = universal(asn1.Type.UTF8, util.encodeUtf8(commonName));
  return sequence(
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, [sequence(objectId(OID.commonName), value)]),
  );
}

function extension(oid: string, value: Asn1, critical = false): Asn1 {
  const payload = universal(asn1.Type.OCTETSTRING, asn1.toDer(value).getBytes());
  return sequence(objectId(oid), ...(critical ? [universal(asn1.Type.BOOLEAN, '\xff')] : []), payload);
}

/** The 4 or 16 bytes of an address, one character each. */
function addressBytes(ip: string): string {
  if (isIP(ip) === 0) throw new RangeError(`not an IP address: ${ip}`);
  if (isIPv4(ip)) return String.fromCharCode(...ip.split('.').map(Number));
  // The URL parser prints the shortest form, without an embedded IPv4 part.
  const [head = '', tail] = new URL(`http://[${ip}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return String.fromCharCode(...all.flatMap((group) => [group >> 8, group & 0xff]));
}

const sequence = (...values: Asn1[]): Asn1 =>
  asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, values);
const universal = (type: forge.asn1.Type, bytes: string): Asn1 =>
  asn1.create(asn1.Class.UNIVERSAL, type, false, bytes);
const context = (tag: number, values: Asn1[]): Asn1 =>
  asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, true, values);
const contextString = (tag: number, bytes: string): Asn1 =>
  asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, false, bytes);
const integer = (bytes: string): Asn1 => universal(asn1.Type.INTEGER, bytes);
const objectId = (oid: string): Asn1 => universal(asn1.Type.OID, asn1.oidToDer(oid).getBytes());
const bitString = (unusedBits: number, bytes: string): Asn1 =>
  universal(asn1.Type.BITSTRING, String.fromCharCode(unusedBits) + bytes);

const publicDer = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });
const privatePem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
