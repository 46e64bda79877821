import { SwardError } from '../ground/errors.ts';
import type * as recipeFile from '../recipes/recipe.ts';
import type * as openingFile from '../runs/open-run.ts';
import type * as sampleFile from '../sample/index.ts';
import type * as backbonesFile from './backbones/backbones.ts';
import type * as checkFile from './data/check.ts';
import type * as featuresFile from './data/features.ts';
import type * as demoFile from './demo/demo.ts';
import type * as ensembleFile from './ensemble/ensemble.ts';
import type * as exportFile from './export/export.ts';
import type * as modelsFile from './models/models.ts';
import type * as namedRunFile from './predict/named-run.ts';
import type * as predictFile from './predict/predict.ts';
import type * as submitFile from './predict/submit.ts';
import type * as pretrainBackboneFile from './pretrain/pretrain-backbone.ts';
import type * as pseudoFile from './pseudo/pseudo.ts';
import type * as recipesFile from './recipes/recipes.ts';
import type * as reportFile from './report/report.ts';
import type * as compareFile from './score/compare.ts';
import type * as scoreFile from './score/score.ts';
import type * as shareFile from './share/share.ts';
import type * as foldsFile from './train/folds.ts';
import type * as importRunFile from './train/import-run.ts';
import type * as importTreesFile from './train/import-trees.ts';
import type * as repeatedTrainingFile from './train/repeated-training.ts';
import type * as trainFile from './train/train.ts';
import type * as visitFile from './visit/visit.ts';

/*
 * What does the work, loaded when it is first called: that is most of sward, and `sward --help` is to answer before.
 */

/** A function whose module is loaded when it is called. @throws SwardError where that cannot be opened, and as it does */
function onDemand<Work extends (...given: never[]) => Promise<unknown>>(load: () => Promise<Work>): Work {
  const work = async (...given: Parameters<Work>): Promise<unknown> =>
    (await load().catch(unloadable))(...given);
  return work as Work;
}

function unloadable(error: unknown): never {
  if (!(error instanceof Error && 'code' in error && error.code === 'EMFILE')) throw error;
  throw new SwardError('sward cannot be loaded: too many files are open; raise the limit (ulimit -n)');
}

/** A recipe by name, or of a file. */
export const makeRecipe: typeof recipeFile.makeRecipe = onDemand(
  async () => (await import('../recipes/recipe.ts')).makeRecipe,
);

/** Opens a run. */
export const openRun: typeof openingFile.openRun = onDemand(
  async () => (await import('../runs/open-run.ts')).openRun,
);

/** A drawn data folder. */
export const renderSample: typeof sampleFile.renderSample = onDemand(
  async () => (await import('../sample/index.ts')).renderSample,
);

/** The backbones that sward knows. */
export const listBackbones: typeof backbonesFile.listBackbones = onDemand(
  async () => (await import('./backbones/backbones.ts')).listBackbones,
);
/** Fetches published weights, once. */
export const pullBackbone: typeof backbonesFile.pullBackbone = onDemand(
  async () => (await import('./backbones/backbones.ts')).pullBackbone,
);
/** Where the weights of a backbone lie. */
export const backboneWeights: typeof backbonesFile.backboneWeights = onDemand(
  async () => (await import('./backbones/backbones.ts')).backboneWeights,
);

/** Checks data as training would read it. */
export const checkFolder: typeof checkFile.checkFolder = onDemand(
  async () => (await import('./data/check.ts')).checkFolder,
);

/** Features of photos, as files. */
export const writeFeatureFiles: typeof featuresFile.writeFeatureFiles = onDemand(
  async () => (await import('./data/features.ts')).writeFeatureFiles,
);

/** From a drawn sample to a submission. */
export const runDemo: typeof demoFile.runDemo = onDemand(
  async () => (await import('./demo/demo.ts')).runDemo,
);

/** Combines runs. */
export const makeEnsemble: typeof ensembleFile.makeEnsemble = onDemand(
  async () => (await import('./ensemble/ensemble.ts')).makeEnsemble,
);

/** A run as a model that others run. */
export const exportRun: typeof exportFile.exportRun = onDemand(
  async () => (await import('./export/export.ts')).exportRun,
);

/** The runs that come with sward. */
export const listModels: typeof modelsFile.listModels = onDemand(
  async () => (await import('./models/models.ts')).listModels,
);

/** Tells a run from photos. */
export const namedRun: typeof namedRunFile.namedRun = onDemand(
  async () => (await import('./predict/named-run.ts')).namedRun,
);

/** Masses of photos or rows of features. */
export const predictRun: typeof predictFile.predictRun = onDemand(
  async () => (await import('./predict/predict.ts')).predictRun,
);
/** The State of each photo. */
export const readPhotoStates: typeof predictFile.readPhotoStates = onDemand(
  async () => (await import('./predict/predict.ts')).readPhotoStates,
);

/** The file that the competition takes. */
export const submitRun: typeof submitFile.submitRun = onDemand(
  async () => (await import('./predict/submit.ts')).submitRun,
);

/** Trains a backbone further on other photos. */
export const pretrainBackbone: typeof pretrainBackboneFile.pretrainBackbone = onDemand(
  async () => (await import('./pretrain/pretrain-backbone.ts')).pretrainBackbone,
);

/** Self-training with photos that were not cut. */
export const pseudoLabelRun: typeof pseudoFile.pseudoLabelRun = onDemand(
  async () => (await import('./pseudo/pseudo.ts')).pseudoLabelRun,
);

/** A recipe with all that can be set of it. */
export const describeRecipe: typeof recipesFile.describeRecipe = onDemand(
  async () => (await import('./recipes/recipes.ts')).describeRecipe,
);

/** The report of a run. */
export const reportRun: typeof reportFile.reportRun = onDemand(
  async () => (await import('./report/report.ts')).reportRun,
);

/** Compares predictions of the same photos. */
export const compareFiles: typeof compareFile.compareFiles = onDemand(
  async () => (await import('./score/compare.ts')).compareFiles,
);
/** Compares runs on the photos of both. */
export const compareRuns: typeof compareFile.compareRuns = onDemand(
  async () => (await import('./score/compare.ts')).compareRuns,
);

/** The score of predictions. */
export const scoreFiles: typeof scoreFile.scoreFiles = onDemand(
  async () => (await import('./score/score.ts')).scoreFiles,
);

/** A run that can be passed on without its data. */
export const shareRun: typeof shareFile.shareRun = onDemand(
  async () => (await import('./share/share.ts')).shareRun,
);

/** The folds that training would have. */
export const drawFolds: typeof foldsFile.drawFolds = onDemand(
  async () => (await import('./train/folds.ts')).drawFolds,
);

/** A run of networks that were trained elsewhere. */
export const importRun: typeof importRunFile.importRun = onDemand(
  async () => (await import('./train/import-run.ts')).importRun,
);

/** A run of trees that were trained elsewhere. */
export const importTrees: typeof importTreesFile.importTrees = onDemand(
  async () => (await import('./train/import-trees.ts')).importTrees,
);

/** Trains once a seed. */
export const trainRepeatedly: typeof repeatedTrainingFile.trainRepeatedly = onDemand(
  async () => (await import('./train/repeated-training.ts')).trainRepeatedly,
);

/** Trains and cross-validates. */
export const trainRun: typeof trainFile.trainRun = onDemand(
  async () => (await import('./train/train.ts')).trainRun,
);

/** One visit to one paddock. */
export const visitRun: typeof visitFile.visitRun = onDemand(
  async () => (await import('./visit/visit.ts')).visitRun,
);
