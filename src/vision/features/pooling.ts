import { UsageError } from '../../ground/errors.ts';
import { concat, maximum, mean, power, select, type Tensor } from '../../tensor/index.ts';
import type { Backbone, BackboneOutput, TokenMap } from '../backbones/index.ts';
import type { FeaturePlan, Pooling } from './plan.ts';

/** Exponent of the generalised mean (Radenović et al. 2019), and what negative activations count as. */
const GEM_POWER = 3;
const GEM_FLOOR = 1e-6;

/**
 * One vector a view: the pooled tokens of every block asked for, one after another.
 *
 * @returns [views, width]
 * @throws UsageError for a block the backbone does not have, or a CLS token where there is none
 */
export function pooledFeatures(backbone: Backbone, output: BackboneOutput, plan: FeaturePlan): Tensor {
  const { blocks, pooling } = plan;
  if (pooling === 'pooled') return output.pooled;
  const maps = blocks.map((block) => {
    const map = output.blocks[block];
    if (map) return map;
    throw new UsageError(`${backbone.arch} has blocks 0 to ${backbone.depth - 1}, not ${block}`);
  });
  const pooled = (maps.length > 0 ? maps : [output.tokens]).map((map) => pool(backbone, map, pooling));
  return pooled.length === 1 ? (pooled[0] as Tensor) : concat(pooled, -1);
}

function pool(
  backbone: Backbone,
  { patches, prefix }: TokenMap,
  pooling: Exclude<Pooling, 'pooled'>,
): Tensor {
  const average = (): Tensor => mean(patches, { axes: [1] });
  const cls = (): Tensor => {
    if (prefix) return select(prefix, 1, 0);
    throw new UsageError(`${backbone.arch} has no CLS token; choose mean, gem or pooled`);
  };
  switch (pooling) {
    case 'cls':
      return cls();
    case 'mean':
      return average();
    case 'cls-mean':
      return concat([cls(), average()], -1);
    case 'gem':
      return power(mean(power(maximum(patches, GEM_FLOOR), GEM_POWER), { axes: [1] }), 1 / GEM_POWER);
  }
}
