/** Results as JUnit XML, which CI systems show. */
import type { Result } from './routing-test.ts';

export function junit(suite: string, results: readonly Result[]): string {
  const failures = results.filter(({ wrong }) => wrong !== undefined).length;
  const seconds = (ms: number): string => (ms / 1000).toFixed(3);
  const whole = seconds(results.reduce((sum, { ms }) => sum + ms, 0));
  const cases = results.map(({ name, ms, wrong }) => {
    const names = `classname="${escaped(suite)}" name="${escaped(name)}"`;
    const head = `  <testcase ${names} time="${seconds(ms)}"`;
    if (wrong === undefined) return `${head}/>\n`;
    const [first = ''] = wrong.split('\n');
    const failure = `<failure message="${escaped(first)}">${escaped(wrong)}</failure>`;
    return `${head}>\n    ${failure}\n  </testcase>\n`;
  });
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<testsuite name="${escaped(suite)}" tests="${results.length}" ` +
    `failures="${failures}" time="${whole}">\n` +
    `${cases.join('')}</testsuite>\n`
  );
}

/** Characters that XML does not have become question marks. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\x20-\uffff]/g, '?')
    .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
