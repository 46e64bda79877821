import { z } from 'zod';
import { UsageError } from '../../ground/errors.ts';
import {
  applyChange,
  changesFrom,
  type PartialSettings,
  type SettingChange,
} from '../../ground/setting-change.ts';
import {
  type FeaturePlan,
  featurePlan,
  featurePlanSchema,
  POOLINGS,
  type Pooling,
} from '../../vision/features/index.ts';
import { type FineTuneSettings, fineTuneSettings } from './fine-tune.ts';
import { networkSettings } from './network.ts';

const TRAINABLE_MODES = ['full', 'last', 'lora'] as const;

const { size, blocks } = featurePlanSchema.shape;
const { optimizer, schedule, epochs, batch, accumulate, clipNorm, averageDecay, augmentation, storage } =
  networkSettings.shape;
const { headEpochs: _, headRate: __, ...fineTune } = fineTuneSettings.shape;

/**
 * How a backbone is trained further on photos of plants. What recipes have as well is called as there and means the
 * same; photos are seen whole.
 */
const pretrainSettings = z.strictObject({
  input: z
    .strictObject({
      size,
      blocks,
      pooling: z
        .enum(POOLINGS)
        .refine((pooling) => pooling !== 'patches', 'patches are no vector; choose another pooling')
        .default('pooled'),
    })
    .prefault({}),
  /** Columns of a table that are trained on; null: all that hold numbers. */
  columns: z
    .preprocess(
      (value) => (typeof value === 'string' ? [value] : value),
      z.array(z.string().min(1)).min(1).nullable(),
    )
    .default(null),
  holdout: z
    .strictObject({
      /** Share of the photos that validate; 0: none. */
      share: z.number().min(0).max(0.9).default(0.1),
    })
    .prefault({}),
  estimator: z.strictObject({
    /** Of the head's inputs. */
    dropout: z.number().min(0).lt(1).default(0),
    loss: z
      .strictObject({
        /** Share of a photo's probability that all classes have alike (Szegedy et al. 2016). */
        labelSmoothing: z.number().min(0).lt(1).default(0.1),
        /** Corner of SmoothL1, in deviations of a column. */
        beta: z.number().positive().default(1),
      })
      .prefault({}),
    optimizer,
    schedule,
    checkpoint: z
      .strictObject({
        /** Which weights are kept: the last, or the best on the held-out photos, whose score is then optimistic. */
        choice: z.enum(['last', 'best']).default('last'),
        /** What best means: the highest accuracy or mean R², or the lowest loss. */
        by: z.enum(['score', 'loss']).default('score'),
        /** Epochs without a better score before training stops; null: never. Not with `last`. */
        patience: z.int().min(1).nullable().default(null),
      })
      .prefault({}),
    epochs,
    batch,
    accumulate,
    clipNorm,
    averageDecay,
    augmentation,
    fineTune: z.strictObject({ ...fineTune, mode: z.enum(TRAINABLE_MODES).default('full') }),
    /** How weight matrices of the backbone are stored. */
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
  for (const change of changesFrom(changes)) applyChange(draft, change);
  const parsed = pretrainSettings.safeParse(draft);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new UsageError(`pretraining settings: ${issues.join('; ')}`);
  }
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
