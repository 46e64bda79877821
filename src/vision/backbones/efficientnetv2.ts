import { z } from 'zod';
import { silu } from '../../tensor/index.ts';
import { architecture } from './architecture.ts';
import { convolutionalBackbone, type NetworkSpec, roundChannels, type Stage, scaledStage } from './mbconv.ts';
import { centerCrop, HALVES, timmWeights } from './published.ts';

const SCHEMA = z.strictObject({
  /** timm's name: `tf_efficientnetv2_l`; without `tf_`, symmetric padding and torch's ε. */
  variant: z.string().regex(/^(tf_)?efficientnetv2_[sml]$/, 'must be tf_efficientnetv2_s, _m or _l'),
  /** Of the size's own channels. Default 1. */
  channelMultiplier: z.number().positive().optional(),
  /** Of the size's own repeats. Default 1. */
  depthMultiplier: z.number().positive().optional(),
});

type Row = readonly [repeats: number, stride: 1 | 2, expand: number, channels: number];

const plain = ([repeats, stride, expand, channels]: Row): Stage => ({
  kind: 'plain',
  repeats,
  kernel: 3,
  stride,
  expand,
  channels,
  squeeze: false,
});
const fused = (row: Row): Stage => ({ ...plain(row), kind: 'fused' });
const inverted = (row: Row): Stage => ({ ...plain(row), kind: 'inverted', squeeze: true });

interface Size {
  readonly stem: number;
  readonly stages: readonly Stage[];
  /** Whether the head grows with the channels, as timm has it for S only. */
  readonly scaledHead: boolean;
}

/** Table 4 of the paper, and the M and L of its published code. */
const SIZES: Readonly<Record<'s' | 'm' | 'l', Size>> = {
  s: {
    stem: 24,
    stages: [
      plain([2, 1, 1, 24]),
      fused([4, 2, 4, 48]),
      fused([4, 2, 4, 64]),
      inverted([6, 2, 4, 128]),
      inverted([9, 1, 6, 160]),
      inverted([15, 2, 6, 256]),
    ],
    scaledHead: true,
  },
  m: {
    stem: 24,
    stages: [
      plain([3, 1, 1, 24]),
      fused([5, 2, 4, 48]),
      fused([5, 2, 4, 80]),
      inverted([7, 2, 4, 160]),
      inverted([14, 1, 6, 176]),
      inverted([18, 2, 6, 304]),
      inverted([5, 1, 6, 512]),
    ],
    scaledHead: false,
  },
  l: {
    stem: 32,
    stages: [
      plain([4, 1, 1, 32]),
      fused([7, 2, 4, 64]),
      fused([7, 2, 4, 96]),
      inverted([10, 2, 4, 192]),
      inverted([19, 1, 6, 224]),
      inverted([25, 2, 6, 384]),
      inverted([7, 1, 6, 640]),
    ],
    scaledHead: false,
  },
};

function specOf({
  variant,
  channelMultiplier: channels = 1,
  depthMultiplier: depth = 1,
}: z.output<typeof SCHEMA>): NetworkSpec {
  const { stem, stages, scaledHead } = SIZES[variant.slice(-1) as keyof typeof SIZES];
  return {
    stem: roundChannels(stem, channels),
    stages: stages.map((stage) => scaledStage(stage, channels, depth)),
    head: scaledHead ? roundChannels(1280, channels) : 1280,
    tensorflow: variant.startsWith('tf_'),
    activation: silu,
  };
}

/** [parameters, bytes of the body, pixels in training and in tests, crop mode] */
const WEIGHTS = {
  s: [20_177_488, 81_326_320, 300, 384, 'center'],
  m: [52_858_356, 212_602_808, 384, 480, 'squash'],
  l: [117_234_272, 470_989_128, 384, 480, 'squash'],
} as const;

const TAGS = [
  ['in21k_ft_in1k', 1000],
  ['in21k', 21_843],
  ['in1k', 1000],
] as const;

/** EfficientNetV2 S, M and L (Tan & Le 2021), as in timm. */
export const EFFICIENTNETV2 = architecture({
  arch: 'efficientnetv2',
  schema: SCHEMA,
  build: (config) => convolutionalBackbone('efficientnetv2', specOf(config)),
  /** As of EfficientNet, sizes and padding do not show in a few shapes. */
  recognise: (shapes) =>
    shapes.has('conv_head.weight') &&
    shapes.has('conv_stem.weight') &&
    shapes.has('blocks.1.0.conv_exp.weight')
      ? { config: {}, open: { variant: undefined } }
      : undefined,
  layouts: [],
  timmName: /^(tf_)?efficientnetv2_/,
  timmArguments: {},
  huggingFace: { modelTypes: [], settings: [] },
  pooling: 'mean',
  weights: TAGS.flatMap(([tag, classes]) =>
    (['s', 'm', 'l'] as const).map((size) => {
      const [parameters, bodyBytes, side, testSide, cropMode] = WEIGHTS[size];
      const variant = `tf_efficientnetv2_${size}`;
      return timmWeights(
        `${variant}.${tag}`,
        {
          config: { variant },
          licence: 'Apache-2.0',
          preprocessing: { ...centerCrop(side, 1, HALVES), testInputSize: [testSide, testSide], cropMode },
          width: 1280,
          parameters,
        },
        { classes, bodyBytes },
      );
    }),
  ),
});
