import { isIP } from 'node:net';
import type { AdminRequest } from './page.ts';

/**
 * Whether the caller is on this machine: by its address, and by a Host that no name server can make out of
 * another name.
 */
export function isLocalCaller({ peer, rawHeaders }: AdminRequest): boolean {
  if (!/^(127\.|::1$|::ffff:127\.)/.test(peer)) return false;
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  const host = (at === -1 ? '' : (rawHeaders[at + 1] ?? '')).replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return host === '' || host === 'localhost' || isIP(host) !== 0;
}
