export { readTest, readTraining } from './data/folder.ts';
export { readFolds, writeFolds } from './data/folds/index.ts';
export { readPredictions, writePredictions } from './data/predictions.ts';
export { renderSample, type SampleOptions, type SampleSummary } from './data/sample/index.ts';
export { InputError, ShapeError, SwardError, UsageError } from './ground/errors.ts';
export type { Progress } from './ground/progress.ts';
export { type RandomStream, randomStream } from './ground/random.ts';
export type { Estimator, FitContext, FittedModel, TrainingSet } from './models/estimator.ts';
export { learnsFromPhotos } from './models/fine-tune/learns-from-photos.ts';
export { photoEstimator } from './models/fine-tune/photo-estimator.ts';
export type { PhotoSet } from './models/fine-tune/photo-set.ts';
export { hasMaps, type MapPredictor } from './models/network/maps.ts';
export { type PretrainSettings, resolvePretrainSettings } from './models/pretrain/settings.ts';
export { RECIPE_NAMES, type Recipe, resolveRecipe } from './models/recipe.ts';
export { matrixEstimator, recipeEstimator } from './models/registry.ts';
export { type Score, scoreTargets, type TargetScore, weightedR2 } from './pasture/metric.ts';
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
export { type ReportOptions, renderReport, writeReport } from './report/index.ts';
export { type CheckReport, checkFolder } from './train/check.ts';
export { type Comparison, compareFiles, compareRuns } from './train/compare.ts';
export type { BootstrapSettings, Difference, PairedDifference } from './train/compare-bootstrap.ts';
export { type DemoOutcome, runDemo } from './train/demo.ts';
export { type EnsembleOptions, makeEnsemble } from './train/ensemble.ts';
export { type PhotoStates, readPhotoStates } from './train/ensemble-predict.ts';
export { type ExportOptions, type ExportOutcome, exportRun } from './train/export/export-run.ts';
export { type FeatureFilesOptions, writeFeatureFiles } from './train/features.ts';
export { DEFAULT_FOLD_PLAN, type FoldPlan } from './train/fold-plan.ts';
export { type ImportedRun, type ImportOptions, importRun } from './train/import-run.ts';
export { trainWithLearningCurve } from './train/learning-by-sessions-run.ts';
export type { PhotoPrediction } from './train/photo-prediction.ts';
export { findPhotos, type PredictOptions, predictFeatures, predictPhotos } from './train/predict.ts';
export { type PretrainOptions, pretrainBackbone } from './train/pretrain/pretrain-backbone.ts';
export { type RepeatedResults, trainRepeatedly } from './train/repeated-training.ts';
export type { OutOfFoldRow, RunResults } from './train/results.ts';
export { readRunResults } from './train/run-results.ts';
export { type FileScore, scoreFiles } from './train/score.ts';
export { submitRun } from './train/submit.ts';
export { makeFolds, type TrainOptions, trainRun } from './train/train.ts';
export type { TrainingSource } from './train/training-data.ts';
export {
  type PaddockMean,
  type PredictionDoubt,
  type RunUncertainty,
  readUncertainty,
} from './train/uncertainty.ts';
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
  type FeatureMatrix,
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
