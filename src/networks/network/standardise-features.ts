import { clamp, multiply, ones, type Scope, subtract, type Tensor, zeros } from '../../tensor/index.ts';
import type { Features } from './features.ts';
import { widthOf } from './masses.ts';

/** Scopes of the statistics of parts and of the further embedding: `mean` and `scale` in each. */
export const PARTS_STATISTICS = 'standardise.parts';
export const EXTRA_STATISTICS = 'standardise.extra';

/**
 * Features as (x − mean) · scale, bounded by ± `limit`. Mean and scale, one a feature, the same for all halves and
 * parts, are variables of the model that whoever trains it sets from the training photos.
 */
export function standardisedFeatures(scope: Scope, features: Features, limit: number): Features {
  return {
    parts: standardised(scope.in(PARTS_STATISTICS), features.parts, limit),
    ...(features.extra && { extra: standardised(scope.in(EXTRA_STATISTICS), features.extra, limit) }),
  };
}

function standardised(scope: Scope, x: Tensor, limit: number): Tensor {
  const width = widthOf(x);
  const mean = scope.variable('mean', [width], zeros, { trained: false });
  const scale = scope.variable('scale', [width], ones, { trained: false });
  return clamp(multiply(subtract(x, mean), scale), -limit, limit);
}
