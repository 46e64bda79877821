import { type CatalogueEntry, float32Bytes, HALVES, timmSource } from './entry.ts';

const SIZES = {
  base: { dim: 768, depth: 12, heads: 12, mlpHidden: 3072 },
  large: { dim: 1024, depth: 24, heads: 16, mlpHidden: 4096 },
  so400m: { dim: 1152, depth: 27, heads: 16, mlpHidden: 4304 },
} as const;

/** [size, patch, pixels, parameters, weights of that shape]; counted by instantiating timm 1.0.29. */
const WEIGHTS: readonly (readonly [keyof typeof SIZES, number, number, number, readonly string[]])[] = [
  ['base', 16, 224, 92_884_224, ['webli', 'v2_webli']],
  ['base', 16, 256, 92_930_304, ['webli', 'webli_i18n', 'v2_webli']],
  ['base', 16, 384, 93_176_064, ['webli', 'v2_webli']],
  ['base', 16, 512, 93_520_128, ['webli', 'v2_webli']],
  ['base', 32, 256, 94_552_320, ['v2_webli']],
  ['large', 16, 256, 315_956_224, ['webli', 'v2_webli']],
  ['large', 16, 384, 316_283_904, ['webli', 'v2_webli']],
  ['large', 16, 512, 316_742_656, ['v2_webli']],
  ['so400m', 14, 224, 427_680_704, ['webli', 'v2_webli']],
  ['so400m', 14, 378, 428_225_600, ['webli', 'v2_webli']],
  ['so400m', 14, 384, 428_225_600, ['webli']],
  ['so400m', 16, 256, 427_888_064, ['webli_i18n', 'v2_webli']],
  ['so400m', 16, 384, 428_256_704, ['v2_webli']],
  ['so400m', 16, 512, 428_772_800, ['v2_webli']],
];

/** Vision towers of SigLIP (Zhai et al. 2023) and SigLIP 2 (`v2_webli`, Tschannen et al. 2025). */
export const SIGLIP_ENTRIES: readonly CatalogueEntry[] = WEIGHTS.flatMap(
  ([size, patch, side, parameters, datasets]) =>
    datasets.map((data): CatalogueEntry => {
      const width = SIZES[size].dim;
      return {
        ...timmSource(`vit_${size}_patch${patch}_siglip_${side}.${data}`),
        arch: 'siglip',
        config: { patch, ...SIZES[size], imgSize: [side, side] },
        dataBytes: float32Bytes(parameters, 0, width),
        licence: 'Apache-2.0',
        preprocessing: {
          inputSize: [side, side],
          ...HALVES,
          interpolation: 'bicubic',
          cropFraction: 0.9,
          cropMode: 'center',
        },
        width,
        parameters,
        pooling: 'attention',
      };
    }),
);
