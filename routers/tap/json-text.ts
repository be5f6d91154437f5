/**
 * JSON of the small values of a story, without the cost of `JSON.stringify` where nothing needs an escape.
 */

const ESCAPED = /["\\\p{Cc}\u2028\u2029\ud800-\udfff]/u;
const HIGH = /[\x80-\xff]/;

export function jsonText(value: string): string {
  return ESCAPED.test(value) ? JSON.stringify(value) : `"${value}"`;
}

/** Text as it stands in a head: one character a byte, most often ASCII, else most likely UTF-8. */
export function jsonBytes(value: string): string {
  return jsonText(HIGH.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value);
}

/** Three decimals at the most. */
export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

let second = -1;
let secondText = '';

/** As `Date.toISOString`; the part down to the second is made once a second. */
export function isoTime(wallMs: number): string {
  const whole = Math.floor(wallMs / 1000);
  if (whole !== second) {
    second = whole;
    secondText = new Date(whole * 1000).toISOString().slice(0, 20);
  }
  return `${secondText}${String(Math.floor(wallMs) - whole * 1000).padStart(3, '0')}Z`;
}
