/**
 * Why a server is refused, in words that a user can act on. A refusal names what was expected, what the
 * certificate bears and every reason found: chain and name are judged apart, so both are told.
 */
import type { X509Certificate } from 'node:crypto';
import { certificateNames, printable, showNames } from './certificate-names.ts';
import { verifyPeerName } from './verify-name.ts';

export type Presented = {
  /** Absent when the peer showed none. */
  readonly certificate: X509Certificate | undefined;
  /** OpenSSL's code for a chain that is not trusted; absent when it is. */
  readonly chainError: string | undefined;
};

/** The text of the refusal, or undefined when the peer is who it should be. */
export function refusal(serverName: string, presented: Presented, wallMs: number): string | undefined {
  const { certificate, chainError } = presented;
  if (certificate === undefined)
    return `expected a certificate for "${printable(serverName)}", the peer sent none`;
  const names = certificateNames(certificate);
  const reasons: string[] = [];
  if (chainError !== undefined) reasons.push(chainReason(chainError, certificate, wallMs));
  if (!verifyPeerName(serverName, names)) reasons.push('wrong name');
  if (reasons.length === 0) return undefined;
  return (
    `expected the name "${printable(serverName)}", the certificate bears ${showNames(names)}; ` +
    `refused: ${reasons.join(', and ')}`
  );
}

function chainReason(code: string, certificate: X509Certificate, wallMs: number): string {
  const issuer = printable(certificate.issuer.replaceAll('\n', ', '));
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'the certificate is self-signed and not among the trusted ones';
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return `unknown CA: its chain ends in a self-signed certificate that is not trusted (issuer ${issuer})`;
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return (
        `unknown CA: no trusted certificate of its issuer (${issuer}); ` +
        'an intermediate certificate may be missing'
      );
    case 'CERT_SIGNATURE_FAILURE':
      return `its signature is not by the trusted CA of that name (${issuer})`;
    case 'CERT_HAS_EXPIRED':
      return certificate.validToDate.getTime() < wallMs
        ? `expired on ${certificate.validToDate.toISOString()}`
        : 'a certificate of its chain has expired';
    case 'CERT_NOT_YET_VALID':
      return certificate.validFromDate.getTime() > wallMs
        ? `not valid before ${certificate.validFromDate.toISOString()}`
        : 'a certificate of its chain is not valid yet';
    case 'INVALID_PURPOSE':
      return 'it may not be used by a server (extended key usage)';
    default:
      return printable(code);
  }
}
