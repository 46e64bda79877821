import { mean, reshape, type Tensor } from '../../tensor/index.ts';
import type { Backbone, BackboneOutput } from '../../vision/backbones/index.ts';
import { type FeaturePlan, featureLayout, pooledFeatures, viewCut } from '../../vision/features/index.ts';
import { viewCount } from '../../vision/preprocess/views.ts';
import type { Features } from '../network/features.ts';

/**
 * A backbone's output for a batch of photos as a network's heads read it, in the same graph: what
 * `extractFeatures` gives as rows, differentiable.
 *
 * @param output of views `[batch · views, 3, size, size]`, photo by photo, in the order of `viewBoxes`
 * @throws UsageError as `pooledFeatures`
 */
export function featuresOfViews(backbone: Backbone, output: BackboneOutput, plan: FeaturePlan): Features {
  const pooled = pooledFeatures(backbone, output, plan);
  const dim = pooled.shape.at(-1) as number;
  const views = viewCount(viewCut(plan));
  const batch = (pooled.shape[0] as number) / views;
  const { halves, parts } = featureLayout(plan);
  if (views === halves || plan.combine === 'keep') {
    return { parts: reshape(pooled, [batch, halves, parts, dim]) };
  }
  const averaged: Tensor = reshape(pooled, [batch, halves, -1, dim]);
  return { parts: mean(averaged, { axes: [2], keepAxes: true }) };
}
