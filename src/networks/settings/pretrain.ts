import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { UsageError } from '../../ground/errors.ts';
import { requireEffect, writtenBy } from '../../ground/idle-settings.ts';
import {
  applyChange,
  changesFrom,
  type PartialSettings,
  type SettingChange,
} from '../../ground/setting-change.ts';
import { settingProblems } from '../../ground/setting-problems.ts';
import {
  type FeaturePlan,
  featurePlan,
  featurePlanSchema,
  POOLINGS,
  type Pooling,
} from '../../vision/features/index.ts';
import { FINE_TUNE_SETTINGS, type FineTuneSettings, withFormerNames } from './fine-tune.ts';
import { IDLE_IN_TRAINING } from './idle-network.ts';
import { networkSettings } from './network.ts';

const TRAINABLE_MODES = ['full', 'last', 'lora'] as const;

const { size, blocks } = featurePlanSchema.shape;
const { optimizer, schedule, epochs, batch, accumulate, clipNorm, averageDecay, augmentation, storage } =
  networkSettings.shape;
const { headEpochs: _, headRate: __, ...fineTune } = FINE_TUNE_SETTINGS;

/**
 * How a backbone is trained further on photos of plants. What recipes have as well is called as there and means the
 * same; photos are seen whole.
 */
export const pretrainSettings = z.strictObject({
  input: z
    .strictObject({
      size,
      blocks,
      pooling: z
        .enum(POOLINGS)
        .refine((pooling) => pooling !== 'patches', 'patches are no vector; choose another pooling')
        .default('pooled')
        .describe('how tokens become one vector'),
    })
    .prefault({}),
  columns: z
    .preprocess(
      (value) => (typeof value === 'string' ? [value] : value),
      z.array(z.string().min(1)).min(1).nullable(),
    )
    .default(null)
    .describe('columns of a table that are trained on; null: all that hold numbers'),
  holdout: z
    .strictObject({
      share: z.number().min(0).max(0.9).default(0.1).describe('share of the photos that validate; 0: none'),
    })
    .prefault({}),
  estimator: z.strictObject({
    dropout: z.number().min(0).lt(1).default(0).describe('dropout of the head’s inputs'),
    loss: z
      .strictObject({
        labelSmoothing: z
          .number()
          .min(0)
          .lt(1)
          .default(0.1)
          .describe('share of a photo’s probability that all classes have alike (Szegedy et al. 2016)'),
        beta: z.number().positive().default(1).describe('corner of SmoothL1, in deviations of a column'),
      })
      .prefault({}),
    optimizer,
    schedule,
    checkpoint: z
      .strictObject({
        choice: z
          .enum(['last', 'best'])
          .default('last')
          .describe('weights kept: the last, or the best on the held-out photos, whose score then flatters'),
        by: z
          .enum(['score', 'loss'])
          .default('score')
          .describe('what best means: the highest accuracy or mean R², or the lowest loss'),
        patience: z
          .int()
          .min(1)
          .nullable()
          .default(null)
          .describe('epochs without a better score before training stops; null: never; not with choice last'),
      })
      .prefault({}),
    epochs,
    batch,
    accumulate,
    clipNorm,
    averageDecay,
    augmentation,
    fineTune: withFormerNames(
      z.strictObject({
        ...fineTune,
        mode: z
          .enum(TRAINABLE_MODES)
          .default('full')
          .describe('what of the backbone is trained: all of it, its last blocks, low-rank adapters'),
      }),
    ),
    storage,
  }),
});

/** Settings of a pretraining, complete. */
export type PretrainSettings = z.output<typeof pretrainSettings>;

/** Where pretraining differs from a recipe's usual values. */
const USUAL = {
  estimator: {
    epochs: 10,
    batch: 16,
    optimizer: { rate: 1e-3, weightDecay: 0.05, decayBiases: false },
    schedule: { kind: 'cosine', warmUp: 1 },
    clipNorm: 1,
    augmentation: { preset: 'seed1' },
    fineTune: { mode: 'full', backboneRate: 0.05, layerDecay: 0.8 },
    storage: 'fp32',
  },
};

/** Settings in which a pretraining is to differ from the usual ones. */
export type PretrainChanges = PartialSettings<z.input<typeof pretrainSettings>> | readonly SettingChange[];

/** Settings of a pretraining, complete. @throws UsageError for an unknown setting or value */
export function makePretrainSettings(changes: PretrainChanges = {}): PretrainSettings {
  const draft = structuredClone(USUAL);
  const given = changesFrom(changes);
  for (const change of given) applyChange(draft, change);
  const parsed = pretrainSettings.safeParse(draft);
  if (!parsed.success) {
    const advice = 'docs/pretraining.md lists the settings of a pretraining';
    throw new UsageError(
      `pretraining settings: ${settingProblems(parsed.error, pretrainSettings, draft, { advice })}`,
    );
  }
  const { estimator } = parsed.data;
  // Complete settings were made here before, and nobody wrote them.
  const written = isDeepStrictEqual(parsed.data, changes) ? [] : writtenBy(given);
  requireEffect('pretraining settings', 'estimator', estimator, IDLE_IN_TRAINING, written);
  wholePhotoPlan(parsed.data);
  return parsed.data;
}

/** What is taken of a photo. @throws UsageError when blocks and pooling do not suit each other */
export function wholePhotoPlan({ input }: Pick<PretrainSettings, 'input'>): FeaturePlan {
  const pooling: Pooling = input.pooling;
  return featurePlan({ ...input, pooling, view: 'whole', precision: 'fp32' });
}

/** What of the backbone is trained, as fine-tuning has it. */
export function fineTuning({ estimator }: Pick<PretrainSettings, 'estimator'>): FineTuneSettings {
  return { ...estimator.fineTune, headEpochs: 0, headRate: null };
}
