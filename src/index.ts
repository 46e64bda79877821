/**
 * sward as a library: what the command line does, one function a command, and what these take and give. Options are
 * typed objects, and results are typed values; failures are errors of the classes below, each with a remedy in its
 * message. `docs/library.md` shows how to begin; `sward/tensor` is the engine beneath.
 */

// Commands on data: check, folds, sample, features.

export {
  type CheckReport,
  type ColumnMapping,
  checkFolder,
  type DateOrder,
  DEFAULT_FOLD_PLAN,
  drawFolds,
  type FeatureFilesOptions,
  type FeatureFilesOutcome,
  type FeaturePlanSettings,
  type FoldPlan,
  type FoldRow,
  type Grouping,
  type Problem,
  readColumnMapping,
  renderSample,
  type SampleOptions,
  type SampleSummary,
  type Stratification,
  type TableReading,
  writeFeatureFiles,
} from './workflows/index.ts';

// Commands on backbones: list, pull, path; pretrain.

export {
  type BackboneListOptions,
  backboneWeights,
  type CatalogueEntry,
  type ListedBackbone,
  listBackbones,
  type PretrainChanges,
  type PretrainingManifest,
  type PretrainOptions,
  type PretrainSettings,
  type PulledBackbone,
  pretrainBackbone,
  pullBackbone,
  type ResolvedWeights,
} from './workflows/index.ts';

// Commands that make runs: train, import, ensemble, pseudo, demo.

export {
  type Certainty,
  type DemoOutcome,
  type EnsembleOptions,
  type ImportedRun,
  type ImportedTrees,
  type ImportOptions,
  type ImportTreesOptions,
  importRun,
  importTrees,
  type Method,
  makeEnsemble,
  type OverSeeds,
  type PseudoOptions,
  type PseudoTeacher,
  pseudoLabelRun,
  type RepeatedResults,
  runDemo,
  type TrainingSource,
  type TrainOptions,
  trainRepeatedly,
  trainRun,
} from './workflows/index.ts';

// Commands that use runs: predict, submit, report, export, share; models lists those that come with sward.

export {
  type AboutRun,
  type AskedCovariates,
  type AskedHeight,
  askedHeight,
  BUNDLED_RUNS,
  type BundledModel,
  type ExportOptions,
  type ExportOutcome,
  exportRun,
  HEIGHT_METHODS,
  type HeightMethod,
  listModels,
  type PaddockMean,
  type PredictionDoubt,
  type PredictionOutcome,
  type PredictionSource,
  type PredictRunOptions,
  predictRun,
  type ReportRunOptions,
  type RunCovariate,
  readPhotoStates,
  reportRun,
  type ShareOptions,
  STARTER,
  type SubmitOptions,
  type SubmitOutcome,
  shareRun,
  submitRun,
  type ToldOfRun,
  type VisitOptions,
  type VisitOutcome,
  visitRun,
} from './workflows/index.ts';

// Commands that score: score, and its --compare.

export {
  type ComparedSide,
  type Comparison,
  compareFiles,
  compareRuns,
  type FileScore,
  scoreFiles,
} from './workflows/index.ts';

// A run kept open, and the photos it is asked about.

export {
  type CaseResults,
  type OpenOptions,
  type OutOfFoldRow,
  openRun,
  type PhotoPrediction,
  type PhotoStates,
  type PredictOptions,
  photoSamples,
  type Run,
  type RunCapabilities,
  type RunResults,
  type Samples,
} from './workflows/index.ts';

// Recipes: what is trained, with typed settings. Command: recipes.

export {
  DEFAULT_RECIPES,
  type DescribedRecipe,
  describeRecipe,
  type ListedRecipe,
  listRecipes,
  makeRecipe,
  RECIPE_NAMES,
  type Recipe,
  type RecipeChanges,
  type RecipeSetting,
  type RecipeSettings,
} from './workflows/index.ts';

// The domain: masses in grams a quadrat, their units, the metric and what masses can be.

export type { Interval } from './pasture/intervals/index.ts';
export { type Score, scoreTargets, type TargetScore, weightedR2 } from './pasture/metric.ts';
export type { BootstrapSettings, Difference, PairedDifference } from './pasture/paired-bootstrap.ts';
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
export {
  decodePhoto,
  type Photo,
  type PhotoContent,
  type PhotoFile,
  type Pixels,
  photoFrom,
} from './vision/photos/index.ts';

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
