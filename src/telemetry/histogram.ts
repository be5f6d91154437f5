/**
 * Fixed log-linear buckets over 0..2^32. Values below 32 have a bucket each; above, every octave is cut into
 * 32 equal ones, so a bucket is at most 1/32 of its value wide: a percentile, answered as the middle of its
 * bucket, is off by 1.6 % at most, a window's minimum and maximum, answered as the edges of theirs, by 3.2 %.
 * Larger values count in the last bucket. Buckets come in blocks of 32 (block 0 is 0..31, block n the octave
 * of 2^(n+4)), so that a distribution needs memory for the octaves that it has seen only.
 */
export const BLOCK_BUCKETS = 32;
export const BLOCKS = 28;
export const BUCKETS = BLOCKS * BLOCK_BUCKETS;
const BUCKET_VALUE_MAX = 0xffffffff;

/** The bucket of an integer that is not negative. */
export function bucketOf(value: number): number {
  if (value < BLOCK_BUCKETS) return value;
  const clamped = value < BUCKET_VALUE_MAX ? value : BUCKET_VALUE_MAX;
  const shift = 26 - Math.clz32(clamped);
  return (shift + 1) * BLOCK_BUCKETS + ((clamped >>> shift) & 31);
}

export function bucketLow(bucket: number): number {
  if (bucket < BLOCK_BUCKETS) return bucket;
  return ((bucket & 31) + BLOCK_BUCKETS) * bucketWidth(bucket);
}

export function bucketWidth(bucket: number): number {
  return bucket < BLOCK_BUCKETS ? 1 : 2 ** ((bucket >>> 5) - 1);
}

function middleOf(bucket: number): number {
  return Math.floor(bucketLow(bucket) + (bucketWidth(bucket) - 1) / 2);
}

export type Summary = {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly avg: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p9990: number;
  readonly p9999: number;
};

export const emptySummary: Summary = Object.freeze({
  count: 0,
  sum: 0,
  min: 0,
  max: 0,
  avg: 0,
  p50: 0,
  p90: 0,
  p95: 0,
  p99: 0,
  p9990: 0,
  p9999: 0,
});

const RANKS = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999] as const;

/** Bucket counts being added up: one of these serves any number of distributions in turn. */
export class BucketSum {
  readonly #counts = new Float64Array(BUCKETS);
  /** Bit n stands for block n: only these blocks hold anything. */
  #blocks = 0;
  #sum = 0;
  #low = Number.POSITIVE_INFINITY;
  #high = 0;

  clear(): void {
    for (let block = 0; block < BLOCKS; block++) {
      if ((this.#blocks & (1 << block)) === 0) continue;
      this.#counts.fill(0, block * BLOCK_BUCKETS, (block + 1) * BLOCK_BUCKETS);
    }
    this.#blocks = 0;
    this.#sum = 0;
    this.#low = Number.POSITIVE_INFINITY;
    this.#high = 0;
  }

  add(bucket: number, count: number): void {
    this.#counts[bucket] = (this.#counts[bucket] as number) + count;
    this.#blocks |= 1 << (bucket >>> 5);
  }

  /** `low` and `high` bound every value added: they make the edges exact where the buckets are not. */
  addTotals(sum: number, low: number, high: number): void {
    this.#sum += sum;
    if (low < this.#low) this.#low = low;
    if (high > this.#high) this.#high = high;
  }

  /** The middle of each bucket that holds something, and how much it holds. */
  *counts(): Generator<readonly [value: number, count: number], void, undefined> {
    for (let block = 0; block < BLOCKS; block++) {
      if ((this.#blocks & (1 << block)) === 0) continue;
      for (let bucket = block * BLOCK_BUCKETS; bucket < (block + 1) * BLOCK_BUCKETS; bucket++) {
        const count = this.#counts[bucket] as number;
        if (count > 0) yield [middleOf(bucket), count];
      }
    }
  }

  summary(): Summary {
    let count = 0;
    let first = -1;
    let last = -1;
    for (let block = 0; block < BLOCKS; block++) {
      if ((this.#blocks & (1 << block)) === 0) continue;
      for (let bucket = block * BLOCK_BUCKETS; bucket < (block + 1) * BLOCK_BUCKETS; bucket++) {
        const here = this.#counts[bucket] as number;
        if (here === 0) continue;
        count += here;
        if (first === -1) first = bucket;
        last = bucket;
      }
    }
    if (count === 0) return emptySummary;
    const min = Math.max(bucketLow(first), this.#low);
    const top = last === BUCKETS - 1 ? this.#high : bucketLow(last) + bucketWidth(last) - 1;
    const max = Math.max(min, Math.min(top, this.#high));
    const ranks = this.#ranks(count, min, max);
    const [p50 = min, p90 = min, p95 = min, p99 = min, p9990 = min, p9999 = min] = ranks;
    const sum = this.#sum;
    return { count, sum, min, max, avg: sum / count, p50, p90, p95, p99, p9990, p9999 };
  }

  #ranks(count: number, min: number, max: number): number[] {
    const values: number[] = [];
    let seen = 0;
    for (let block = 0; block < BLOCKS && values.length < RANKS.length; block++) {
      if ((this.#blocks & (1 << block)) === 0) continue;
      for (let bucket = block * BLOCK_BUCKETS; bucket < (block + 1) * BLOCK_BUCKETS; bucket++) {
        const here = this.#counts[bucket] as number;
        if (here === 0) continue;
        seen += here;
        for (let rank = RANKS[values.length]; rank !== undefined; rank = RANKS[values.length]) {
          if (seen < Math.ceil(rank * count)) break;
          values.push(Math.min(max, Math.max(min, middleOf(bucket))));
        }
      }
    }
    return values;
  }
}
