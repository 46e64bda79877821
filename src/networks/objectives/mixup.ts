import { z } from 'zod';
import { drawBeta, type RandomStream } from '../../ground/random.ts';
import {
  add,
  cast,
  type Feed,
  gather,
  greaterOrEqual,
  input,
  multiply,
  reshape,
  subtract,
  type Tensor,
} from '../../tensor/index.ts';
import type { Features } from '../heads/features.ts';
import type { Labels } from './labels.ts';

/** Embedding mixup (Zhang et al. 2018). */
export const mixupSettings = z.strictObject({
  probability: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('probability of a batch’s features being mixed with one another (Zhang et al. 2018)'),
  alpha: z.number().positive().default(0.4).describe('α of Beta(α, α), by which shares are drawn'),
});

export type MixupSettings = z.output<typeof mixupSettings>;

const SHARE = 'mixup.share';
const PARTNER = 'mixup.partner';

/** λ·x + (1 − λ)·x of the partner, for any tensor whose first axis is the batch. */
export type Mixing = (x: Tensor) => Tensor;

/** Mixing by inputs that {@link mixupFeeds} fills; with λ = 1 every tensor stays what it is. */
export function mixupInputs(batch: number): Mixing {
  const share = input(SHARE, [1]);
  const partner = input(PARTNER, [batch], 'int32');
  return (x) => {
    const own = reshape(
      share,
      x.shape.map(() => 1),
    );
    return add(multiply(x, own), multiply(gather(x, partner, 0), subtract(1, own)));
  };
}

/** Features with each photo's mixed with its partner's. */
export function mixedFeatures({ parts, extra, covariates }: Features, mix: Mixing): Features {
  return {
    parts: mix(parts),
    ...(extra && { extra: mix(extra) }),
    ...(covariates && { covariates: mix(covariates) }),
  };
}

/** Labels mixed as the features were. */
export function mixedLabels(labels: Labels, mix: Mixing): Labels {
  return Object.fromEntries(
    Object.entries(labels).map(([name, label]) => [name, mix(label)]),
  ) as unknown as Labels;
}

/** A known share below this is that of a mixture with something that was not measured. */
const WHOLE = 1 - 1e-6;

/** 1 where all that was mixed was measured, else 0: half of a mixture that was not measured leaves nothing known of it. */
export const knownWhole = (known: Tensor): Tensor => cast(greaterOrEqual(known, WHOLE), 'float32');

/**
 * What the inputs are fed for a batch: with the settings' probability λ = max(λ', 1 − λ') of λ' from Beta(α, α) and
 * partners by a random permutation (Zhang et al. 2018, as seed 1 has it), else λ = 1.
 *
 * @param count photos in the batch; rows that only fill it mix with themselves
 */
export function mixupFeeds(
  random: RandomStream,
  count: number,
  batch: number,
  { probability, alpha }: MixupSettings,
): Record<string, Feed> {
  const mixes = random.uniform() < probability;
  const drawn = mixes ? drawBeta(random, alpha, alpha) : 1;
  const order = random.shuffled(Array.from({ length: count }, (_, row) => row));
  return {
    [SHARE]: Float32Array.of(Math.max(drawn, 1 - drawn)),
    [PARTNER]: Int32Array.from({ length: batch }, (_, row) => order[row] ?? row),
  };
}
