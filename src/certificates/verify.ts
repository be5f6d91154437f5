/**
 * Does a certificate do what a router needs of it? The chain up to a trusted certificate, the dates of each
 * of its certificates, usage, names and key are judged apart, so that everything that is wrong is told at
 * once. Constraints on names within a chain are not looked at.
 */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { certificateNames, showNames } from '../../routers/tls/certificate-names.ts';
import { verifyPeerName } from '../../routers/tls/verify-name.ts';
import { pathLengthOf } from '../certs.ts';
import { ageOf, isIssuedBy, isSelfSigned, issuerOf, isValidAt, subjectOf } from './describe.ts';

export type ToVerify = {
  /** The certificate itself, then those between it and the authority, in any order. */
  readonly certificates: readonly X509Certificate[];
  readonly trusted: readonly X509Certificate[];
  /** Names that the certificate must bear. */
  readonly names: readonly string[];
  readonly key?: KeyObject;
};

const CHAIN_LENGTH_MAX = 10;
const SERVER_USE = '1.3.6.1.5.5.7.3.1';
const ANY_USE = '2.5.29.37.0';

/** What is wrong; nothing when the certificate is good. */
export function verifyCertificate(
  { certificates, trusted, names, key }: ToVerify,
  nowMs: number,
): readonly string[] {
  const [leaf, ...between] = certificates;
  if (leaf === undefined) return ['there is no certificate'];
  const chain = chainOf(leaf, between, trusted);
  const problems = typeof chain === 'string' ? [chain] : [];
  for (const certificate of typeof chain === 'string' ? [leaf] : chain) {
    if (isValidAt(certificate, nowMs)) continue;
    const age = ageOf(certificate, nowMs);
    problems.push(certificate === leaf ? age : `${age}: ${subjectOf(certificate)}, which signs it`);
  }
  const usage: readonly string[] | undefined = leaf.keyUsage;
  if (usage !== undefined && !usage.includes(SERVER_USE) && !usage.includes(ANY_USE)) {
    problems.push('it may not be used by a server (extended key usage)');
  }
  const borne = certificateNames(leaf);
  for (const name of names) {
    if (!verifyPeerName(name, borne))
      problems.push(`wrong name: it is not for "${name}" (${showNames(borne)})`);
  }
  if (key !== undefined && !leaf.checkPrivateKey(key)) problems.push('the key does not belong to it');
  return problems;
}

/** From the leaf to a trusted certificate, or why there is no such way. */
function chainOf(
  leaf: X509Certificate,
  between: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
): readonly X509Certificate[] | string {
  const isTrusted = (one: X509Certificate): boolean => trusted.some((other) => other.raw.equals(one.raw));
  const climb = (chain: readonly X509Certificate[]): readonly X509Certificate[] | undefined => {
    const last = chain.at(-1) ?? leaf;
    if (isTrusted(last)) return chain;
    if (chain.length === CHAIN_LENGTH_MAX) return undefined;
    for (const issuer of [...trusted, ...between]) {
      if (chain.includes(issuer) || !maySign(issuer, chain.length - 1) || !isIssuedBy(last, issuer)) continue;
      const found = climb([...chain, issuer]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return climb([leaf]) ?? whyNoChain(leaf, [...between, ...trusted]);
}

/** `below`: the number of authorities between the issuer and the leaf. */
function maySign(issuer: X509Certificate, below: number): boolean {
  return issuer.ca && below <= (pathLengthOf(issuer) ?? Number.POSITIVE_INFINITY);
}

function whyNoChain(leaf: X509Certificate, others: readonly X509Certificate[]): string {
  if (isSelfSigned(leaf)) return 'it is self-signed and not among the trusted certificates';
  const namesakes = others.filter((other) => leaf.issuer === other.subject);
  if (namesakes.length === 0) {
    return `unknown CA: its issuer (${issuerOf(leaf)}) is neither in the file nor trusted`;
  }
  if (!namesakes.some((other) => leaf.verify(other.publicKey))) {
    return `its signature is not by the trusted CA of that name (${issuerOf(leaf)})`;
  }
  if (!namesakes.some((other) => other.ca)) return `its issuer (${issuerOf(leaf)}) is not an authority`;
  return `the chain of its issuer (${issuerOf(leaf)}) leads to no trusted certificate`;
}
