/**
 * Random numbers that the same seed gives again, so that an interruption can be repeated: mulberry32, whose quality is
 * ample for choosing moments.
 *
 * @param seed any whole number
 * @returns a function giving numbers from 0 up to, not including, 1
 */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
