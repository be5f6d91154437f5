/**
 * Hosts that are addresses already. IPv4 may be written in the short forms of inet_aton (`127.1`, `0x7f.1`,
 * `2130706433`): one to four numbers, decimal, octal after a leading 0 or hexadecimal after 0x, of which the
 * last fills all bytes that are left. IPv6 may stand in brackets.
 */
import { isIPv4, isIPv6 } from 'node:net';

const HOST_NAME =
  /^[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?(\.[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?)*\.?$/;
const MAX_HOST_NAME = 254;
const MAX_LABEL = 63;

/** The address in its usual form, or undefined when `host` is not an address. */
export function numericHost(host: string): string | undefined {
  if (isIPv4(host)) return host;
  if (isIPv6(host)) return host;
  if (host.startsWith('[') && host.endsWith(']')) {
    const inner = host.slice(1, -1);
    return isIPv6(inner) ? inner : undefined;
  }
  return shortForm(host);
}

/** True when `host` can be asked of a name server: letters, digits, `-` and `_` in labels of at most 63. */
export function isHostName(host: string): boolean {
  if (host.length === 0 || host.length > MAX_HOST_NAME || !HOST_NAME.test(host)) return false;
  return host.split('.').every((label) => label.length <= MAX_LABEL);
}

function shortForm(host: string): string | undefined {
  // The longest legal number has 12 digits (octal); nothing longer is worth splitting.
  if (host.length === 0 || host.length > 64) return undefined;
  const parts = host.split('.');
  if (parts.length > 4) return undefined;
  const numbers: number[] = [];
  for (const part of parts) {
    const number = parseNumber(part);
    if (number === undefined) return undefined;
    numbers.push(number);
  }
  const last = numbers.pop() as number;
  if (numbers.some((n) => n > 255) || last >= 256 ** (4 - numbers.length)) return undefined;
  let address = last;
  numbers.forEach((n, i) => {
    address += n * 256 ** (3 - i);
  });
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

function parseNumber(text: string): number | undefined {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^(0|[1-9][0-9]*)$/.test(text) ? Number.parseInt(text, 10) : undefined;
}
