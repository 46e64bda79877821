export { readTest, readTraining } from './data/folder.ts';
export { readFolds, writeFolds } from './data/folds/index.ts';
export { readPredictions, writePredictions } from './data/predictions.ts';
export { type ExportOptions, type ExportOutcome, exportRun } from './export/export-run.ts';
export { configure, type Environment, type HubSettings } from './ground/environment.ts';
export { InputError, ShapeError, SwardError, UsageError } from './ground/errors.ts';
export type { Progress } from './ground/progress.ts';
export { type RandomStream, randomStream } from './ground/random.ts';
export type { Estimator, FitContext, FittedModel } from './learning/estimator.ts';
export { type PretrainSettings, resolvePretrainSettings } from './networks/settings/pretrain.ts';
export { type Score, scoreTargets, type TargetScore, weightedR2 } from './pasture/metric.ts';
export type { BootstrapSettings, Difference, PairedDifference } from './pasture/paired-bootstrap.ts';
export {
  identityErrors,
  isPhysical,
  targetsFromComponents,
  targetsFromNestedMasses,
} from './pasture/physics.ts';
export { projectOntoIdentities, type ReconciliationWeights, reconcile } from './pasture/reconcile.ts';
export {
  type Components,
  TARGET_NAMES,
  TARGET_WEIGHTS,
  type TargetName,
  type Targets,
} from './pasture/targets.ts';
export {
  gramsToKilogramsPerHectare,
  kilogramsPerHectareToGrams,
  QUADRAT_AREA_SQUARE_METRES,
} from './pasture/units.ts';
export { RECIPE_NAMES, type Recipe, resolveRecipe } from './recipes/recipe.ts';
export { recipeEstimator } from './recipes/registry.ts';
export { type ReportOptions, renderReport, writeReport } from './report/index.ts';
export { DEFAULT_FOLD_PLAN, type FoldPlan } from './runs/fold-plan.ts';
export { openRun } from './runs/open-run.ts';
export type { PhotoPrediction } from './runs/prediction.ts';
export type { OutOfFoldRow, RunResults } from './runs/results.ts';
export type { PhotoStates, PredictOptions, Run } from './runs/run.ts';
export type { TrainingSource } from './runs/training-data.ts';
export {
  type PaddockMean,
  type PredictionDoubt,
  type RunUncertainty,
  runUncertainty,
} from './runs/uncertainty.ts';
export { renderSample, type SampleOptions, type SampleSummary } from './sample/index.ts';
export { photoSamples, Samples, TrainingSamples } from './samples/samples.ts';
export {
  type AugmentationSettings,
  type Augmented,
  augmentationPreset,
  augmentationSettings,
  augmentPixels,
  withoutDateStamp,
  withoutRedDots,
} from './vision/augment/index.ts';
export { type Backbone, makeBackbone } from './vision/backbones/index.ts';
export { type BiomassMapRequest, type MassMap, writeBiomassMap } from './vision/biomass-map/index.ts';
export {
  extractFeatures,
  type FeaturePlan,
  featurePlan,
} from './vision/features/index.ts';
export { decodePhoto, type Pixels } from './vision/photos/index.ts';
export {
  CATALOGUE,
  type CatalogueEntry,
  pullWeights,
  type ResolvedWeights,
  resolveWeights,
} from './vision/weights/index.ts';
export { type CheckReport, checkFolder } from './workflows/data/check.ts';
export { type FeatureFilesOptions, writeFeatureFiles } from './workflows/data/features.ts';
export { type DemoOutcome, runDemo } from './workflows/demo/demo.ts';
export { type EnsembleOptions, makeEnsemble } from './workflows/ensemble/ensemble.ts';
export { predictRun, readPhotoStates } from './workflows/predict/predict.ts';
export { submitRun } from './workflows/predict/submit.ts';
export { type PretrainOptions, pretrainBackbone } from './workflows/pretrain/pretrain-backbone.ts';
export { type Comparison, compareFiles, compareRuns } from './workflows/score/compare.ts';
export { type FileScore, scoreFiles } from './workflows/score/score.ts';
export { type ImportedRun, type ImportOptions, importRun } from './workflows/train/import-run.ts';
export { type RepeatedResults, trainRepeatedly } from './workflows/train/repeated-training.ts';
export { makeFolds, type TrainOptions, trainRun } from './workflows/train/train.ts';
