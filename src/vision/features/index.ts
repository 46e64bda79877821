export {
  extractFeatures,
  type FeatureExtractor,
  openExtractor,
  viewRecipe,
} from './extract.ts';
export { type FeatureGraph, featureGraph, viewSize } from './network.ts';
export {
  blockNumbers,
  COMBINATIONS,
  completeWindows,
  type FeaturePlan,
  featureLayout,
  featurePlan,
  featurePlanSchema,
  POOLINGS,
  type Pooling,
  PRECISIONS,
  type Precision,
  viewCut,
} from './plan.ts';
export { combinedViews, pooledFeatures, viewFeatures } from './pooling.ts';
export type { ViewRecipe } from './prepare-worker.ts';
export { decodeForViews } from './views-worker.ts';
