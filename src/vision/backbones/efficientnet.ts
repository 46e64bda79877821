import { z } from 'zod';
import { architecture } from './backbone.ts';
import { convolutionalBackbone, type Plan, roundChannels, type Stage, scaledStage } from './mbconv.ts';

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

const CONFIG = z.strictObject({
  /** timm's name: `efficientnet_b4`, or `tf_efficientnet_b4` with TensorFlow's padding and ε. */
  variant: z.string().regex(/^(tf_)?efficientnet_b[0-7]$/, 'must be efficientnet_b0 … b7, or tf_ before it'),
  /** Instead of the size's own multipliers. */
  channelMultiplier: z.number().positive().optional(),
  depthMultiplier: z.number().positive().optional(),
});

type EfficientNetConfig = z.infer<typeof CONFIG>;

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

function planOf({ variant, channelMultiplier, depthMultiplier }: EfficientNetConfig): Plan {
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

/** EfficientNet B0 to B7 (Tan & Le 2019), as in timm. */
export const EFFICIENTNET = architecture('efficientnet', CONFIG, (config) =>
  convolutionalBackbone('efficientnet', planOf(config)),
);
