/** What a user asks about: a name, or a request as curl would make it. */
import { Mistake } from '../command.ts';
import type { RequestView } from './namings.ts';

export type Question =
  | { readonly type: 'name'; readonly path: string; readonly dtab: string }
  | { readonly type: 'request'; readonly request: RequestView };

const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\s*:/;

/** A word that begins with `/` is a name; anything else a URL, its scheme being optional. */
export function questionOf(word: string, headers: readonly string[], method: string): Question {
  for (const header of headers) {
    if (!HEADER.test(header)) throw new Mistake(`-H takes 'Name: value', not ${header}`);
  }
  if (word.startsWith('/')) {
    const dtab = headers
      .filter((header) => /^l5d-(?:ctx-)?dtab\s*:/i.test(header))
      .map((header) => header.slice(header.indexOf(':') + 1).trim());
    return { type: 'name', path: word, dtab: dtab.join(';') };
  }
  const text = /^[a-z]+:\/\//i.test(word) ? word : `http://${word}`;
  if (!URL.canParse(text) || !/^https?:/i.test(text)) {
    throw new Mistake(`${word} is neither a name (/svc/web) nor a request (http://web/path)`);
  }
  const url = new URL(text);
  const given = headers.find((header) => /^host\s*:/i.test(header));
  return {
    type: 'request',
    request: {
      method,
      target: `${url.pathname}${url.search}`,
      host: given === undefined ? url.host : given.slice(given.indexOf(':') + 1).trim(),
      headers: headers.filter((header) => header !== given),
    },
  };
}

/** The overrides that a request brings along. */
export function overrideOf({ headers }: RequestView): string {
  return headers
    .filter((header) => /^l5d-(?:ctx-)?dtab\s*:/i.test(header))
    .map((header) => header.slice(header.indexOf(':') + 1).trim())
    .join(';');
}
