import { type CatalogueEntry, float32Bytes, IMAGENET, timmSource } from './entry.ts';

const SIZES = {
  small: { dim: 384, depth: 12, heads: 6, mlp: 'gelu' },
  small_plus: { dim: 384, depth: 12, heads: 6, mlp: 'swiglu' },
  base: { dim: 768, depth: 12, heads: 12, mlp: 'gelu' },
  large: { dim: 1024, depth: 24, heads: 16, mlp: 'gelu' },
  huge_plus: { dim: 1280, depth: 32, heads: 20, mlp: 'swiglu' },
} as const;

const SIDE = 256;

/** Satellite pictures. */
const SATELLITE = { mean: [0.43, 0.411, 0.296], std: [0.213, 0.156, 0.143] } as const;

type Data = 'lvd1689m' | 'sat493m';

/** [size, data, parameters without and with q and v biases]; counted by instantiating timm 1.0.29. */
const WEIGHTS: readonly (readonly [keyof typeof SIZES, Data, number, number])[] = [
  ['small', 'lvd1689m', 21_586_944, 21_596_160],
  ['small_plus', 'lvd1689m', 28_683_264, 28_692_480],
  ['base', 'lvd1689m', 85_641_216, 85_659_648],
  ['large', 'lvd1689m', 303_079_424, 303_128_576],
  ['large', 'sat493m', 303_079_424, 303_128_576],
  ['huge_plus', 'lvd1689m', 840_509_440, 840_591_360],
];

/**
 * DINOv3's transformers (Siméoni et al. 2025): patch 16, RoPE, four registers, learnt on LVD-1689M (or on
 * satellite pictures). `_qkvb` stores the biases of q and v, which are zero until tuned.
 */
export const DINOV3_ENTRIES: readonly CatalogueEntry[] = WEIGHTS.flatMap(
  ([size, data, withoutBias, withBias]) => [
    entry(size, data, withoutBias, false),
    entry(size, data, withBias, true),
  ],
);

function entry(size: keyof typeof SIZES, data: Data, parameters: number, qkvBias: boolean): CatalogueEntry {
  const width = SIZES[size].dim;
  return {
    ...timmSource(`vit_${size}_patch16_dinov3${qkvBias ? '_qkvb' : ''}.${data}`),
    arch: 'dinov3',
    config: { patch: 16, ...SIZES[size], registers: 4, qkvBias },
    dataBytes: float32Bytes(parameters, 0, width),
    licence: 'DINOv3',
    preprocessing: {
      inputSize: [SIDE, SIDE],
      ...(data === 'sat493m' ? SATELLITE : IMAGENET),
      interpolation: 'bicubic',
      cropFraction: 1,
      cropMode: 'center',
    },
    width,
    parameters,
    pooling: 'patch-mean',
  };
}
