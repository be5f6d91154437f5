const SP = 0x20;
const HT = 0x09;

/**
 * The members of a comma-separated field value, empty ones included. Only SP and HTAB are blanks (RFC 9110
 * 5.6.1): `String.trim` takes more, which others take for a part of the token; and a pattern for blanks at
 * the end takes a time that is the square of their number.
 */
export function listTokens(value: string): string[] {
  return value.split(',').map(withoutBlanks);
}

function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SP || code === HT;
}
