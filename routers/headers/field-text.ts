/**
 * What may stand in a field of a message that we write. Heads are written one byte a character, and a
 * character above 0xff would be cut to its low byte: U+010D would become a carriage return. So whatever did
 * not come out of the head parser (metadata, certificates, configuration, error texts) passes here before it
 * is written.
 */

/**
 * True when the text can be written as a field value: no control characters but tab, and only single bytes.
 */
export function isFieldText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

/** The text with every character that may not be written replaced by `?`. */
export function fieldText(text: string): string {
  return isFieldText(text) ? text : text.replace(/[^\t\x20-\x7e\x80-\xff]/gu, '?');
}
