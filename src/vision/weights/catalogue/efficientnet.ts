import { type CatalogueEntry, HALVES, IMAGENET, type Preprocessing, timmSource } from './entry.ts';

/** What the weights of one architecture have in common. */
interface Shape {
  readonly variant: string;
  readonly width: number;
  /** Trainable parameters without the head, by instantiating timm 1.0.29. */
  readonly parameters: number;
  /** Bytes of everything but the head: parameters, and statistics and counters of batch norms. */
  readonly bodyBytes: number;
}

type SizeName = 'b0' | 'b1' | 'b2' | 'b3' | 'b4' | 'b5' | 'b6' | 'b7';

/** [width, parameters, bytes of the body, pixels and crop of TensorFlow's weights] */
const SIZES: Readonly<Record<SizeName, readonly [number, number, number, number, number]>> = {
  b0: [1280, 4_007_548, 16_198_648, 224, 0.875],
  b1: [1280, 6_513_184, 26_301_480, 240, 0.882],
  b2: [1408, 7_700_994, 31_074_800, 260, 0.89],
  b3: [1536, 10_696_232, 43_134_736, 300, 0.904],
  b4: [1792, 17_548_616, 70_696_032, 380, 0.922],
  b5: [2048, 28_340_784, 114_055_008, 456, 0.934],
  b6: [2304, 40_735_704, 163_841_616, 528, 0.942],
  b7: [2560, 63_786_960, 256_392_024, 600, 0.949],
};

/** TensorFlow's weights: AutoAugment, AdvProp, plain, noisy student, RandAugment. */
const TENSORFLOW: readonly (readonly [tag: string, sizes: readonly SizeName[]])[] = [
  ['ns_jft_in1k', ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7']],
  ['ap_in1k', ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7']],
  ['aa_in1k', ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7']],
  ['in1k', ['b0', 'b1', 'b2', 'b3', 'b4', 'b5']],
  ['ra_in1k', ['b5', 'b7']],
];

/** timm's own weights: [size, tag, classes, pixels, crop, pixels and crop in tests, or null for the same]. */
const OWN: readonly (readonly [
  SizeName,
  string,
  number,
  number,
  number,
  readonly [number, number] | null,
])[] = [
  ['b0', 'ra_in1k', 1000, 224, 0.875, null],
  ['b0', 'ra4_e3600_r224_in1k', 1000, 224, 0.9, [256, 1]],
  ['b1', 'ft_in1k', 1000, 224, 0.875, [256, 1]],
  ['b1', 'ra4_e3600_r240_in1k', 1000, 240, 0.9, [288, 1]],
  ['b2', 'ra_in1k', 1000, 256, 0.875, [288, 1]],
  ['b3', 'ra2_in1k', 1000, 288, 0.875, [320, 1]],
  ['b4', 'ra2_in1k', 1000, 320, 0.875, [384, 1]],
  ['b5', 'sw_in12k', 11_821, 416, 0.95, null],
  ['b5', 'sw_in12k_ft_in1k', 1000, 448, 1, null],
];

/** [width is 1280, parameters, bytes of the body, pixels in training and in tests, crop mode] */
const V2_SIZES = {
  s: [20_177_488, 81_326_320, 300, 384, 'center'],
  m: [52_858_356, 212_602_808, 384, 480, 'squash'],
  l: [117_234_272, 470_989_128, 384, 480, 'squash'],
} as const;

const V2_TAGS = [
  ['in21k_ft_in1k', 1000],
  ['in21k', 21_843],
  ['in1k', 1000],
] as const;

/** EfficientNet (Tan & Le 2019), with TensorFlow's padding (`tf_`) and with timm's. */
export const EFFICIENTNET_ENTRIES: readonly CatalogueEntry[] = [
  ...OWN.map(([size, tag, classes, side, cropFraction, test]) =>
    entry('efficientnet', shapeOf(`efficientnet_${size}`, size), tag, classes, {
      inputSize: [side, side],
      ...(test === null ? {} : { testInputSize: [test[0], test[0]], testCropFraction: test[1] }),
      ...(tag.startsWith('ra4') ? HALVES : IMAGENET),
      interpolation: 'bicubic',
      cropFraction,
      cropMode: tag === 'sw_in12k_ft_in1k' ? 'squash' : 'center',
    }),
  ),
  ...TENSORFLOW.flatMap(([tag, sizes]) =>
    sizes.map((size) => {
      const [, , , side, cropFraction] = SIZES[size];
      return entry('efficientnet', shapeOf(`tf_efficientnet_${size}`, size), tag, 1000, {
        inputSize: [side, side],
        ...(tag === 'ap_in1k' ? HALVES : IMAGENET),
        interpolation: 'bicubic',
        cropFraction,
        cropMode: 'center',
      });
    }),
  ),
];

/** EfficientNetV2 (Tan & Le 2021) of Google. */
export const EFFICIENTNETV2_ENTRIES: readonly CatalogueEntry[] = V2_TAGS.flatMap(([tag, classes]) =>
  (['s', 'm', 'l'] as const).map((size) => {
    const [parameters, bodyBytes, side, testSide, cropMode] = V2_SIZES[size];
    const shape = { variant: `tf_efficientnetv2_${size}`, width: 1280, parameters, bodyBytes };
    return entry('efficientnetv2', shape, tag, classes, {
      inputSize: [side, side],
      testInputSize: [testSide, testSide],
      ...HALVES,
      interpolation: 'bicubic',
      cropFraction: 1,
      cropMode,
    });
  }),
);

function shapeOf(variant: string, size: SizeName): Shape {
  const [width, parameters, bodyBytes] = SIZES[size];
  return { variant, width, parameters, bodyBytes };
}

function entry(
  arch: 'efficientnet' | 'efficientnetv2',
  { variant, width, parameters, bodyBytes }: Shape,
  tag: string,
  classes: number,
  preprocessing: Preprocessing,
): CatalogueEntry {
  return {
    ...timmSource(`${variant}.${tag}`),
    arch,
    config: { variant },
    dataBytes: bodyBytes + 4 * classes * (width + 1),
    licence: 'Apache-2.0',
    preprocessing,
    width,
    parameters,
    pooling: 'mean',
  };
}
