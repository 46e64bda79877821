import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/**
 * A seeded stream of random numbers. The same seed and the same sequence of calls give the same numbers on
 * every machine. `fork` derives an independent stream by name, so that adding a consumer does not shift the
 * numbers another one sees.
 */
export interface RandomStream {
  /** What forks derive from: `randomStream(seed).fork(label)` is `fork(label)`, in another thread too. */
  readonly seed: number;
  /** Uniform in [0, 1), with 32 bits. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Fisher–Yates shuffle into a new array. */
  shuffled<T>(items: readonly T[]): T[];
  /** An independent stream that depends only on this stream's seed and `label`. */
  fork(label: string | number): RandomStream;
}

/** Makes a {@link RandomStream} from an integer seed (any 32-bit value). */
export function randomStream(seed: number): RandomStream {
  // Neighbouring small seeds would begin with numbers close to 0 or 1: two draws of a normal came out equal.
  return streamFrom(mixedSeed(seed, ''), seed);
}

/** A stream whose generator starts at `state` and whose forks derive from `seed`. */
function streamFrom(state: number, seed: number): RandomStream {
  const generator = xoroshiro128plus(state | 0);
  let spareNormal: number | undefined;
  const uniform = (): number => (generator.next() >>> 0) / 2 ** 32;
  const integer = (bound: number): number => Math.floor(uniform() * bound);
  return {
    seed,
    uniform,
    integer,
    normal() {
      if (spareNormal !== undefined) {
        const value = spareNormal;
        spareNormal = undefined;
        return value;
      }
      // Box–Muller; 1 − u keeps the logarithm finite.
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spareNormal = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    shuffled<T>(items: readonly T[]): T[] {
      const result = [...items];
      for (let i = result.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        const a = result[i] as T;
        result[i] = result[j] as T;
        result[j] = a;
      }
      return result;
    },
    fork(label) {
      const own = mixedSeed(seed, String(label));
      return streamFrom(own, own);
    },
  };
}

/** FNV-1a over the seed and the label, finalised as in MurmurHash3. */
function mixedSeed(seed: number, label: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/**
 * A number in [0, 1] from the Beta(a, b) distribution, as the ratio of gamma variates.
 *
 * @throws RangeError when a parameter is not positive
 */
export function drawBeta(random: RandomStream, a: number, b: number): number {
  if (!(a > 0 && b > 0)) throw new RangeError(`Beta(${a}, ${b}) needs positive parameters`);
  const x = logGamma(random, a);
  const y = logGamma(random, b);
  // In logarithms: gamma variates of a small shape underflow to 0, and 0 / 0 is no number.
  return 1 / (1 + Math.exp(y - x));
}

/** Logarithm of a Gamma(shape, 1) variate: Marsaglia & Tsang 2000, with their boost for shapes below 1. */
function logGamma(random: RandomStream, shape: number): number {
  if (shape < 1) return logGamma(random, shape + 1) + Math.log(1 - random.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
      return Math.log(d * v);
    }
  }
}
