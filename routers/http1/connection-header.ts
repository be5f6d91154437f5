/** What the Connection and Keep-Alive headers of a message say about the connection that it came on. */
import { Field, type Fields } from '../fields.ts';
import { listTokens } from '../headers/list-tokens.ts';

/** Whether the connection may carry another message after this one (RFC 9112 9.3). */
export function keepsAlive(fields: Fields, minor: number): boolean {
  if (!fields.mayHave(Field.connection)) return minor === 1;
  let keepAlive = minor === 1;
  for (let i = 0; i < fields.ids.length; i++) {
    if (fields.ids[i] !== Field.connection) continue;
    const value = fields.values[i] as string;
    // As most servers write it: 15 ns less.
    if (value === 'keep-alive') {
      keepAlive = true;
      continue;
    }
    const lower = value.toLowerCase();
    if (lower === 'keep-alive') keepAlive = true;
    else if (lower === 'close') return false;
    else {
      const tokens = listTokens(lower);
      if (tokens.includes('close')) return false;
      if (tokens.includes('keep-alive')) keepAlive = true;
    }
  }
  return keepAlive;
}

/**
 * The idle time that a server announces with `Keep-Alive: timeout=N`, in ms; undefined when it announces
 * none.
 */
export function announcedKeepAliveMs(fields: Fields): number | undefined {
  const value = fields.first(Field.keepAlive);
  if (value === undefined) return undefined;
  const seconds = /(?:^|[\s,])timeout\s*=\s*"?(\d{1,6})/i.exec(value)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
