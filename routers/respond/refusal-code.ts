/**
 * The codes of requests that are refused before they mean anything: their status says what kind of mistake it
 * was. Beside the kinds of failures they are the values of `turnout-err`.
 */
const CODES = new Map<number, string>([
  [400, 'bad-request'],
  [403, 'connect-refused'],
  [408, 'request-timeout'],
  [413, 'body-too-long'],
  [414, 'line-too-long'],
  [417, 'expectation-failed'],
  [431, 'head-too-long'],
  [503, 'no-room'],
  [505, 'http-version'],
]);

export const refusalCodes: readonly string[] = [...CODES.values()];

export function refusalCode(status: number): string {
  return CODES.get(status) ?? 'bad-request';
}
