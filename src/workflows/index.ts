/**
 * Everything that can be done, one function a command, with what these take and give. The command line has nothing else
 * to call, and the library passes this on.
 */

export { DATE_ORDERS, type DateOrder } from '../data/dates.ts';
export { DECIMAL_NAMES, type DecimalName } from '../data/decimals.ts';
export {
  type FoldRow,
  GROUPINGS,
  type Grouping,
  STRATIFICATIONS,
  type Stratification,
} from '../data/folds/index.ts';
export { type ColumnMapping, readColumnMapping } from '../data/own-table/mapping.ts';
export type { OwnTable, TableReading } from '../data/own-table/read.ts';
export { type Problem, problemLines } from '../data/problems.ts';
export { FITTED_METHODS, type Method } from '../estimators/combination/combination.ts';
export type { ExportOptions, ExportOutcome } from '../export/export-run.ts';
export { MODEL_INPUTS, type ModelInput } from '../export/mass-model.ts';
export type { MetricLine } from '../learning/estimator.ts';
export type { PretrainChanges, PretrainSettings } from '../networks/settings/pretrain.ts';
export {
  type Covariate,
  HEIGHT_METHODS,
  type HeightMethod,
} from '../pasture/covariates.ts';
export { DEFAULT_RECIPES, RECIPE_NAMES } from '../recipes/known-recipes.ts';
export {
  makeRecipe,
  type RecipeChanges,
  type RecipeSettings,
} from '../recipes/recipe.ts';
export type { Recipe } from '../recipes/recipe-schema.ts';
export { BUNDLED_RUNS, STARTER } from '../runs/bundled-runs.ts';
export { headlineRows, mainCase } from '../runs/covariate-cases.ts';
export { type CovariateSource, covariateNames, type RunCovariate } from '../runs/covariates.ts';
export { DEFAULT_FOLD_PLAN, type FoldPlan } from '../runs/fold-plan.ts';
export type { AboutRun, PretrainingManifest } from '../runs/manifest.ts';
export { meanAnswerScore } from '../runs/mean-answer.ts';
export { namedSource } from '../runs/named-source.ts';
export { type OpenOptions, openRun } from '../runs/open-run.ts';
export type { PhotoPrediction } from '../runs/prediction.ts';
export { CERTAINTIES, type Certainty, PSEUDO_TEACHERS, type PseudoTeacher } from '../runs/pseudo-record.ts';
export type { CaseResults, OutOfFoldRow, RunResults } from '../runs/results.ts';
export {
  type PhotoStates,
  type PredictOptions,
  type Run,
  type RunCapabilities,
  TEST_TIME_TURNS,
} from '../runs/run.ts';
export { betterMember, caseToJson, type EnsembleFacts, lackingStates, scoreToJson } from '../runs/scores.ts';
export { type SplitSessions, splitSentence, splitSessions } from '../runs/split-sessions.ts';
export type { TrainingSource } from '../runs/training-data.ts';
export type { PaddockMean, PredictionDoubt } from '../runs/uncertainty.ts';
export { renderSample, type SampleOptions, type SampleSummary } from '../sample/index.ts';
export { photoSamples, type Samples } from '../samples/samples.ts';
export {
  COMBINATIONS,
  POOLINGS,
  type Pooling,
  PRECISIONS,
  type Precision,
} from '../vision/features/index.ts';
export { type Crop, parseCrop } from '../vision/framing/index.ts';
export { VIEW_PLANS, type ViewPlan } from '../vision/preprocess/views.ts';
export { type CatalogueEntry, LICENCE_NOTES, type ResolvedWeights } from '../vision/weights/index.ts';
export {
  type BackboneListOptions,
  backboneWeights,
  type ListedBackbone,
  listBackbones,
  type PulledBackbone,
  pullBackbone,
} from './backbones/backbones.ts';
export { type CheckOptions, type CheckReport, checkFolder } from './data/check.ts';
export {
  type FeatureFilesOptions,
  type FeatureFilesOutcome,
  type FeaturePlanSettings,
  writeFeatureFiles,
} from './data/features.ts';
export { type DemoOutcome, runDemo } from './demo/demo.ts';
export { DEFAULT_SHRINK, type EnsembleOptions, makeEnsemble } from './ensemble/ensemble.ts';
export {
  EXPORT_TARGETS,
  type ExportRunOptions,
  type ExportTarget,
  exportRun,
} from './export/export.ts';
export { type BundledModel, listModels } from './models/models.ts';
export { type AskedCovariates, type AskedHeight, askedHeight } from './predict/asked-readings.ts';
export { type NamedRun, namedRun } from './predict/named-run.ts';
export { paddockRecord } from './predict/paddock-record.ts';
export {
  type PredictionOutcome,
  type PredictionSource,
  type PredictRunOptions,
  predictRun,
  readPhotoStates,
  USUAL_COVERAGE,
} from './predict/predict.ts';
export { predictionRecord } from './predict/prediction-files.ts';
export { type SubmitOptions, type SubmitOutcome, submitRun } from './predict/submit.ts';
export { type PretrainOptions, pretrainBackbone } from './pretrain/pretrain-backbone.ts';
export { PSEUDO_DEFAULTS, type PseudoOptions, pseudoLabelRun } from './pseudo/pseudo.ts';
export {
  type DescribedRecipe,
  describeRecipe,
  type ListedRecipe,
  listRecipes,
  type RecipeSetting,
} from './recipes/recipes.ts';
export { type ReportRunOptions, reportRun } from './report/report.ts';
export { type ComparedSide, type Comparison, compareFiles, compareRuns } from './score/compare.ts';
export { type FileScore, scoreFiles } from './score/score.ts';
export { type ShareOptions, shareRun, type ToldOfRun } from './share/share.ts';
export { drawFolds } from './train/folds.ts';
export { type ImportedRun, type ImportOptions, importRun } from './train/import-run.ts';
export { type ImportedTrees, type ImportTreesOptions, importTrees } from './train/import-trees.ts';
export {
  type OverSeeds,
  type RepeatedResults,
  repeatedToJson,
  trainRepeatedly,
} from './train/repeated-training.ts';
export { type TrainOptions, trainRun } from './train/train.ts';
export { type VisitOptions, type VisitOutcome, visitRun } from './visit/visit.ts';
