/** The target of a CONNECT: `host:port` (RFC 9110 9.3.6, RFC 9112 3.2.3). Everything else is refused. */

export type ConnectTarget = { readonly authority: string; readonly port: number };

/** A registered name or an IPv4 address, or an IPv6 address in brackets, and a port that is not left out. */
const AUTHORITY = /^(?:[A-Za-z0-9\-._~%!$&'()*+,;=]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})$/;

export function connectTarget(target: string): ConnectTarget | undefined {
  const port = Number(AUTHORITY.exec(target)?.[1]);
  return port >= 1 && port <= 65535 ? { authority: target, port } : undefined;
}
