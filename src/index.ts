/**
 * sward as a library: what the command line does, one function a command, and what these take and give. Options are
 * typed objects, and results are typed values; failures are errors of the classes below, each with a remedy in its
 * message. `docs/library.md` shows how to begin; `sward/tensor` is the engine beneath.
 */

// Commands on data: check, folds, sample, features.

export type { FoldRow, Grouping, Stratification } from './data/folds/index.ts';
export type { Problem } from './data/problems.ts';
export { DEFAULT_FOLD_PLAN, type FoldPlan } from './runs/fold-plan.ts';
export { renderSample, type SampleOptions, type SampleSummary } from './sample/index.ts';
export { type CheckReport, checkFolder } from './workflows/data/check.ts';
export {
  type FeatureFilesOptions,
  type FeatureFilesOutcome,
  type FeaturePlanSettings,
  writeFeatureFiles,
} from './workflows/data/features.ts';
export { drawFolds } from './workflows/train/folds.ts';

// Commands on backbones: list, pull, path; pretrain.

export type { PretrainChanges, PretrainSettings } from './networks/settings/pretrain.ts';
export type { PretrainingManifest } from './runs/manifest.ts';
export type { CatalogueEntry, ResolvedWeights } from './vision/weights/index.ts';
export {
  type BackboneListOptions,
  backboneWeights,
  type ListedBackbone,
  listBackbones,
  type PulledBackbone,
  pullBackbone,
} from './workflows/backbones/backbones.ts';
export { type PretrainOptions, pretrainBackbone } from './workflows/pretrain/pretrain-backbone.ts';

// Commands that make runs: train, import, ensemble, pseudo, demo.

export type { Certainty, PseudoTeacher } from './runs/pseudo-record.ts';
export type { TrainingSource } from './runs/training-data.ts';
export { type DemoOutcome, runDemo } from './workflows/demo/demo.ts';
export { type EnsembleOptions, makeEnsemble } from './workflows/ensemble/ensemble.ts';
export { type PseudoOptions, pseudoLabelRun } from './workflows/pseudo/pseudo.ts';
export { type ImportedRun, type ImportOptions, importRun } from './workflows/train/import-run.ts';
export {
  type OverSeeds,
  type RepeatedResults,
  trainRepeatedly,
} from './workflows/train/repeated-training.ts';
export { type TrainOptions, trainRun } from './workflows/train/train.ts';

// Commands that use runs: predict, submit, report, export.

export { type ExportOptions, type ExportOutcome, exportRun } from './export/export-run.ts';
export type { PaddockMean, PredictionDoubt } from './runs/uncertainty.ts';
export {
  type PredictionOutcome,
  type PredictionSource,
  type PredictRunOptions,
  predictRun,
  readPhotoStates,
} from './workflows/predict/predict.ts';
export { type SubmitOptions, type SubmitOutcome, submitRun } from './workflows/predict/submit.ts';
export { type ReportRunOptions, reportRun } from './workflows/report/report.ts';

// Commands that score: score, and its --compare.

export type { BootstrapSettings, Difference, PairedDifference } from './pasture/paired-bootstrap.ts';
export { type ComparedSide, type Comparison, compareFiles, compareRuns } from './workflows/score/compare.ts';
export { type FileScore, scoreFiles } from './workflows/score/score.ts';

// A run kept open, and the photos it is asked about.

export { type OpenOptions, openRun } from './runs/open-run.ts';
export type { PhotoPrediction } from './runs/prediction.ts';
export type { OutOfFoldRow, RunResults } from './runs/results.ts';
export type { PhotoStates, PredictOptions, Run, RunCapabilities } from './runs/run.ts';
export { photoSamples, type Samples } from './samples/samples.ts';

// Recipes: what is trained, with typed settings.

export {
  makeRecipe,
  RECIPE_NAMES,
  type Recipe,
  type RecipeChanges,
  type RecipeSettings,
} from './recipes/recipe.ts';

// The domain: masses in grams a quadrat, their units, the metric and what masses can be.

export type { Interval } from './pasture/intervals/index.ts';
export { type Score, scoreTargets, type TargetScore, weightedR2 } from './pasture/metric.ts';
export { isPhysical, targetsFromComponents, targetsFromNestedMasses } from './pasture/physics.ts';
export { type ReconciliationWeights, reconcile } from './pasture/reconcile.ts';
export {
  type ByMass,
  type Components,
  MASS_NAMES,
  type MassName,
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

// Tables of labels and predictions.

export { type LabelledPhoto, readTest, readTraining, type TestTable } from './data/folder.ts';
export { type PhotoMasses, readPredictions, writePredictions } from './data/predictions.ts';

// Photos: pixels, descriptors, augmentation, biomass maps.

export { type RandomStream, randomStream } from './ground/random.ts';
export {
  type AugmentationSettings,
  type Augmented,
  augmentationSettings,
  augmentPixels,
  withoutDateStamp,
  withoutRedDots,
} from './vision/augment/index.ts';
export { type BiomassMapRequest, type MassMap, writeBiomassMap } from './vision/biomass-map/index.ts';
export {
  computeDescriptors,
  DESCRIPTOR_NAMES,
  DESCRIPTOR_VERSION,
  DESCRIPTOR_VIEWS,
  type DescriptorView,
  describePhoto,
  viewColumns,
} from './vision/descriptors/index.ts';
export { decodePhoto, type Pixels } from './vision/photos/index.ts';

// Trees that LightGBM and CatBoost wrote, or will read.

export { type CatBoostModel, predictCatBoost } from './estimators/trees/catboost-model.ts';
export { parseCatBoost } from './estimators/trees/catboost-read.ts';
export { formatCatBoost } from './estimators/trees/catboost-write.ts';
export { type LightGbmModel, lightGbmPredictor } from './estimators/trees/lightgbm-model.ts';
export { parseLightGbm } from './estimators/trees/lightgbm-read.ts';
export { formatLightGbm } from './estimators/trees/lightgbm-write.ts';
export { type Explanation, explainCatBoost, explainLightGbm } from './estimators/trees/shap.ts';
export type { Matrix } from './ground/matrix.ts';

// Errors, progress, and what of the machine a program may choose.

export { configure, type Environment, type HubSettings, hubIn } from './ground/environment.ts';
export { InputError, ShapeError, SwardError, UsageError } from './ground/errors.ts';
export type { Progress } from './ground/progress.ts';
export { HubError } from './vision/weights/index.ts';
