const BLANKS_AROUND = /^[ \t]+|[ \t]+$/g;

/**
 * The members of a comma-separated field value, empty ones included. Only SP and HTAB are blanks (RFC 9110
 * 5.6.1): `String.trim` takes more, which others take for a part of the token.
 */
export function listTokens(value: string): string[] {
  return value.split(',').map((each) => each.replace(BLANKS_AROUND, ''));
}
