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
export { DEFAULT_SHRINK, FITTED_METHODS, type Method } from '../estimators/combination/methods.ts';
export type { ExportOptions, ExportOutcome } from '../export/export-run.ts';
export { MODEL_INPUTS, type ModelInput } from '../export/model-input.ts';
export { type Figure, paddockTotal, type VisitMean, worthWords } from '../farm/index.ts';
export type { MetricLine } from '../learning/estimator.ts';
export type { PretrainChanges, PretrainSettings } from '../networks/settings/pretrain.ts';
export { type Covariate, HEIGHT_METHODS, type HeightMethod } from '../pasture/covariates.ts';
export { USUAL_COVERAGE } from '../pasture/intervals/index.ts';
export { DEFAULT_RECIPES, RECIPE_NAMES } from '../recipes/known-recipes.ts';
export type { RecipeChanges, RecipeSettings } from '../recipes/recipe.ts';
export type { Recipe } from '../recipes/recipe-schema.ts';
export { BUNDLED_RUNS, STARTER } from '../runs/bundled-runs.ts';
export { headlineRows, mainCase } from '../runs/covariate-cases.ts';
export type { CovariateSource, RunCovariate } from '../runs/covariates.ts';
export { DEFAULT_FOLD_PLAN, type FoldPlan } from '../runs/fold-plan.ts';
export type { AboutRun, PretrainingManifest } from '../runs/manifest.ts';
export { meanAnswerScore } from '../runs/mean-answer.ts';
export { namedSource } from '../runs/named-source.ts';
export type { OpenOptions } from '../runs/open-run.ts';
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
export type { SampleOptions, SampleSummary } from '../sample/index.ts';
export { photoSamples, type Samples } from '../samples/samples.ts';
export { LICENCE_NOTES } from '../vision/backbones/published.ts';
export { COMBINATIONS, POOLINGS, type Pooling, PRECISIONS, type Precision } from '../vision/features/plan.ts';
export { CROP_FORMS, type Crop, parseCrop } from '../vision/framing/crop.ts';
export { VIEW_PLANS, type ViewPlan } from '../vision/preprocess/views.ts';
export type { CatalogueEntry, ResolvedWeights } from '../vision/weights/index.ts';
export type { BackboneListOptions, ListedBackbone, PulledBackbone } from './backbones/backbones.ts';
export type { CheckOptions, CheckReport } from './data/check.ts';
export type { FeatureFilesOptions, FeatureFilesOutcome, FeaturePlanSettings } from './data/features.ts';
export type { DemoOutcome } from './demo/demo.ts';
export type { EnsembleOptions } from './ensemble/ensemble.ts';
export type { ExportRunOptions } from './export/export.ts';
export { EXPORT_TARGETS, type ExportTarget } from './export/targets.ts';
export type { BundledModel } from './models/models.ts';
export {
  backboneWeights,
  checkFolder,
  compareFiles,
  compareRuns,
  describeRecipe,
  drawFolds,
  exportRun,
  importRun,
  importTrees,
  listBackbones,
  listModels,
  makeEnsemble,
  makeRecipe,
  namedRun,
  openRun,
  predictRun,
  pretrainBackbone,
  pseudoLabelRun,
  pullBackbone,
  readPhotoStates,
  renderSample,
  reportRun,
  runDemo,
  scoreFiles,
  shareRun,
  submitRun,
  trainRepeatedly,
  trainRun,
  visitRun,
  writeFeatureFiles,
} from './on-demand.ts';
export { type AskedCovariates, type AskedHeight, askedHeight } from './predict/asked-readings.ts';
export type { NamedRun } from './predict/named-run.ts';
export { PhotoNotes, sessionsNote } from './predict/notes.ts';
export { paddockRecord } from './predict/paddock-record.ts';
export type { PredictionOutcome, PredictionSource, PredictRunOptions } from './predict/predict.ts';
export { predictionRecord } from './predict/prediction-record.ts';
export type { SubmitOptions, SubmitOutcome } from './predict/submit.ts';
export type { PretrainOptions } from './pretrain/pretrain-backbone.ts';
export type { PseudoOptions } from './pseudo/pseudo.ts';
export { PSEUDO_DEFAULTS } from './pseudo/pseudo-defaults.ts';
export { type ListedRecipe, listRecipes } from './recipes/list-recipes.ts';
export type { DescribedRecipe, RecipeSetting } from './recipes/recipes.ts';
export type { ReportRunOptions } from './report/report.ts';
export type { ComparedSide, Comparison } from './score/compare.ts';
export type { FileScore } from './score/score.ts';
export type { ShareOptions, ToldOfRun } from './share/share.ts';
export type { ImportedRun, ImportOptions } from './train/import-run.ts';
export type { ImportedTrees, ImportTreesOptions } from './train/import-trees.ts';
export { type OverSeeds, type RepeatedResults, repeatedToJson } from './train/repeated-results.ts';
export type { TrainOptions } from './train/train.ts';
export type { VisitOptions, VisitOutcome } from './visit/visit.ts';
