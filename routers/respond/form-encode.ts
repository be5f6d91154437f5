/**
 * Form-URL-encoding in ISO-8859-1, as the `l5d-err` header has it: ASCII letters, digits and `.-*_` stay, a
 * blank is `+`, every other byte `%XX`, and a character that Latin-1 does not have is an encoded question
 * mark. The result has no character that means anything in a message head.
 */
const ENCODED: readonly string[] = Array.from({ length: 256 }, (_, code) => {
  if (code === 0x20) return '+';
  const character = String.fromCharCode(code);
  return /[A-Za-z0-9.\-*_]/.test(character)
    ? character
    : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
});

/** At most `maxChars` characters; what does not fit is cut off, if need be within an escape. */
export function formEncode(text: string, maxChars: number): string {
  let encoded = '';
  for (const character of text) {
    encoded += ENCODED[character.codePointAt(0) as number] ?? '%3F';
    if (encoded.length >= maxChars) return encoded.slice(0, maxChars);
  }
  return encoded;
}
