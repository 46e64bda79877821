import { z } from 'zod';
import { architecture } from './architecture.ts';
import { convolutionalBackbone, type NetworkSpec, roundChannels, type Stage, scaledStage } from './mbconv.ts';
import {
  centerCrop,
  HALVES,
  IMAGENET,
  type Pins,
  type Preprocessing,
  type PublishedWeights,
  timmWeights,
} from './published.ts';

/** Multipliers of channels and depth, by size. */
const MULTIPLIERS = {
  b0: [1, 1],
  b1: [1, 1.1],
  b2: [1.1, 1.2],
  b3: [1.2, 1.4],
  b4: [1.4, 1.8],
  b5: [1.6, 2.2],
  b6: [1.8, 2.6],
  b7: [2, 3.1],
} as const satisfies Record<string, readonly [channels: number, depth: number]>;

type SizeName = keyof typeof MULTIPLIERS;

const SCHEMA = z.strictObject({
  /** timm's name: `efficientnet_b4`, or `tf_efficientnet_b4` with TensorFlow's padding and ε. */
  variant: z.string().regex(/^(tf_)?efficientnet_b[0-7]$/, 'must be efficientnet_b0 … b7, or tf_ before it'),
  /** Instead of the size's own multipliers. */
  channelMultiplier: z.number().positive().optional(),
  depthMultiplier: z.number().positive().optional(),
});

const inverted = (
  repeats: number,
  kernel: 3 | 5,
  stride: 1 | 2,
  expand: number,
  channels: number,
): Stage => ({ kind: 'inverted', repeats, kernel, stride, expand, channels, squeeze: true });

/** B0; table 1 of the paper. */
const STAGES: readonly Stage[] = [
  { ...inverted(1, 3, 1, 1, 16), kind: 'separable' },
  inverted(2, 3, 2, 6, 24),
  inverted(2, 5, 2, 6, 40),
  inverted(3, 3, 2, 6, 80),
  inverted(3, 5, 1, 6, 112),
  inverted(4, 5, 2, 6, 192),
  inverted(1, 3, 1, 6, 320),
];

function specOf({ variant, channelMultiplier, depthMultiplier }: z.output<typeof SCHEMA>): NetworkSpec {
  const [ownChannels, ownDepth] = MULTIPLIERS[variant.slice(-2) as SizeName];
  const channels = channelMultiplier ?? ownChannels;
  const depth = depthMultiplier ?? ownDepth;
  return {
    stem: roundChannels(32, channels),
    stages: STAGES.map((stage) => scaledStage(stage, channels, depth)),
    head: roundChannels(1280, channels),
    tensorflow: variant.startsWith('tf_'),
  };
}

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

const PINS: Pins = {
  'efficientnet_b0.ra_in1k': [
    '1b5383e5f79cc0f7fc067e372f8f26a5fa73f26a',
    21_355_344,
    'd569899762ea9b1384ee07f4af64805cf8caa1c55f9253ebb1080dc40e87a2cd',
  ],
};

function weightsOf(
  variant: string,
  size: SizeName,
  tag: string,
  classes: number,
  preprocessing: Preprocessing,
): PublishedWeights {
  const [width, parameters, bodyBytes] = SIZES[size];
  const facts = { config: { variant }, licence: 'Apache-2.0', preprocessing, width, parameters } as const;
  return timmWeights(`${variant}.${tag}`, facts, { pins: PINS, classes, bodyBytes });
}

/** EfficientNet B0 to B7 (Tan & Le 2019), as in timm, with TensorFlow's padding (`tf_`) and with timm's. */
export const EFFICIENTNET = architecture({
  arch: 'efficientnet',
  schema: SCHEMA,
  build: (config) => convolutionalBackbone('efficientnet', specOf(config)),
  /** The variants differ in repeats and widths; whether padding is TensorFlow's does not show in shapes. */
  recognise: (shapes) =>
    shapes.has('conv_head.weight') &&
    shapes.has('conv_stem.weight') &&
    !shapes.has('blocks.1.0.conv_exp.weight')
      ? { config: {}, open: { variant: undefined } }
      : undefined,
  layouts: [],
  huggingFace: { modelTypes: [], settings: [] },
  pooling: 'mean',
  weights: [
    ...OWN.map(([size, tag, classes, side, cropFraction, test]) =>
      weightsOf(`efficientnet_${size}`, size, tag, classes, {
        ...centerCrop(side, cropFraction, tag.startsWith('ra4') ? HALVES : IMAGENET),
        ...(test && { testInputSize: [test[0], test[0]], testCropFraction: test[1] }),
        ...(tag === 'sw_in12k_ft_in1k' && { cropMode: 'squash' }),
      }),
    ),
    ...TENSORFLOW.flatMap(([tag, sizes]) =>
      sizes.map((size) => {
        const [, , , side, cropFraction] = SIZES[size];
        const crop = centerCrop(side, cropFraction, tag === 'ap_in1k' ? HALVES : IMAGENET);
        return weightsOf(`tf_efficientnet_${size}`, size, tag, 1000, crop);
      }),
    ),
  ],
});
