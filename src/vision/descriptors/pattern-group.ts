import type { Plane } from './frame.ts';
import type { DescriptorGroup } from './group.ts';
import { evennessOf, quantilesOf } from './statistics.ts';

const LBP_LEVELS = [1, 2, 3] as const;
const PATTERNS = 10;

/**
 * Local binary patterns, eight neighbours, uniform and rotation invariant (Ojala et al. 2002): the share of
 * each of the ten patterns at three octaves. They do not see exposure or contrast.
 */
export const LBP_GROUP: DescriptorGroup = {
  names: LBP_LEVELS.flatMap((level) =>
    Array.from({ length: PATTERNS }, (_, pattern) => `lbp${level}.${pattern}`),
  ),
  measure({ light }) {
    return LBP_LEVELS.flatMap((level) => patternShares(light.plane(level)));
  },
};

function patternShares({ width, height, data }: Plane): number[] {
  const pattern = patternTable();
  const counts = new Array<number>(PATTERNS).fill(0);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const centre = data[i] as number;
      const code =
        Number((data[i - width - 1] as number) >= centre) |
        (Number((data[i - width] as number) >= centre) << 1) |
        (Number((data[i - width + 1] as number) >= centre) << 2) |
        (Number((data[i + 1] as number) >= centre) << 3) |
        (Number((data[i + width + 1] as number) >= centre) << 4) |
        (Number((data[i + width] as number) >= centre) << 5) |
        (Number((data[i + width - 1] as number) >= centre) << 6) |
        (Number((data[i - 1] as number) >= centre) << 7);
      const kind = pattern[code] as number;
      counts[kind] = (counts[kind] as number) + 1;
    }
  }
  const total = (width - 2) * (height - 2);
  return counts.map((count) => count / total);
}

/** For each 8-bit ring: the number of ones when it has at most two changes, else 9. */
function patternTable(): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => {
    let changes = 0;
    let ones = 0;
    for (let bit = 0; bit < 8; bit++) {
      const here = (code >> bit) & 1;
      const next = (code >> ((bit + 1) % 8)) & 1;
      ones += here;
      if (here !== next) changes++;
    }
    return changes <= 2 ? ones : PATTERNS - 1;
  });
}

const GREYS = 16;
const GLCM_LEVELS = [1, 2, 3] as const;

/**
 * Grey-level co-occurrence of neighbours in four directions (Haralick 1973), light in 16 steps between its 1 %
 * and 99 % quantiles, at three octaves: contrast, homogeneity, correlation and entropy.
 */
export const GLCM_GROUP: DescriptorGroup = {
  names: GLCM_LEVELS.flatMap((level) =>
    ['contrast', 'homogeneity', 'correlation', 'entropy'].map((name) => `glcm${level}.${name}`),
  ),
  measure({ light }) {
    return GLCM_LEVELS.flatMap((level) => coOccurrence(light.plane(level)));
  },
};

function coOccurrence({ width, height, data }: Plane): number[] {
  const [low = 0, high = 1] = quantilesOf(data, 0, 6, [0.01, 0.99]);
  const scale = GREYS / Math.max(high - low, 1e-6);
  const greys = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    greys[i] = Math.max(0, Math.min(GREYS - 1, ((data[i] as number) - low) * scale));
  }
  const pairs = new Float64Array(GREYS * GREYS);
  for (let y = 0; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const row = (greys[i] as number) * GREYS;
      // The ranges are the same seen from any side, so that a flipped picture has the same pairs.
      if (y > 0 && x < width - 2) countPair(pairs, row + (greys[i + 1] as number));
      countPair(pairs, row + (greys[i + width - 1] as number));
      countPair(pairs, row + (greys[i + width] as number));
      countPair(pairs, row + (greys[i + width + 1] as number));
    }
  }
  return haralick(pairs);
}

function countPair(pairs: Float64Array, pair: number): void {
  pairs[pair] = (pairs[pair] as number) + 1;
}

function haralick(pairs: Float64Array): number[] {
  const total = pairs.reduce((sum, count) => sum + count, 0);
  let contrast = 0;
  let homogeneity = 0;
  let mean = 0;
  let square = 0;
  let product = 0;
  for (let a = 0; a < GREYS; a++) {
    for (let b = 0; b < GREYS; b++) {
      const share = (pairs[a * GREYS + b] as number) / total;
      contrast += share * (a - b) ** 2;
      homogeneity += share / (1 + (a - b) ** 2);
      // Both orders of a pair count, which is what symmetrising the matrix does.
      mean += (share * (a + b)) / 2;
      square += (share * (a * a + b * b)) / 2;
      product += share * a * b;
    }
  }
  const variance = square - mean * mean;
  const correlation = variance < 1e-9 ? 1 : (product - mean * mean) / variance;
  return [contrast, homogeneity, correlation, evennessOf(pairs)];
}
