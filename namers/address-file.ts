/**
 * The text of one io.l5d.fs name: a line an endpoint, `host port` or `host port * weight`, any white space,
 * `#` starts a comment. A host is an address or a name; a name stays one and is resolved when connecting. One
 * bad line makes the whole text an error, which says where it is and what belongs there.
 */
import type { Address } from '../dtab/names.ts';
import { isHostName, numericHost } from './numeric-host.ts';

export type AddressError = { readonly line: number; readonly message: string };

const LINE = /^(\S+)\s+(\S+?)(?:\s*\*\s*(\S+))?$/;
const WEIGHT = /^([0-9]+(\.[0-9]*)?|\.[0-9]+)$/;
const MAX_LINE = 1000;
const MAX_SHOWN = 80;

/** An endpoint that stands there twice counts once, with the weight of its last line. */
export function parseAddresses(text: string): readonly Address[] | AddressError {
  const addresses = new Map<string, Address>();
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  for (let i = 0; i < lines.length; i++) {
    const written = (lines[i] as string).split('#', 1)[0]?.trim() ?? '';
    if (written === '') continue;
    const address = parseLine(written);
    if (typeof address === 'string') return { line: i + 1, message: `${address} in ${shown(written)}` };
    addresses.set(`${address.host} ${address.port}`, address);
  }
  return [...addresses.values()];
}

function parseLine(line: string): Address | string {
  if (line.length > MAX_LINE) return `expected at most ${MAX_LINE} characters`;
  const [, hostText, portText, weightText] = LINE.exec(line) ?? [];
  if (hostText === undefined || portText === undefined) return 'expected "host port" or "host port * weight"';
  const host = numericHost(hostText) ?? (isHostName(hostText) ? hostText : undefined);
  if (host === undefined) return 'expected an IP address or a host name first';
  const port = /^[0-9]{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65535) return 'expected a port in 1..65535 after the host';
  if (weightText === undefined) return { host, port };
  const weight = WEIGHT.test(weightText) ? Number(weightText) : Number.NaN;
  if (!Number.isFinite(weight)) return 'expected a number, such as 0.5, after "*"';
  return { host, port, meta: { weight } };
}

function shown(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
