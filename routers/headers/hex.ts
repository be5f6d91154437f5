/** 64-bit numbers as two signed halves, to and from 16 hexadecimal digits. */

const BYTE: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

export function hex64(hi: number, lo: number): string {
  return hex32(hi) + hex32(lo);
}

function hex32(n: number): string {
  return `${BYTE[n >>> 24]}${BYTE[(n >>> 16) & 255]}${BYTE[(n >>> 8) & 255]}${BYTE[n & 255]}`;
}

const HEX = /^[0-9a-fA-F]{1,32}$/;

/** The low 64 bits of up to 32 digits, or undefined. */
export function parseHex64(text: string): readonly [number, number] | undefined {
  if (!HEX.test(text)) return undefined;
  const digits = text.slice(-16).padStart(16, '0');
  return [Number.parseInt(digits.slice(0, 8), 16) | 0, Number.parseInt(digits.slice(8), 16) | 0];
}
