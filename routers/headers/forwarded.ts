/**
 * `addForwardedHeader`: one more `Forwarded` line (RFC 7239) with labels for this server and for the caller.
 * Labels that do not change are made once a connection; lines that are already there stay.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { ForwardedLabelSpec, ServerSpec } from '../../config/spec.ts';
import type { Rng } from '../../src/base/rng.ts';
import { fieldText } from './field-text.ts';

export type PeerAddress = { readonly ip: string; readonly port: number };

/** Undefined: a fresh random label for every request. */
type Label = string | undefined;

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const RANDOM_LENGTH = 6;

function randomLabel(rng: Rng): string {
  let label = '_';
  for (let i = 0; i < RANDOM_LENGTH; i++) label += ALPHANUMERIC[rng.below(ALPHANUMERIC.length)];
  return label;
}

/** An IPv4 address in IPv6 clothes is an IPv4 address; a zone is of no use to others. */
function plainIp(ip: string): string {
  const zone = ip.indexOf('%');
  const bare = zone === -1 ? ip : ip.slice(0, zone);
  return /^::ffff:[0-9.]+$/i.test(bare) ? bare.slice(7) : bare;
}

function isUnknown(ip: string): boolean {
  return !(isIPv4(ip) || isIPv6(ip)) || /^[0:.]+$/.test(ip);
}

/** The label of an address; a label that is not a token is quoted (RFC 7239 4). */
export function forwardedLabel(
  spec: ForwardedLabelSpec,
  address: PeerAddress,
  routerLabel: string,
  rng: Rng,
): Label {
  if (spec.kind === 'static') return hidden(spec.label);
  if (spec.kind === 'router') return hidden(routerLabel);
  const ip = plainIp(address.ip);
  if (isUnknown(ip)) return 'unknown';
  switch (spec.kind) {
    case 'ip':
      return isIPv6(ip) ? `"[${ip}]"` : ip;
    case 'ip:port':
      return isIPv6(ip) ? `"[${ip}]:${address.port}"` : `"${ip}:${address.port}"`;
    case 'connectionRandom':
      return randomLabel(rng);
    case 'requestRandom':
      return undefined;
  }
}

/** An obfuscated identifier starts with `_` and has few characters (RFC 7239 6.3); others are quoted. */
function hidden(label: string): string {
  return quoteUnless(/^[A-Za-z0-9._-]*$/, label.startsWith('_') ? label : `_${label}`);
}

function quoteUnless(plain: RegExp, text: string): string {
  return plain.test(text) ? text : `"${fieldText(text).replace(/["\\]/g, '\\$&')}"`;
}

/** Hosts are written as they are, as in linkerd; one that could pass for other parameters is quoted. */
const PLAIN_HOST = /^[A-Za-z0-9\-._~%!$&'*+:@[\]]*$/;

/** `scheme` only for a request that came in absolute form. `host` is as received. */
export function forwardedValue(
  by: string,
  forLabel: string,
  host: string | undefined,
  scheme: string | undefined,
): string {
  const hostPart = host === undefined ? '' : `;host=${quoteUnless(PLAIN_HOST, host)}`;
  return `by=${by};for=${forLabel}${hostPart}${scheme === undefined ? '' : `;proto=${scheme}`}`;
}

/** The labels of one connection. */
export class ForwardedLine {
  readonly #by: Label;
  readonly #for: Label;
  readonly #rng: Rng;

  constructor(
    spec: NonNullable<ServerSpec['addForwardedHeader']>,
    local: PeerAddress,
    remote: PeerAddress,
    routerLabel: string,
    rng: Rng,
  ) {
    this.#rng = rng;
    this.#by = forwardedLabel(spec.by, local, routerLabel, rng);
    this.#for = forwardedLabel(spec.for, remote, routerLabel, rng);
  }

  /** The value for one request, to be added as a line of its own when the head is received. */
  value(host: string | undefined, scheme: string | undefined): string {
    return forwardedValue(
      this.#by ?? randomLabel(this.#rng),
      this.#for ?? randomLabel(this.#rng),
      host,
      scheme,
    );
  }
}
