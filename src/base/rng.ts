/** Randomness is injected, so that tests draw a known sequence. */
export interface Rng {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [0, n). */
  below(n: number): number;
}

const state = crypto.getRandomValues(new Int32Array(4));

/** xoshiro128** (Blackman and Vigna 2018): 32 bits. Unlike Math.random it allocates nothing. */
function draw(): number {
  const s0 = state[0] as number;
  const s1 = state[1] as number;
  const s2 = (state[2] as number) ^ s0;
  const s3 = (state[3] as number) ^ s1;
  const five = Math.imul(s1, 5);
  state[0] = s0 ^ s3;
  state[1] = s1 ^ s2;
  state[2] = s2 ^ (s1 << 9);
  state[3] = (s3 << 11) | (s3 >>> 21);
  return Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
}

/** For everything outside tests; of this thread, seeded by the system. Not for secrets. */
export const mathRng: Rng = {
  next: () => draw() / 4294967296,
  below: (n) => Math.floor((draw() / 4294967296) * n),
};

/** mulberry32 (public domain): small, seeded, good enough for tests and balancing; not for secrets. */
export function seededRng(seed: number): Rng {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return { next, below: (n) => Math.floor(next() * n) };
}
