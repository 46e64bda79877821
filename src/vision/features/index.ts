export { type ExtractOptions, extractFeatures, type FeatureMatrix } from './extract.ts';
export {
  type FeaturePlan,
  featurePlan,
  featurePlanSchema,
  POOLINGS,
  type Pooling,
  PRECISIONS,
  type Precision,
} from './plan.ts';
