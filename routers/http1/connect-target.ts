/** The target of a CONNECT: `host:port` (RFC 9110 9.3.6, RFC 9112 3.2.3), and nothing else. */
import type { RequestHead } from '../head.ts';
import { HeadProblem } from './head-parser.ts';
import { isHost } from './request-check.ts';

export type ConnectTarget = { readonly authority: string; readonly port: number };

/** The port must not be left out. */
const PORT = /:([0-9]{1,5})$/;

/** `bytes` is the length of the body; `inside`: the request came out of a tunnel. */
export function connectTarget(
  { target }: RequestHead,
  bytes: number,
  inside: boolean,
): ConnectTarget | HeadProblem {
  const port = Number(PORT.exec(target)?.[1]);
  if (!(port >= 1 && port <= 65535) || !isHost(target)) {
    return new HeadProblem(400, 'a CONNECT whose target is not host:port (RFC 9110 9.3.6)');
  }
  if (bytes !== 0) return new HeadProblem(400, 'a CONNECT with a body (RFC 9110 9.3.6)');
  if (inside) return new HeadProblem(400, 'a CONNECT inside a tunnel');
  return { authority: target, port };
}
