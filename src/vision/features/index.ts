export { combinedViews } from './combine.ts';
export {
  decodeForViews,
  type ExtractOptions,
  extractFeatures,
  type FeatureMatrix,
  viewRecipe,
} from './extract.ts';
export { type FeatureGraph, featureGraph, viewSize } from './network.ts';
export {
  type BlockChoice,
  blockNumbers,
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
export { pooledFeatures } from './pooling.ts';
export type { ViewRecipe } from './prepare-worker.ts';
export { completeWindows } from './window-settings.ts';
