import { z } from 'zod';
import {
  concat,
  dropout,
  expand,
  linearLayer,
  mean,
  multiply,
  reshape,
  type Scope,
  sum,
  type Tensor,
} from '../../tensor/index.ts';
import { type Features, widthOf } from './features.ts';
import { type Heads, type MassUnit, massesOfComponents } from './masses.ts';

/** Masses of every patch, summed. */
export const densitySettings = z.strictObject({
  kind: z.literal('density'),
  halves: z
    .enum(['separate', 'together'])
    .default('separate')
    .describe('whether each half learns half the label, or both together all of it'),
  dropout: z.number().min(0).lt(1).default(0).describe('share of the features dropped in training'),
});

type DensitySettings = z.output<typeof densitySettings>;

/**
 * Green, dead and clover of every patch from one linear layer (`density`), softplus, summed over the patches: the
 * patches are a map of the mass (field guide §2.1, Kinosuke). A mass counts as spread over all patches alike where
 * the logits are alike, whatever their number.
 */
export function density(scope: Scope, features: Features, settings: DensitySettings, unit: MassUnit): Heads {
  const { parts } = features;
  const [batch, halves, count] = parts.shape as [number, number, number];
  const patches = withExtra(parts, features.extra);
  const logits = linearLayer(scope.in('density'), dropout(scope.in('density'), patches, settings.dropout), 3);
  const maps = multiply(unit(logits, [0, 1, 2]), 1 / (halves * count));
  const masses = massesOfComponents(sum(maps, { axes: [1, 2] }));
  return {
    masses,
    embedding: mean(reshape(patches, [batch, halves * count, -1]), { axes: [1] }),
    maps,
    ...(settings.halves === 'separate' &&
      halves > 1 && { halves: massesOfComponents(sum(maps, { axes: [2] })) }),
  };
}

/** The embedding of the whole photo beside the features of each of its patches. */
function withExtra(parts: Tensor, extra: Tensor | undefined): Tensor {
  if (!extra) return parts;
  const [batch, halves, count] = parts.shape as [number, number, number];
  const width = widthOf(extra);
  const everywhere = expand(reshape(extra, [batch, 1, 1, width]), [batch, halves, count, width]);
  return concat([parts, everywhere], -1);
}
