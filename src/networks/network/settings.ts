import { z } from 'zod';
import { TARGET_WEIGHTS } from '../../pasture/targets.ts';
import { augmentationSettings } from '../../vision/augment/index.ts';
import { fineTuneSettings } from '../fine-tune/settings.ts';

const positive = z.number().positive();
const notNegative = z.number().min(0);
const share = z.number().min(0).max(1);
const count = z.int().min(1);
const rate = z.number().min(0).lt(1);

/** How the columns of a feature row are arranged (see `NetworkShape`); a backbone's plan says it by itself. */
const layoutSettings = z.strictObject({
  halves: z.union([z.literal(1), z.literal(2)]).default(1),
  parts: count.default(1),
  /** Last columns that are a further embedding of the whole photo. */
  extra: z.int().min(0).default(0),
});

/** Layers on the flattened features. */
const mlpSettings = z.strictObject({
  kind: z.literal('mlp'),
  /** Widths of the hidden layers. */
  hidden: z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(count)).default([256]),
  /** Share of the features dropped. */
  inputDropout: rate.default(0),
  /** Share of every hidden layer dropped. */
  dropout: rate.default(0.3),
  activation: z.enum(['relu', 'gelu', 'silu']).default('gelu'),
  /** A linear path around the hidden layers. */
  skip: z.boolean().default(false),
});

/** Seed 1: heads for total, GDM and green over the halves side by side. */
const tiledDualSettings = z.strictObject({
  kind: z.literal('tiled-dual'),
  /** Blocks whose features stand side by side and attend to each other; 0: they do not. */
  attendingBlocks: z.int().min(0).default(0),
  /** How the tiles of a half become one vector. */
  tiles: z.enum(['mean', 'attention', 'quality']).default('mean'),
  /** How the halves become one vector. */
  fusion: z.enum(['concat', 'film', 'gated']).default('concat'),
  /** Width of a linear layer before the heads, shared by them; 0: none. */
  bottleneck: z.int().min(0).default(0),
  /** Hidden width of a head as a share of its input's. */
  hiddenRatio: positive.default(0.25),
  dropout: rate.default(0.3),
  /** How predictions are made physical: the larger sum gives way, or the nearest physical masses. */
  physics: z.enum(['order', 'project']).default('order'),
});

/** Seed 2: halves modulated by their mean; heads for green, clover and dead. */
const filmDualSettings = z.strictObject({
  kind: z.literal('film-dual'),
  hidden: count.default(256),
  /** Whether γ of the modulation is free, or kept in ±1 by tanh. */
  gamma: z.enum(['free', 'tanh']).default('free'),
  dropout: rate.default(0.1),
});

/** Masses of every patch, summed. */
const densitySettings = z.strictObject({
  kind: z.literal('density'),
  /** Whether each half learns half the label, or both together all of it. */
  halves: z.enum(['separate', 'together']).default('separate'),
  dropout: rate.default(0),
});

/**
 * How much each mass counts: green, dead, clover, GDM, total. `metric`: as in the competition; `alike`: a fifth each;
 * `components`: a third each of the first three; `nested`: as seed 1's heads.
 */
const massWeightSettings = z.union([
  z.enum(['metric', 'alike', 'components', 'nested']),
  z.array(notNegative).length(TARGET_WEIGHTS.length),
]);

/** Terms of the loss, each with its share, over the five masses. */
const lossSettings = z.strictObject({
  mse: notNegative.default(0),
  smoothL1: notNegative.default(0),
  huber: notNegative.default(0),
  r2: notNegative.default(0),
  /** Gaussian negative log-likelihood, the variance being predicted too. */
  nll: notNegative.default(0),
  /** Cross entropy of interval heads: an ordinal-bin classification of every mass. */
  bins: notNegative.default(0),
  binCount: z.int().min(2).default(7),
  /** Corner of SmoothL1, grams. */
  beta: positive.default(1),
  /** Corner of Huber's loss, grams. */
  delta: positive.default(10),
  /** How much each mass counts in every term that `termWeights` does not name. */
  weights: massWeightSettings.default('metric'),
  /** How much each mass counts in a term of its own. */
  termWeights: z
    .strictObject({
      mse: massWeightSettings.optional(),
      smoothL1: massWeightSettings.optional(),
      huber: massWeightSettings.optional(),
      r2: massWeightSettings.optional(),
      nll: massWeightSettings.optional(),
      bins: massWeightSettings.optional(),
    })
    .default({}),
});

