import { z } from 'zod';
import { architecture } from './backbone.ts';
import { convolutionalBackbone, type Plan, roundChannels, type Stage, scaledStage } from './mbconv.ts';

const CONFIG = z.strictObject({
  /** timm's name: `tf_efficientnetv2_l`; without `tf_`, symmetric padding and torch's ε. */
  variant: z.string().regex(/^(tf_)?efficientnetv2_[sml]$/, 'must be tf_efficientnetv2_s, _m or _l'),
  /** Of the size's own channels. Default 1. */
  channelMultiplier: z.number().positive().optional(),
  /** Of the size's own repeats. Default 1. */
  depthMultiplier: z.number().positive().optional(),
});

type EfficientNetV2Config = z.infer<typeof CONFIG>;

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

function planOf({
  variant,
  channelMultiplier: channels = 1,
  depthMultiplier: depth = 1,
}: EfficientNetV2Config): Plan {
  const { stem, stages, scaledHead } = SIZES[variant.slice(-1) as keyof typeof SIZES];
  return {
    stem: roundChannels(stem, channels),
    stages: stages.map((stage) => scaledStage(stage, channels, depth)),
    head: scaledHead ? roundChannels(1280, channels) : 1280,
    tensorflow: variant.startsWith('tf_'),
  };
}

/** EfficientNetV2 S, M and L (Tan & Le 2021), as in timm. */
export const EFFICIENTNETV2 = architecture('efficientnetv2', CONFIG, (config) =>
  convolutionalBackbone('efficientnetv2', planOf(config)),
);
