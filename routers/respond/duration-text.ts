/** Durations as linkerd's messages have them: `500.milliseconds`, `2.seconds`, `1.minutes+30.seconds`. */
const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
  ['seconds', 1000],
  ['milliseconds', 1],
];

export function durationText(ms: number): string {
  let left = Math.round(ms);
  const parts: string[] = [];
  for (const [name, unitMs] of UNITS) {
    const count = Math.floor(left / unitMs);
    if (count === 0) continue;
    parts.push(`${count}.${name}`);
    left -= count * unitMs;
  }
  return parts.length === 0 ? '0.seconds' : parts.join('+');
}
