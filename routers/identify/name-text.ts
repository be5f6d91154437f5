/**
 * Printed names put together from request text, one character a byte. `showLabel` of dtab/path is the rule;
 * here it is applied without a regular expression, because this runs for every request.
 */
import { type Path, showLabel } from '../../dtab/path.ts';

const SHOWABLE = new Uint8Array(256);
for (let code = 0; code < 256; code++) {
  if (showLabel(String.fromCharCode(code)).length === 1) SHOWABLE[code] = 1;
}

/** True when every byte may stand in a label as it is. */
export function isShowable(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (SHOWABLE[text.charCodeAt(i)] !== 1) return false;
  return true;
}

/** `text` as one label of a printed name. */
export function labelText(text: string): string {
  return isShowable(text) ? text : showLabel(text);
}

/** The text that goes before `/label`: nothing for the root, which prints as `/`. */
export function prefixText(prefix: Path): string {
  return prefix.isEmpty ? '' : prefix.show;
}

/** A prefix as of `prefixText` followed by a printed path. */
export function joinNames(prefix: string, shown: string): string {
  if (shown === '/') return prefix === '' ? '/' : prefix;
  return prefix + shown;
}

/** A string that does not keep the message head it was cut from alive: for whatever outlives the request. */
export function detached(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
