/** Interpolations the backbones' preprocessing uses. */
export const INTERPOLATIONS = ['bilinear', 'bicubic', 'lanczos'] as const;
export type Interpolation = (typeof INTERPOLATIONS)[number];

/** Fractional bits of Pillow's 8-bit fixed-point weights. */
export const PRECISION_BITS = 22;
const ONE = 2 ** PRECISION_BITS;

interface Filter {
  /** Half width, in source pixels at scale 1. */
  readonly support: number;
  readonly weight: (distance: number) => number;
}

/** Catmull–Rom's a, as Pillow and ONNX `cubic_coeff_a=-0.5` have it. */
const CUBIC_A = -0.5;

const FILTERS: Readonly<Record<Interpolation, Filter>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight: (x) => {
      const d = Math.abs(x);
      if (d < 1) return ((CUBIC_A + 2) * d - (CUBIC_A + 3)) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * CUBIC_A : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** For each output pixel, the first source pixel and the fixed-point weights from there on. */
export interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [output, widest] */
  readonly weights: Int32Array;
  readonly widest: number;
}

/**
 * What Pillow sums for each output pixel of an axis.
 *
 * @param length source pixels
 */
export function tapsOf(length: number, outputs: number, interpolation: Interpolation): Taps {
  const { support, weight } = FILTERS[interpolation];
  const scale = length / outputs;
  const stretch = Math.max(1, scale);
  const reach = support * stretch;
  const widest = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const weights = new Int32Array(outputs * widest);
  const exact = new Float64Array(widest);
  for (let output = 0; output < outputs; output++) {
    const centre = (output + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach + 0.5));
    const high = Math.min(length, Math.trunc(centre + reach + 0.5));
    const taken = high - low;
    let total = 0;
    for (let tap = 0; tap < taken; tap++) {
      const value = weight((tap + low - centre + 0.5) / stretch);
      exact[tap] = value;
      total += value;
    }
    first[output] = low;
    count[output] = taken;
    for (let tap = 0; tap < taken; tap++) {
      const share = ((exact[tap] as number) / total) * ONE;
      weights[output * widest + tap] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    }
  }
  return { first, count, weights, widest };
}
