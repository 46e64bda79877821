import { type PerceptualHash, perceptualDistance } from './perceptual-hash.ts';

const [QUARTERS, QUARTER_BITS] = [4, 16];
const QUARTER_VALUES = 2 ** QUARTER_BITS;

/**
 * Of each hash the place of the first one before it that differs from it in at most so many bits; null where there is
 * none. Not all are compared: of two hashes that differ in few bits, some quarter differs in a quarter as many at most,
 * so only hashes are that have such a quarter (multi-index hashing, Norouzi et al. 2012).
 */
export function firstNear(hashes: readonly PerceptualHash[], bits: number): (number | null)[] {
  const changes = changesOf(Math.floor(bits / QUARTERS), QUARTER_BITS);
  const first = Int32Array.from(hashes.keys());
  for (let quarter = 0; quarter < QUARTERS; quarter++) {
    const values = Uint16Array.from(hashes, (hash) => quarterOf(hash, quarter));
    const { starts, places } = placesByValue(values);
    hashes.forEach((hash, place) => {
      for (const change of changes) {
        const value = (values[place] as number) ^ change;
        for (let at = starts[value] as number, end = starts[value + 1] as number; at < end; at++) {
          const other = places[at] as number;
          if (other >= (first[place] as number)) break;
          if (perceptualDistance(hash, hashes[other] as PerceptualHash) <= bits) first[place] = other;
        }
      }
    });
  }
  return Array.from(first, (near, place) => (near === place ? null : near));
}

const quarterOf = (hash: PerceptualHash, quarter: number): number =>
  (hash[quarter >> 1] as number) >>> (quarter & 1 ? 0 : QUARTER_BITS);

/** Places sorted by their value, in order; those of a value lie from `starts[value]` to before that of the next. */
function placesByValue(values: Uint16Array): { readonly starts: Int32Array; readonly places: Int32Array } {
  const starts = new Int32Array(QUARTER_VALUES + 1);
  for (const value of values) starts[value + 1] = (starts[value + 1] as number) + 1;
  starts.forEach((count, value) => {
    if (value > 0) starts[value] = count + (starts[value - 1] as number);
  });
  const places = Int32Array.from(values.keys()).sort(
    (a, b) => (values[a] as number) - (values[b] as number) || a - b,
  );
  return { starts, places };
}

/** All numbers of so many bits with at most `most` of them set. */
function changesOf(most: number, bits: number): number[] {
  if (bits === 0) return [0];
  const without = changesOf(most, bits - 1);
  const highest = 2 ** (bits - 1);
  return most === 0 ? without : [...without, ...changesOf(most - 1, bits - 1).map((rest) => rest + highest)];
}
