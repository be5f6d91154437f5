/**
 * Why a peer is refused, in words that a user can act on and as a reason to count by. A refusal names what
 * was expected, what the certificate bears and every reason found: chain, dates and name are judged apart, so
 * all of them are told.
 */
import type { X509Certificate } from 'node:crypto';
import { certificateNames, printable, showNames } from './certificate-names.ts';
import { verifyPeerName } from './verify-name.ts';

/** Names of metrics. `by_peer`: it is the peer that refuses us. */
export type RefusalReason =
  | 'no_certificate'
  | 'self_signed'
  | 'unknown_ca'
  | 'bad_signature'
  | 'expired'
  | 'not_yet_valid'
  | 'wrong_usage'
  | 'wrong_name'
  | 'by_peer'
  | 'other';

export type Refusal = { readonly reasons: readonly RefusalReason[]; readonly text: string };

export type Presented = {
  /** Absent when the peer showed none. */
  readonly certificate: X509Certificate | undefined;
  /** OpenSSL's code for a chain that is not trusted; absent when it is. */
  readonly chainError: string | undefined;
};

/** What OpenSSL wants at its security level 2, the default. */
const RSA_BITS_MIN = 2048;

type Side = 'server' | 'client';
type Found = readonly [RefusalReason, text: string];

/** Undefined when the server is who it should be. */
export function serverRefusal(serverName: string, presented: Presented, wallMs: number): Refusal | undefined {
  const expected = printable(serverName);
  const { certificate } = presented;
  if (certificate === undefined) {
    return {
      reasons: ['no_certificate'],
      text: `expected a certificate for "${expected}", the peer sent none`,
    };
  }
  const names = certificateNames(certificate);
  const found = certificateProblems('server', certificate, presented.chainError, wallMs);
  if (!verifyPeerName(serverName, names)) found.push(['wrong_name', 'wrong name']);
  const start = `expected the name "${expected}", the certificate bears ${showNames(names)}`;
  return refusalOf(start, found);
}

/** Undefined when the client has shown a certificate that may be trusted; any name will do. */
export function clientRefusal(presented: Presented, wallMs: number): Refusal | undefined {
  const { certificate } = presented;
  if (certificate === undefined) {
    return { reasons: ['no_certificate'], text: 'the client showed no certificate, and one is required' };
  }
  const found = certificateProblems('client', certificate, presented.chainError, wallMs);
  return refusalOf(`the certificate bears ${showNames(certificateNames(certificate))}`, found);
}

function refusalOf(start: string, found: readonly Found[]): Refusal | undefined {
  if (found.length === 0) return undefined;
  const text = `${start}; refused: ${found.map(([, words]) => words).join(', and ')}`;
  return { reasons: found.map(([reason]) => reason), text };
}

/** OpenSSL tells one error of a chain; the dates of the certificate itself are looked at besides. */
function certificateProblems(
  side: Side,
  certificate: X509Certificate,
  chainError: string | undefined,
  wallMs: number,
): Found[] {
  const { validFromDate, validToDate } = certificate;
  const found: Found[] = [];
  if (validToDate.getTime() < wallMs) found.push(['expired', `expired on ${validToDate.toISOString()}`]);
  if (validFromDate.getTime() > wallMs) {
    found.push(['not_yet_valid', `not valid before ${validFromDate.toISOString()}`]);
  }
  if (chainError === undefined) return found;
  const chain = chainProblem(side, chainError, certificate);
  if (!found.some(([reason]) => reason === chain[0])) found.push(chain);
  return found;
}

function chainProblem(side: Side, code: string, certificate: X509Certificate): Found {
  const issuer = printable(certificate.issuer.replaceAll('\n', ', '));
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return ['self_signed', 'the certificate is self-signed and not among the trusted ones'];
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return [
        'unknown_ca',
        `unknown CA: its chain ends in a self-signed certificate that is not trusted (issuer ${issuer})`,
      ];
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return [
        'unknown_ca',
        `unknown CA: no trusted certificate of its issuer (${issuer}); ` +
          'an intermediate certificate may be missing',
      ];
    case 'INVALID_CA':
      return ['unknown_ca', `its issuer (${issuer}) may not issue certificates`];
    case 'CERT_SIGNATURE_FAILURE':
      return ['bad_signature', `its signature is not by the trusted CA of that name (${issuer})`];
    case 'CERT_HAS_EXPIRED':
      return ['expired', 'a certificate of its chain has expired'];
    case 'CERT_NOT_YET_VALID':
      return ['not_yet_valid', 'a certificate of its chain is not valid yet'];
    case 'PATH_LENGTH_EXCEEDED':
      return ['unknown_ca', 'an authority of its chain may not have so many authorities below'];
    case 'INVALID_PURPOSE':
      if (certificate.issuerCertificate?.ca === false) return chainProblem(side, 'INVALID_CA', certificate);
      return ['wrong_usage', `it may not be used by a ${side} (key usage, extended key usage)`];
    case 'UNSPECIFIED':
      return ['other', unnamedProblem(certificate)];
    default:
      return ['other', printable(code)];
  }
}

/** OpenSSL's reasons for which Node has no code. */
function unnamedProblem({ publicKey }: X509Certificate): string {
  const { modulusLength = RSA_BITS_MIN } = publicKey.asymmetricKeyDetails ?? {};
  if (modulusLength < RSA_BITS_MIN) return `its key is too short (RSA with ${modulusLength} bits)`;
  return (
    'its chain is not acceptable: a signature with SHA-1 or MD5, a key that is too short, ' +
    'a name that its authority may not sign for, or a critical extension that is not known'
  );
}
