/**
 * When a log file is rolled: by the hour, day or week of local time, or by size, as linkerd's `rollPolicy`.
 */

export type RollPolicy =
  | { readonly type: 'never' | 'hourly' | 'daily' }
  /** 1 is Sunday. */
  | { readonly type: 'weekly'; readonly day: number }
  | { readonly type: 'size'; readonly bytes: number };

const UNITS: Readonly<Record<string, number>> = {
  byte: 1,
  kilobyte: 1024,
  megabyte: 1024 ** 2,
  gigabyte: 1024 ** 3,
  terabyte: 1024 ** 4,
};

/** Of a text that the configuration has checked: `never`, `hourly`, `daily`, `weekly(n)`, `3.megabytes`. */
export function rollPolicy(text: string): RollPolicy {
  const lower = text.toLowerCase();
  if (lower === 'hourly' || lower === 'daily') return { type: lower };
  const week = /^weekly\(([1-7])\)$/.exec(lower);
  if (week !== null) return { type: 'weekly', day: Number(week[1]) };
  const [, count, unit] = /^(\d+)\.([a-z]+?)s?$/.exec(lower) ?? [];
  const bytes = Number(count) * (UNITS[unit ?? ''] ?? 0);
  return bytes > 0 ? { type: 'size', bytes } : { type: 'never' };
}

/** The moment after `wallMs` at which a policy of time rolls. */
export function nextRollMs(policy: RollPolicy, wallMs: number): number {
  const at = new Date(wallMs);
  switch (policy.type) {
    case 'never':
    case 'size':
      return Number.POSITIVE_INFINITY;
    case 'hourly':
      at.setHours(at.getHours() + 1, 0, 0, 0);
      return at.getTime();
    case 'daily':
      at.setHours(24, 0, 0, 0);
      return at.getTime();
    case 'weekly': {
      const days = (policy.day - 1 - at.getDay() + 7) % 7;
      at.setHours(days === 0 ? 7 * 24 : days * 24, 0, 0, 0);
      return at.getTime();
    }
  }
}

/** What is put into the name of a file that was begun at `wallMs` and is done. */
export function rolledSuffix(policy: RollPolicy, wallMs: number): string {
  const at = new Date(wallMs);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  if (policy.type === 'hourly') return `${day}-${two(at.getHours())}`;
  if (policy.type !== 'size') return day;
  return `${day}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
}
