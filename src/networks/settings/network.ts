import { z } from 'zod';
import { augmentationSettings } from '../../vision/augment/index.ts';
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
  kind: z.enum(['adamw', 'adam', 'sgd']).default('adamw'),
  /** Learning rate at its highest. */
  rate: positive.default(1e-3),
  weightDecay: notNegative.default(0.01),
  /** Whether biases, norms and the like decay as well, as torch's optimizers have it. */
  decayBiases: z.boolean().default(true),
  /** Of SGD. */
  momentum: rate.default(0.9),
});

const scheduleSettings = z.strictObject({
  kind: z.enum(['constant', 'cosine', 'one-cycle', 'plateau']).default('cosine'),
  /** Epochs in which the rate rises from 0 (cosine). */
  warmUp: notNegative.default(0),
  /** Last rate as a share of the highest (cosine). */
  floor: share.default(0),
  /** Epochs without a better loss before the rate is cut (plateau): of validation where that chooses, else of training. */
  patience: count.default(5),
  /** What it is cut by (plateau). */
  factor: z.number().gt(0).lt(1).default(0.3),
});

const checkpointSettings = z.strictObject({
  /**
   * Which weights are kept: the last, the best on some training sessions held out for it, or the best on the
   * fold's own photos, which makes the fold's score optimistic.
   */
  choice: z.enum(['last', 'best-inner', 'best-fold']).default('last'),
  /** What best means: highest weighted R², or lowest loss. */
  by: z.enum(['score', 'loss']).default('score'),
  /** Parts the training sessions are cut into, one of which is held out. */
  innerFolds: z.int().min(2).default(5),
  /** Epochs without a better score before training stops; null: never. Not with `last`. */
  patience: count.nullable().default(null),
});

/** A network and how it is trained. */
export const networkSettings = z.strictObject({
  kind: z.literal('network'),
  layout: layoutSettings.prefault({}),
  architecture: architectureSettings,
  /** `.npy` or `.safetensors` of text embeddings `[concepts, width]`: their cosines replace the further embedding. */
  concepts: z.string().min(1).nullable().default(null),
  /** Bring every feature to mean 0 and deviation 1 of the training photos, bounded by ± `clip`. */
  standardise: z.boolean().default(false),
  clip: positive.default(4),
  /** What a head's output is counted in: grams, or the mean mass of the training photos. */
  unit: z.enum(['gram', 'mean']).default('gram'),
  mixup: mixupSettings.prefault({}),
  loss: lossSettings.prefault({}),
  auxiliary: auxiliarySettings.prefault({}),
  /** Absent: none, as in recipes from before there were teachers. */
  teacher: teacherSettings.optional(),
  optimizer: optimizerSettings.prefault({}),
  schedule: scheduleSettings.prefault({}),
  checkpoint: checkpointSettings.prefault({}),
  epochs: count.default(20),
  batch: count.default(8),
  /** Batches whose gradients are averaged into one step. */
  accumulate: count.default(1),
  /** Largest global norm of the gradients; null: no limit. */
  clipNorm: positive.nullable().default(null),
  /** Decay of the weights' moving average, which is then validated and kept; null: none. */
  averageDecay: z.number().gt(0).lt(1).nullable().default(null),
  /** How far large sessions are weighed down: 0 not at all, 1 all sessions alike. */
  sessionWeight: share.default(0),
  /** Networks of different initial weights whose predictions are averaged. */
  members: count.default(1),
  /** What photos go through before training sees them; `none` without a backbone. */
  augmentation: augmentationSettings.prefault({}),
  /** Whether and how the backbone is trained too. */
  fineTune: fineTuneSettings.prefault({}),
  /** How weight matrices are stored. */
  storage: z.enum(['fp32', 'fp16']).default('fp16'),
});

export type NetworkSettings = z.output<typeof networkSettings>;
