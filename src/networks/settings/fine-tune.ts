import { z } from 'zod';

const share = z.number().min(0).lt(1);
const count = z.int().positive();

/** How a backbone is fine-tuned; `{}` trains the heads alone. */
export const fineTuneSettings = z.strictObject({
  /** What of the backbone is trained: nothing, low-rank adapters (Hu et al. 2021), its last blocks, or all of it. */
  mode: z.enum(['none', 'lora', 'last', 'full']).default('none'),
  lora: z
    .strictObject({
      rank: count.default(8),
      /** Adapters' outputs are multiplied by alpha / rank. */
      alpha: z.number().positive().default(16),
      /** Of the adapters' inputs, in training. */
      dropout: share.default(0),
      /** Linear layers that get adapters, by the end of their names; empty: all. */
      targets: z
        .preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(z.string().min(1)))
        .default(['attn.qkv', 'attn.proj']),
    })
    .prefault({}),
  /** Blocks that mode `last` trains, with all that comes after them: a number, or a share of all below 1. */
  lastBlocks: z.number().positive().default(2),
  unfreeze: z
    .strictObject({
      /** When parts of a backbone join: at once, every so many epochs, or whenever validation stalls. */
      schedule: z.enum(['at-once', 'gradual', 'adaptive']).default('at-once'),
      /** Blocks that join together, from the last to the first. */
      blocks: count.default(2),
      /** Epochs from one join to the next; `adaptive`: epochs in a row that are not better than the best. */
      every: count.default(2),
    })
    .prefault({}),
  /** The backbone's learning rate, as a share of the heads'. */
  backboneRate: z.number().positive().default(0.1),
  /** What that share has risen (or fallen) to when the last blocks have joined; null: it stays. */
  backboneRateAtEnd: z.number().positive().nullable().default(null),
  /** Each layer's rate as a share of the next one's (Clark et al. 2020); 1: all alike. */
  layerDecay: z.number().positive().max(1).default(1),
  /** Epochs in which the heads learn from features of the untouched backbone, before photos are used. */
  headEpochs: z.int().nonnegative().default(0),
  /** Learning rate of those epochs; null: as afterwards. */
  headRate: z.number().positive().nullable().default(null),
  /** Stochastic depth (Huang et al. 2016) of the last block, rising linearly from 0 at the first. */
  dropPath: share.default(0),
  /** Keep only every block's input for the backward pass and compute its inside again. */
  checkpoint: z.boolean().default(false),
  /** What layers of a backbone compute in; weights are kept in float32 whatever it is. */
  computeType: z.enum(['float32', 'float16', 'bfloat16']).default('float32'),
  /** Where the network runs, in training and in prediction. */
  provider: z.enum(['cpu', 'cuda', 'webgpu']).default('cpu'),
  /** Memory for decoded photos, MiB; photos that do not fit are decoded again. */
  photoCache: z.number().nonnegative().default(1024),
});

export type FineTuneSettings = z.output<typeof fineTuneSettings>;
