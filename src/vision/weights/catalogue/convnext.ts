import { type CatalogueEntry, float32Bytes, IMAGENET, type Preprocessing, timmSource } from './entry.ts';

/** Parameters as counted by instantiating timm 1.0.29. */
const SIZES = {
  tiny: { depths: [3, 3, 9, 3], dims: [96, 192, 384, 768], parameters: 27_820_128 },
  small: { depths: [3, 3, 27, 3], dims: [96, 192, 384, 768], parameters: 49_454_688 },
  base: { depths: [3, 3, 27, 3], dims: [128, 256, 512, 1024], parameters: 87_566_464 },
  large: { depths: [3, 3, 27, 3], dims: [192, 384, 768, 1536], parameters: 196_230_336 },
} as const;

type SizeName = keyof typeof SIZES;

interface Weights {
  readonly tag: string;
  readonly classes: number;
  readonly sizes: readonly SizeName[];
  readonly preprocessing: Preprocessing;
}

const ALL: readonly SizeName[] = ['tiny', 'small', 'base', 'large'];
const COMMON = { ...IMAGENET, interpolation: 'bicubic' } as const;
const at224 = (cropFraction: number): Preprocessing => ({
  inputSize: [224, 224],
  ...COMMON,
  cropFraction,
  cropMode: 'center',
});
const tested288 = (cropFraction: number): Preprocessing => ({
  ...at224(cropFraction),
  testInputSize: [288, 288],
  testCropFraction: 1,
});
const SQUASHED_384: Preprocessing = {
  inputSize: [384, 384],
  ...COMMON,
  cropFraction: 1,
  cropMode: 'squash',
};

const WEIGHTS: readonly Weights[] = [
  { tag: 'fb_in22k_ft_in1k', classes: 1000, sizes: ALL, preprocessing: tested288(0.875) },
  { tag: 'fb_in22k_ft_in1k_384', classes: 1000, sizes: ALL, preprocessing: SQUASHED_384 },
  { tag: 'fb_in22k', classes: 21_841, sizes: ALL, preprocessing: at224(0.875) },
  { tag: 'fb_in1k', classes: 1000, sizes: ALL, preprocessing: tested288(0.875) },
  { tag: 'in12k_ft_in1k', classes: 1000, sizes: ['tiny', 'small'], preprocessing: tested288(0.95) },
  { tag: 'in12k_ft_in1k_384', classes: 1000, sizes: ['tiny', 'small'], preprocessing: SQUASHED_384 },
  { tag: 'in12k', classes: 11_821, sizes: ['tiny', 'small'], preprocessing: at224(0.95) },
  { tag: 'dinov3_lvd1689m', classes: 0, sizes: ALL, preprocessing: at224(1) },
];

/** ConvNeXt (Liu et al. 2022) of Meta and timm, and the ones distilled from DINOv3. */
export const CONVNEXT_ENTRIES: readonly CatalogueEntry[] = WEIGHTS.flatMap(
  ({ tag, classes, sizes, preprocessing }) =>
    sizes.map((size): CatalogueEntry => {
      const { depths, dims, parameters } = SIZES[size];
      const width = dims[3];
      return {
        ...timmSource(`convnext_${size}.${tag}`),
        arch: 'convnext',
        config: { depths, dims },
        dataBytes: float32Bytes(parameters, classes, width),
        licence: tag.startsWith('dinov3') ? 'DINOv3' : 'Apache-2.0',
        preprocessing,
        width,
        parameters,
        pooling: 'mean',
      };
    }),
);
