import { type CatalogueEntry, float32Bytes, IMAGENET, timmSource } from './entry.ts';

const SIZES = {
  small: { dim: 384, depth: 12, heads: 6 },
  base: { dim: 768, depth: 12, heads: 12 },
  large: { dim: 1024, depth: 24, heads: 16 },
  giant: { dim: 1536, depth: 40, heads: 24, mlp: 'swiglu', mlpHidden: 4096 },
} as const;

const SIDE = 518;

/** [size, registers, parameters]; counted by instantiating timm 1.0.29. */
const WEIGHTS: readonly (readonly [keyof typeof SIZES, number, number])[] = [
  ['small', 0, 22_056_192],
  ['small', 4, 22_057_344],
  ['base', 0, 86_579_712],
  ['base', 4, 86_582_016],
  ['large', 0, 304_367_616],
  ['large', 4, 304_370_688],
  ['giant', 0, 1_136_479_232],
  ['giant', 4, 1_136_483_840],
];

/** DINOv2 (Oquab et al. 2023): patch 14, learnt on LVD-142M at 518 pixels. */
export const DINOV2_ENTRIES: readonly CatalogueEntry[] = WEIGHTS.map(([size, registers, parameters]) => {
  const width = SIZES[size].dim;
  return {
    ...timmSource(`vit_${size}_patch14_${registers > 0 ? 'reg4_' : ''}dinov2.lvd142m`),
    arch: 'dinov2',
    config: { patch: 14, ...SIZES[size], imgSize: [SIDE, SIDE], registers },
    dataBytes: float32Bytes(parameters, 0, width),
    licence: 'Apache-2.0',
    preprocessing: {
      inputSize: [SIDE, SIDE],
      ...IMAGENET,
      interpolation: 'bicubic',
      cropFraction: 1,
      cropMode: 'center',
    },
    width,
    parameters,
    pooling: 'cls',
  };
});