/** Shares of auxiliary heads in the loss: what labels say besides masses. 0: no such head. */
const auxiliarySettings = z.strictObject({
  state: notNegative.default(0),
  species: notNegative.default(0),
  ndvi: notNegative.default(0),
  height: notNegative.default(0),
});

/** What labels say of a training photo and a new photo has not: what a teacher may see. */
export const PRIVILEGED = ['ndvi', 'height', 'state', 'species', 'season'] as const;

/**
 * A teacher that sees more than the photo, whose word a network learns from beside the measured masses
 * (`teachTrainingPhotos`). A weight of 0 is no teacher.
 */
const teacherSettings = z
  .strictObject({
    /** Share of the teacher's word in the terms of the masses; what was measured has the rest. */
    weight: share.default(0),
    /** What it sees of the labels. */
    sees: z
      .preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(z.enum(PRIVILEGED)))
      .refine((names) => new Set(names).size === names.length, 'something is named twice')
      .default(['ndvi', 'height', 'state', 'species']),
    /** Whether it sees the row of features too; there is none where photos are trained on. */
    features: z.boolean().default(true),
    /** Parts the training sessions are cut into, each taught by a teacher of the others. */
    innerFolds: z.int().min(2).default(5),
  })
  .refine(({ sees, features }) => features || sees.length > 0, 'the teacher sees nothing')
  .transform((teacher) => (teacher.weight > 0 ? teacher : undefined));

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
  architecture: z.discriminatedUnion('kind', [
    mlpSettings,
    tiledDualSettings,
    filmDualSettings,
    densitySettings,
  ]),
  /** `.npy` or `.safetensors` of text embeddings `[concepts, width]`: their cosines replace the further embedding. */
  concepts: z.string().min(1).nullable().default(null),
  /** Bring every feature to mean 0 and deviation 1 of the training photos, bounded by ± `clip`. */
  standardise: z.boolean().default(false),
  clip: positive.default(4),
  /** What a head's output is counted in: grams, or the mean mass of the training photos. */
  unit: z.enum(['gram', 'mean']).default('gram'),
  /** Embedding mixup (Zhang et al. 2018): probability of a batch being mixed, and α of Beta(α, α). */
  mixup: z.strictObject({ probability: share.default(0), alpha: positive.default(0.4) }).prefault({}),
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
  /** What photos go through before they are learnt from; `none` without a backbone. */
  augmentation: augmentationSettings.prefault({}),
  /** Whether and how the backbone is trained too. */
  fineTune: fineTuneSettings.prefault({}),
  /** How weight matrices are stored. */
  storage: z.enum(['fp32', 'fp16']).default('fp16'),
});

export type NetworkSettings = z.output<typeof networkSettings>;
export type LayoutSettings = NetworkSettings['layout'];
export type ArchitectureSettings = NetworkSettings['architecture'];
export type MlpSettings = z.output<typeof mlpSettings>;
export type TiledDualSettings = z.output<typeof tiledDualSettings>;
export type FilmDualSettings = z.output<typeof filmDualSettings>;
export type DensitySettings = z.output<typeof densitySettings>;
export type LossSettings = NetworkSettings['loss'];
export type AuxiliarySettings = NetworkSettings['auxiliary'];
export type TeacherSettings = NonNullable<NetworkSettings['teacher']>;
export type Privileged = (typeof PRIVILEGED)[number];
