/** Numbers as people read them. What is not known is a dash. */

export const UNKNOWN = '–';

export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  if (value >= 10_000) return `${(value / 1000).toFixed(1)}k`;
  if (value >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return value.toFixed(1);
}

/** Never rounded up to 100 %. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return UNKNOWN;
  if (share === 1 || share === 0) return `${share * 100}%`;
  return `${Math.min(99.99, Math.floor(share * 10_000) / 100).toFixed(share > 0.9 ? 2 : 1)}%`;
}

export function millis(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  if (value >= 10 || Number.isInteger(value)) return `${Math.round(value)} ms`;
  return `${value.toFixed(value < 1 ? 2 : 1)} ms`;
}

/** Metrics count whole milliseconds. */
export function latency(ms: number | null): string {
  return ms === 0 ? '<1 ms' : millis(ms);
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  if (value < 1024 * 1024) return `${(value / 1024).toFixed(1)} KB`;
  return `${(value / 1024 / 1024).toFixed(1)} MB`;
}

/** `3 d 4 h`, `2 min`, `12 s`. */
export function age(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function clockTime(iso: string): string {
  const date = new Date(iso);
  const pad = (n: number, width = 2): string => String(n).padStart(width, '0');
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return `${time}.${pad(date.getMilliseconds(), 3)}`;
}

/** How many, with its word: `1 service`, `2,000 services`. */
export function count(n: number, word: string): string {
  return `${n.toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;
}

/** As linkerd's dashboard: good from 99 %, poor from 90 %. */
export function toneOf(success: number | null): string {
  if (success === null) return '';
  if (success >= 0.99) return 'good';
  return success >= 0.9 ? 'poor' : 'bad';
}
