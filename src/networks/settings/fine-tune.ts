import { z } from 'zod';
import { PRECISIONS } from '../../tensor/precision/lists.ts';
import { int8ProductsOverflow } from '../../tensor/program/processor.ts';

const share = z.number().min(0).lt(1);
const count = z.int().positive();

/** Every setting of fine-tuning by name. */
export const FINE_TUNE_SETTINGS = {
  mode: z
    .enum(['none', 'lora', 'last', 'full'])
    .default('none')
    .describe('what of the backbone is trained: nothing, low-rank adapters, its last blocks, all of it'),
  lora: z
    .strictObject({
      rank: count.default(8).describe('rank of the adapters (Hu et al. 2021)'),
      alpha: z.number().positive().default(16).describe('adapters’ outputs are multiplied by alpha / rank'),
      dropout: share.default(0).describe('dropout of the adapters’ inputs'),
      targets: z
        .preprocess(
          (value) => (Array.isArray(value) ? value : value === '' ? [] : [value]),
          z.array(z.string().min(1)),
        )
        .default(['attn.qkv', 'attn.proj'])
        .describe('linear layers that get adapters, by the end of their names; empty: all'),
    })
    .prefault({}),
  lastBlocks: z
    .number()
    .positive()
    .default(2)
    .describe('blocks that mode last trains, with all after them: a number, or a share of all below 1'),
  unfreeze: z
    .strictObject({
      schedule: z
        .enum(['at-once', 'gradual', 'adaptive'])
        .default('at-once')
        .describe(
          'when parts of the backbone join: at once, every so many epochs, or when validation stalls',
        ),
      blocks: count.default(2).describe('blocks that join together, from the last to the first'),
      every: count
        .default(2)
        .describe('epochs from one join to the next; adaptive: epochs in a row not better than the best'),
    })
    .prefault({}),
  backboneRate: z
    .number()
    .positive()
    .default(0.1)
    .describe('the backbone’s learning rate as a share of the heads’'),
  backboneRateAtEnd: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('what that share has become when the last blocks have joined; null: it stays'),
  layerDecay: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('each layer’s rate as a share of the next one’s (Clark et al. 2020); 1: all alike'),
  headEpochs: z
    .int()
    .nonnegative()
    .default(0)
    .describe('epochs in which heads learn from features of the untouched backbone first'),
  headRate: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('learning rate of those epochs; null: as afterwards'),
  dropPath: share
    .default(0)
    .describe('stochastic depth (Huang et al. 2016) of the last block, rising from 0 at the first'),
  checkpoint: z
    .boolean()
    .default(false)
    .describe('saves memory: what is inside of blocks is computed again in the backward pass'),
  precision: z
    .enum(PRECISIONS)
    .default('float32')
    .describe(
      'what products are computed in while training (int8: those of linear layers, on a CPU); weights, moments, norms, sums and the loss stay in float32',
    ),
  provider: z
    .enum(['cpu', 'cuda', 'webgpu'])
    .default('cpu')
    .describe('where the network runs, in training and in prediction'),
  photoCache: z
    .number()
    .nonnegative()
    .default(1024)
    .describe('memory for decoded photos, MiB; those that do not fit are decoded again'),
  /** Absent: a new one every time, as in recipes from before there were draws. */
  draws: count
    .optional()
    .describe(
      'ways in which a photo is augmented, of which each epoch takes one, the same in all folds, so that frozen blocks ' +
        'are run once for each; absent: a new one every time',
    ),
  /** Absent: 4096. */
  trunkCache: z
    .number()
    .nonnegative()
    .optional()
    .describe(
      'disk for what frozen blocks make of photos, MiB, absent: 4096; what does not fit is made again, with 0 all of it',
    ),
};

/** Takes what recipes from before {@link FINE_TUNE_SETTINGS} had `precision` called it. */
export const withFormerNames = <Settings extends z.ZodType>(settings: Settings) =>
  z.preprocess((value) => {
    if (typeof value !== 'object' || value === null || !('computeType' in value)) return value;
    const { computeType: precision, ...others } = value;
    return { precision, ...others };
  }, settings);

/** How a backbone is fine-tuned; `{}` trains the heads alone. */
export const fineTuneSettings = withFormerNames(z.strictObject(FINE_TUNE_SETTINGS));

export type FineTuneSettings = z.output<typeof fineTuneSettings>;

/**
 * What to know before training as the settings say; null: nothing.
 *
 * @param lacksInt8 whether this processor has no fast products of int8
 */
export function precisionWarning(
  { precision, provider }: FineTuneSettings,
  lacksInt8: boolean = int8ProductsOverflow(),
): string | null {
  if (provider !== 'cpu') return null;
  if (precision === 'float16') {
    return `warning: fineTune.precision ${precision} is slower on the CPU than float32; it is for a graphics card`;
  }
  return precision === 'int8' && lacksInt8
    ? 'warning: fineTune.precision int8 gains little or nothing here: this processor has neither VNNI nor AMX'
    : null;
}
