import { type CatalogueEntry, float32Bytes, IMAGENET, timmSource } from './entry.ts';

/** Parameters as counted by instantiating timm 1.0.29. */
const SIZES = {
  tiny: { dim: 96, depths: [2, 2, 6, 2], heads: [3, 6, 12, 24], parameters: 27_578_154 },
  small: { dim: 96, depths: [2, 2, 18, 2], heads: [3, 6, 12, 24], parameters: 48_959_418 },
  base: { dim: 128, depths: [2, 2, 18, 2], heads: [4, 8, 16, 32], parameters: 86_893_816 },
} as const;

interface Weights {
  readonly size: keyof typeof SIZES;
  /** What follows the size in timm's name. */
  readonly tag: string;
  readonly window: number;
  readonly side: number;
  readonly classes: number;
  /** Windows the weights were first trained with, where they were taken to larger ones. */
  readonly pretrainedWindows: readonly [number, number, number, number];
  readonly cropFraction: number;
}

const SAME = [0, 0, 0, 0] as const;
const FROM_12 = [12, 12, 12, 6] as const;

const inOneSize = (size: keyof typeof SIZES, window: number): Weights => ({
  size,
  tag: `window${window}_256.ms_in1k`,
  window,
  side: 256,
  classes: 1000,
  pretrainedWindows: SAME,
  cropFraction: 0.9,
});

const WEIGHTS: readonly Weights[] = [
  ...(['tiny', 'small', 'base'] as const).flatMap((size) => [inOneSize(size, 8), inOneSize(size, 16)]),
  {
    size: 'base',
    tag: 'window12_192.ms_in22k',
    window: 12,
    side: 192,
    classes: 21_841,
    pretrainedWindows: SAME,
    cropFraction: 0.9,
  },
  {
    size: 'base',
    tag: 'window12to16_192to256.ms_in22k_ft_in1k',
    window: 16,
    side: 256,
    classes: 1000,
    pretrainedWindows: FROM_12,
    cropFraction: 0.9,
  },
  {
    size: 'base',
    tag: 'window12to24_192to384.ms_in22k_ft_in1k',
    window: 24,
    side: 384,
    classes: 1000,
    pretrainedWindows: FROM_12,
    cropFraction: 1,
  },
];

/** Swin Transformer V2 (Liu et al. 2022) of Microsoft. */
export const SWINV2_ENTRIES: readonly CatalogueEntry[] = WEIGHTS.map(
  ({ size, tag, window, side, classes, pretrainedWindows, cropFraction }) => {
    const { parameters, ...shape } = SIZES[size];
    const width = shape.dim * 8;
    return {
      ...timmSource(`swinv2_${size}_${tag}`),
      arch: 'swinv2',
      config: { ...shape, window, imgSize: [side, side], pretrainedWindows },
      dataBytes: float32Bytes(parameters, classes, width),
      licence: 'MIT',
      preprocessing: {
        inputSize: [side, side],
        ...IMAGENET,
        interpolation: 'bicubic',
        cropFraction,
        cropMode: 'center',
      },
      width,
      parameters,
      pooling: 'mean',
    };
  },
);
