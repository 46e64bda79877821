import { sum } from 'd3-array';
import { z } from 'zod';
import { relu6, silu } from '../../tensor/index.ts';
import { architecture, countIn, lengthIn, type Shapes } from './architecture.ts';
import { type Layout, plain, type Rule } from './layout.ts';
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
  lite0: [1, 1],
  lite1: [1, 1.1],
  lite2: [1.1, 1.2],
  lite3: [1.2, 1.4],
  lite4: [1.4, 1.8],
} as const satisfies Record<string, readonly [channels: number, depth: number]>;

type SizeName = keyof typeof MULTIPLIERS;

const LITE_SIZES = ['lite0', 'lite1', 'lite2', 'lite3', 'lite4'] as const satisfies readonly SizeName[];

const SCHEMA = z.strictObject({
  /** timm's name: `efficientnet_b4`, or `tf_efficientnet_b4` with TensorFlow's padding and ε. */
  variant: z
    .string()
    .regex(
      /^(tf_)?efficientnet_(b[0-7]|lite[0-4])$/,
      'must be efficientnet_b0 … b7 or efficientnet_lite0 … lite4, or tf_ before it',
    ),
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

const sizeOf = (variant: string): SizeName => variant.replace(/^(tf_)?efficientnet_/, '') as SizeName;

const isLite = (size: SizeName): boolean => size.startsWith('lite');

/**
 * Lite networks (of TensorFlow's TPU repository) are for processors without fast sigmoids: ReLU6 in place of SiLU, no
 * squeeze-and-excitation; and stem, head and the repeats of the first and last stage are not scaled.
 */
function specOf({ variant, channelMultiplier, depthMultiplier }: z.output<typeof SCHEMA>): NetworkSpec {
  const size = sizeOf(variant);
  const [ownChannels, ownDepth] = MULTIPLIERS[size];
  const channels = channelMultiplier ?? ownChannels;
  const depth = depthMultiplier ?? ownDepth;
  const tensorflow = variant.startsWith('tf_');
  return isLite(size)
    ? { stem: 32, stages: liteStages([channels, depth]), head: 1280, tensorflow, activation: relu6 }
    : {
        stem: roundChannels(32, channels),
        stages: STAGES.map((stage) => scaledStage(stage, channels, depth)),
        head: roundChannels(1280, channels),
        tensorflow,
        activation: silu,
      };
}

const liteStages = ([channels, depth]: readonly [number, number]): readonly Stage[] =>
  STAGES.map((stage, number) => {
    const isInner = number > 0 && number < STAGES.length - 1;
    return scaledStage({ ...stage, squeeze: false }, channels, isInner ? depth : 1);
  });

/** The size of Lite weights, which the width of the last stage and the repeats of the one before tell. */
const liteSizeOf = (shapes: Shapes): SizeName | undefined =>
  LITE_SIZES.find((size) => {
    const [before, last] = liteStages(MULTIPLIERS[size]).slice(-2);
    return (
      lengthIn(shapes, 'conv_head.weight', 1) === last?.channels &&
      countIn(shapes, 'blocks.5.') === before?.repeats
    );
  });

const BATCH_NORM = '(weight|bias|running_mean|running_var)';

/** Of the first stage, whose blocks do not expand, and of all others. */
const BLOCK_NAMES = {
  separable: { _depthwise_conv: 'conv_dw', _bn1: 'bn1', _project_conv: 'conv_pw', _bn2: 'bn2' },
  inverted: {
    _expand_conv: 'conv_pw',
    _bn0: 'bn1',
    _depthwise_conv: 'conv_dw',
    _bn1: 'bn2',
    _project_conv: 'conv_pwl',
    _bn2: 'bn3',
  },
} as const;

/** A convolution or a batch norm under another name. */
const renamed = (from: string, to: string): Rule =>
  /_bn\d$/.test(from)
    ? plain(`${from}\\.${BATCH_NORM}`, `${to}.$1`)
    : plain(`${from}\\.weight`, `${to}.weight`);

/**
 * TensorFlow's Lite weights as `efficientnet_lite_pytorch` (after `efficientnet_pytorch`) has them. Blocks are numbered
 * through all stages, so how many there are tells where each stage begins.
 */
const EFFICIENTNET_PYTORCH: Layout = {
  title: 'EfficientNet-Lite-PyTorch',
  marks: [/(?:^|\.)_conv_stem\.weight$/, /^_blocks\.0\._depthwise_conv\.weight$/, /^_conv_head\.weight$/],
  rules(names) {
    const count = countIn(new Map([...names].map((name) => [name, []])), '_blocks.');
    const stages = LITE_SIZES.map((size) => liteStages(MULTIPLIERS[size])).find(
      (candidate) => sum(candidate, ({ repeats }) => repeats) === count,
    );
    const blocks = (stages ?? []).flatMap(({ kind, repeats }, stage) =>
      Array.from({ length: repeats }, (_, at) => ({ kind, to: `blocks.${stage}.${at}` })),
    );
    return [
      renamed('_conv_stem', 'conv_stem'),
      renamed('_bn0', 'bn1'),
      renamed('_conv_head', 'conv_head'),
      renamed('_bn1', 'bn2'),
      ...blocks.flatMap(({ kind, to }, number) =>
        Object.entries(BLOCK_NAMES[kind === 'separable' ? kind : 'inverted']).map(([from, name]) =>
          renamed(`_blocks\\.${number}\\.${from}`, `${to}.${name}`),
        ),
      ),
    ];
  },
};

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
  lite0: [1280, 3_371_008, 13_652_488, 224, 0.875],
  lite1: [1280, 4_135_680, 16_757_888, 240, 0.882],
  lite2: [1280, 4_811_072, 19_477_184, 260, 0.89],
  lite3: [1280, 6_916_096, 27_971_656, 300, 0.904],
  lite4: [1280, 11_725_568, 47_352_472, 380, 0.92],
};

/** TensorFlow's weights: AutoAugment, AdvProp, plain, noisy student, RandAugment. */
const TENSORFLOW: readonly (readonly [tag: string, sizes: readonly SizeName[]])[] = [
  ['ns_jft_in1k', ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7']],
  ['ap_in1k', ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7']],
  ['aa_in1k', ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7']],
  ['in1k', ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', ...LITE_SIZES]],
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
  ['lite0', 'ra_in1k', 1000, 224, 0.875, null],
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

/** How photos are prepared for TensorFlow's weights. */
function tensorflowCrop(size: SizeName, tag: string): Preprocessing {
  const [, , , side, cropFraction] = SIZES[size];
  const crop = centerCrop(side, cropFraction, tag === 'ap_in1k' || isLite(size) ? HALVES : IMAGENET);
  return size === 'lite3' || size === 'lite4' ? { ...crop, interpolation: 'bilinear' } : crop;
}

/**
 * EfficientNet B0 to B7 (Tan & Le 2019) and Lite0 to Lite4, as in timm, with TensorFlow's padding (`tf_`) and with
 * timm's.
 */
export const EFFICIENTNET = architecture({
  arch: 'efficientnet',
  schema: SCHEMA,
  build: (config) => convolutionalBackbone('efficientnet', specOf(config)),
  /**
   * B0 to B7 differ in repeats and widths, and whether padding is TensorFlow's does not show in shapes. Lite weights are
   * taken for TensorFlow's, since of timm's own there is Lite0 alone, told by its name or its config.json.
   */
  recognise(shapes) {
    const isOne = shapes.has('conv_head.weight') && shapes.has('conv_stem.weight');
    if (!isOne || shapes.has('blocks.1.0.conv_exp.weight')) return undefined;
    const lite = shapes.has('blocks.0.0.se.conv_reduce.weight') ? undefined : liteSizeOf(shapes);
    return { config: {}, open: { variant: lite && `tf_efficientnet_${lite}` } };
  },
  layouts: [EFFICIENTNET_PYTORCH],
  timmName: /^(tf_)?efficientnet_/,
  timmArguments: {},
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
      sizes.map((size) => weightsOf(`tf_efficientnet_${size}`, size, tag, 1000, tensorflowCrop(size, tag))),
    ),
  ],
});
