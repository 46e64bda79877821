import { z } from 'zod';
import { augmentationSettings, changesPictures } from '../../vision/augment/index.ts';
import { layoutSettings } from '../heads/features.ts';
import { architectureSettings } from '../heads/heads.ts';
import { auxiliarySettings } from '../objectives/auxiliary.ts';
import { lossSettings } from '../objectives/loss.ts';
import { mixupSettings } from '../objectives/mixup.ts';
import { teacherSettings } from '../objectives/teacher.ts';
import { fineTuneSettings } from './fine-tune.ts';

const positive = z.number().positive();
const notNegative = z.number().min(0);
const share = z.number().min(0).max(1);
const count = z.int().min(1);
const rate = z.number().min(0).lt(1);

const optimizerSettings = z.strictObject({
  kind: z.enum(['adamw', 'adam', 'sgd']).default('adamw').describe('how weights follow gradients'),
  rate: positive.default(1e-3).describe('learning rate at its highest'),
  weightDecay: notNegative.default(0.01).describe('pull of weights towards 0'),
  decayBiases: z
    .boolean()
    .default(true)
    .describe('whether biases and norms decay as well, as torch’s optimizers have it'),
  momentum: rate.default(0.9).describe('momentum of sgd'),
});

const scheduleSettings = z.strictObject({
  kind: z
    .enum(['constant', 'cosine', 'one-cycle', 'plateau'])
    .default('cosine')
    .describe('how the learning rate changes'),
  warmUp: notNegative.default(0).describe('cosine: epochs in which the rate rises from 0'),
  floor: share.default(0).describe('cosine: last rate as a share of the highest'),
  patience: count
    .default(5)
    .describe(
      'plateau: epochs without a better loss before a cut; of validation where that chooses, else of training',
    ),
  factor: z.number().gt(0).lt(1).default(0.3).describe('plateau: what the rate is cut by'),
});

const checkpointSettings = z.strictObject({
  choice: z
    .enum(['last', 'best-inner', 'best-fold'])
    .default('last')
    .describe(
      'weights kept: the last, the best on training sessions held out for it, or on the fold’s own photos (flatters)',
    ),
  by: z
    .enum(['score', 'loss'])
    .default('score')
    .describe('what best means: highest weighted R², or lowest loss'),
  innerFolds: z
    .int()
    .min(2)
    .default(5)
    .describe('best-inner: parts the training sessions are cut into, one of which is held out'),
  patience: count
    .nullable()
    .default(null)
    .describe('epochs without a better score before training stops; null: never; not with choice last'),
});

/** A network and how it is trained. */
export const networkSettings = z.strictObject({
  kind: z.literal('network'),
  layout: layoutSettings.prefault({}),
  architecture: architectureSettings,
  concepts: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('.npy or .safetensors of text embeddings, whose cosines replace the further embedding'),
  standardise: z
    .boolean()
    .default(false)
    .describe('whether features are brought to mean 0 and deviation 1 of the training photos'),
  clip: positive.default(4).describe('standardised features are bounded by ± this many deviations'),
  unit: z
    .enum(['gram', 'mean'])
    .default('gram')
    .describe('what outputs are counted in: grams, or the training photos’ mean mass'),
  mixup: mixupSettings.prefault({}),
  loss: lossSettings.prefault({}),
  auxiliary: auxiliarySettings.prefault({}),
  /** Absent: none, as in recipes from before there were teachers. */
  teacher: teacherSettings.optional(),
  optimizer: optimizerSettings.prefault({}),
  schedule: scheduleSettings.prefault({}),
  checkpoint: checkpointSettings.prefault({}),
  epochs: count.default(20).describe('times every training photo is seen'),
  batch: count.default(8).describe('photos a batch'),
  accumulate: count.default(1).describe('batches whose gradients are averaged into one step'),
  clipNorm: positive
    .nullable()
    .default(null)
    .describe('largest global norm of the gradients; null: no limit'),
  averageDecay: z
    .number()
    .gt(0)
    .lt(1)
    .nullable()
    .default(null)
    .describe('decay of the weights’ moving average, which is then validated and kept; null: none'),
  sessionWeight: share
    .default(0)
    .describe('how far large sessions are weighed down: 0 not at all, 1 all sessions alike'),
  members: count.default(1).describe('networks of different initial weights, averaged'),
  augmentation: augmentationSettings.prefault({}),
  fineTune: fineTuneSettings.prefault({}),
  storage: z.enum(['fp32', 'fp16']).default('fp16').describe('how weight matrices are stored'),
});

export type NetworkSettings = z.output<typeof networkSettings>;

/** Whether training has to see photos: the backbone is trained too, or photos are augmented. */
export function trainsOnPhotos({
  fineTune,
  augmentation,
}: Pick<NetworkSettings, 'fineTune' | 'augmentation'>): boolean {
  return fineTune.mode !== 'none' || changesPictures(augmentation) || augmentation.batch.probability > 0;
}
