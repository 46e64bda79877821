import { basename, extname, join } from 'node:path';
import type { FoldRow } from '../../data/folds/index.ts';
import { writeFolds } from '../../data/folds/index.ts';
import { countOf } from '../../ground/counts.ts';
import { UsageError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { randomStream } from '../../ground/random.ts';
import { packageVersion } from '../../ground/version.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { precisionWarning } from '../../networks/settings/fine-tune.ts';
import { type CovariateSet, caseWords, covariateSets, hasReadings } from '../../pasture/covariates.ts';
import { weightedR2 } from '../../pasture/metric.ts';
import { knownSentence, massesIn, massesKnownOf, massWords } from '../../pasture/partial.ts';
import { MASS_NAMES, type Targets } from '../../pasture/targets.ts';
import { DEFAULT_RECIPES } from '../../recipes/known-recipes.ts';
import { makeRecipe, type RecipeChanges } from '../../recipes/recipe.ts';
import type { Recipe } from '../../recipes/recipe-schema.ts';
import { recipeEstimator } from '../../recipes/registry.ts';
import {
  fitFold,
  type Learner,
  leaveOneStateOut,
  predictFold,
  type StateAnswers,
} from '../../runs/cross-validation.ts';
import { beginDomainRecord, DOMAIN, writeDomainRecord } from '../../runs/domain/index.ts';
import { completePlan, type FoldPlan, requireEnough } from '../../runs/fold-plan.ts';
import { learnBySessions, writeLearningBySessions } from '../../runs/learning-by-sessions.ts';
import { type StateOutRow, statesIn } from '../../runs/leave-one-state-out.ts';
import { RUN_FORMAT, type TrainedManifest } from '../../runs/manifest.ts';
import { namedSource } from '../../runs/named-source.ts';
import { openRun } from '../../runs/open-run.ts';
import { FOLDS, OUT_OF_FOLD } from '../../runs/out-of-fold.ts';
import { firstAnswered, type PredictedRows, writePredictedRows } from '../../runs/predicted-rows.ts';
import { trainedResults } from '../../runs/read-results.ts';
import type { OutOfFoldRow, RunResults } from '../../runs/results.ts';
import { FOLD_FOLDERS, isResult } from '../../runs/run-files.ts';
import {
  checkpointFolder,
  type ExistingRunPolicy,
  type FolderContents,
  foldFolder,
  foldIsDone,
  RunFolder,
  removeCheckpoint,
  requireOwnFolder,
  writeFold,
} from '../../runs/run-folder.ts';
import { SCORES } from '../../runs/scores.ts';
import {
  type PseudoLabelled,
  pathFrom,
  readFolds,
  readTrainingData,
  relativeSource,
  type TrainingData,
  type TrainingSource,
} from '../../runs/training-data.ts';
import {
  beginTrainingPhotos,
  requirePhotosUnchanged,
  TRAINING_PHOTOS,
  type TrainingPhoto,
  writeTrainingPhotos,
} from '../../runs/training-photos.ts';
import { reportPath, writeMissingReport, writeRunReport } from '../report/write-report.ts';
import { requireEachFold, requireMassesInEachFold, requireStates } from './early-checks.ts';
import { epochLine } from './epoch-line.ts';
import { type WorkAhead, withTimeEstimates, workAhead } from './time-estimate.ts';

/** What is trained on what, and into which folder. */
export interface TrainOptions extends ExistingRunPolicy {
  /** A data folder, a table of one's own, or features with their labels. */
  readonly source: string | TrainingSource;
  /** A recipe's name or file, or one that was made; default {@link DEFAULT_RECIPES}. */
  readonly recipe?: string | Recipe;
  /** Settings in which a named recipe is to differ from its own. */
  readonly settings?: RecipeChanges;
  /** Run folder to write. */
  readonly out: string;
  /** How folds are made, as far as it differs from `DEFAULT_FOLD_PLAN`; its seed is that of training too. */
  readonly plan?: Partial<FoldPlan>;
  /** Whether the score by number of training sessions is wanted as well. */
  readonly learningCurve?: boolean;
  readonly progress?: Progress;
}

/** A training that is part of a larger one. */
export interface TrainingPart extends TrainOptions {
  /** Photos without measured masses that every fold trains on too. */
  readonly pseudo?: PseudoLabelled;
  /** Models that were trained elsewhere, one a fold, which take the place of training. */
  readonly imported?: ImportedFolds;
  /** What may lie in the folder already, as the demo's sample. */
  readonly beside?: RegExp;
  /** What other machines have trained of the same. */
  readonly elsewhere?: TrainedElsewhere;
}

/** What other machines have trained of a run. */
export interface TrainedElsewhere {
  /** Puts what there is of a fold into the run folder: its model, or states that its training goes on from. */
  readonly bring: (run: string, fold: number) => Promise<void>;
  /** What a model without a State says of it. */
  readonly stateOut: (state: number) => Promise<StateAnswers>;
}

/** Where models trained elsewhere come from. */
export interface ImportedFolds {
  /** The checkpoint of each fold, or all files by their fold. */
  readonly checkpoints: readonly {
    readonly file: string;
    readonly sha256: string;
    readonly fold?: number;
  }[];
  /** Finds what of the data does not suit the models, before anything is written. */
  readonly check?: (samples: TrainingData['samples']) => Promise<void>;
  /** Writes the model of a fold into an existing folder. */
  readonly write: (fold: number, folder: string) => Promise<void>;
}

/** What a trained run's folder consists of. */
export const CONTENTS: FolderContents = {
  derived: isResult,
  essential: [OUT_OF_FOLD, SCORES],
  resumable: FOLD_FOLDERS,
};

/** Folds of a data folder, table or feature set, as `sward folds` writes them. @throws as {@link trainRun} */
export async function makeFolds(
  source: string | TrainingSource,
  plan: Partial<FoldPlan> = {},
): Promise<FoldRow[]> {
  return readFolds(await namedSource(source), completePlan(plan));
}

/**
 * Cross-validates a recipe and writes the run folder: `run.json`, `folds.csv`, `fold-K/`, `oof.csv`,
 * `scores.json`, `report.html`. Data are read and checked before anything is written; until the end
 * `run.json` says `incomplete`, and folds appear whole or not at all, so an interrupted run resumes. A
 * finished run of the very same command is left as it is and its results are returned.
 *
 * @returns scores and out-of-fold predictions, grams
 * @throws InputError when the data cannot be used
 * @throws UsageError when recipe, settings and data do not suit each other, or `out` holds something else, an unfinished
 *   run that was not to be resumed, or is being written by another process
 */
export async function trainRun(options: TrainOptions): Promise<RunResults> {
  return trainPart(options);
}

/** As {@link trainRun}, for what trains as one part of its work. @throws as there */
export async function trainPart(options: TrainingPart): Promise<RunResults> {
  const { out, pseudo, imported, beside, elsewhere } = options;
  const source = await namedSource(options.source);
  const recipe = await recipeOf(source, options);
  requireCovariatesRead(source, recipe);
  let work: WorkAhead | null = null;
  const progress = withTimeEstimates(options.progress ?? SILENT, () => work);
  const plan = completePlan(options.plan);
  await requireOwnFolder(out, 'run.json', beside);
  const estimator = recipeEstimator(recipe);
  const data = await readTrainingData(source, recipe, plan, progress, pseudo);
  const photos = await beginTrainingPhotos(photosOf(data, pseudo));
  const { samples, rows, labels } = data;
  const cases = trainingCases(data);
  tellOfGaps(data, options.progress);
  const { estimator: settings } = recipe;
  const slow = settings.kind === 'network' ? precisionWarning(settings.fineTune) : null;
  if (slow) options.progress?.line?.(slow);
  requireStates(options.settings, recipe, labels);
  requireMassesInEachFold(data);
  if (!imported) work = workAhead(recipe, data, options.learningCurve ?? false);
  const manifest = manifestOf({ ...options, source, recipe }, plan, data);
  const contents = { ...CONTENTS, ...(beside && { beside }) };
  const isFinished = await RunFolder.foresee(out, manifest, contents, options);
  if (!isFinished) {
    if (!imported) {
      await requireEachFold(estimator, data);
      requireEnough(labels.length);
    }
    await estimator.prepare(samples);
    await imported?.check?.(samples);
  }
  const folder = await RunFolder.begin(out, manifest, contents, options);
  if (!folder) return finishedResults(options, recipe, data);
  const domain = beginDomainRecord(estimator, samples);
  try {
    await writeFolds(join(out, FOLDS), rows);
    const learner: Learner = { estimator, samples, targetsFor: data.targetsFor };
    const predicted = imported
      ? await importFolds(folder, recipe.name, imported, learner, rows, progress)
      : await trainFolds(folder, recipe, learner, { rows, photos }, cases, plan.seed, progress, elsewhere);
    // Models that saw a State have labelled the photos, so that none could be held out any more.
    const stress =
      recipe.evaluation.leaveOneStateOut && !pseudo
        ? await stressTest(learner, cases, plan.seed, progress, elsewhere)
        : null;
    await folder.requireHeld();
    await requirePhotosUnchanged(photos);
    const written = await writePredictedRows(out, predictedRows(data, cases, predicted, stress));
    await writeTrainingPhotos(out, photos);
    if (options.learningCurve) await writeLearningCurve(out, learner, rows, plan.seed, progress);
    const results = await trainedResults(out, manifest);
    await writeRunReport(out, reportPath(out), results);
    // Last, for it may still be under way.
    await writeDomainRecord(out, estimator, samples, progress, domain);
    const folds = rows.map(({ fold }) => `fold-${fold}`);
    await folder.complete([...new Set(folds), ...[FOLDS, ...written, TRAINING_PHOTOS, DOMAIN]]);
    return results;
  } catch (error) {
    throw await folder.failure(error);
  } finally {
    await domain?.end();
    await estimator.release();
    await folder.release();
  }
}

/** From about so many photos on a score says something. */
const TELLING_PHOTOS = 10;

/** Says which masses were measured of how many photos, and what is left out, where that is not all. */
function tellOfGaps({ labels, remarks }: TrainingData, progress: Progress = SILENT): void {
  for (const remark of remarks) progress.line?.(remark);
  if (labels.length < TELLING_PHOTOS) {
    progress.line?.(
      `warning: ${countOf(labels.length, 'photo')} are few: scores of less than about ${TELLING_PHOTOS} say little; add cuts of further visits`,
    );
  }
  const targets = labels.map((label) => label.targets);
  const counts = knownSentence(targets);
  if (counts === null) return;
  const known = massesKnownOf(targets);
  const learnt = MASS_NAMES.every((mass) => known[mass])
    ? 'all five masses'
    : `${massWords(massesIn(known))} alone`;
  progress.line?.(`measured: ${counts}; ${learnt} can be learnt`);
}

/** Every photo that models of the run have seen, pseudo-labelled ones too. */
function photosOf(
  { labels, photoPaths }: TrainingData,
  pseudo: PseudoLabelled | undefined,
): { imageId: string; path: string }[] {
  const measured = labels.flatMap(({ imageId }, item) => {
    const path = photoPaths[item] ?? null;
    return path === null ? [] : [{ imageId, path }];
  });
  const labelled = (pseudo?.paths ?? []).map((path) => ({ imageId: basename(path, extname(path)), path }));
  return [...measured, ...labelled];
}

export async function recipeOf(
  { kind }: TrainingSource,
  { recipe = DEFAULT_RECIPES[kind], settings }: TrainOptions,
): Promise<Recipe> {
  if (typeof recipe === 'string') return makeRecipe(recipe, settings);
  if (settings === undefined) return recipe;
  throw new UsageError(`recipe ${recipe.name} is made already; give its settings to makeRecipe`);
}

/** The options by which each part of a source of covariates is given. */
const COVARIATE_OPTIONS = { table: '--covariates', method: '--height-method', pairs: '--height-pairs' };

/** @throws UsageError for a source of covariates where none is read */
export function requireCovariatesRead(
  { covariates: source = {} }: TrainingSource,
  { covariates }: Recipe,
): void {
  const [idle] = Object.keys(source) as (keyof typeof COVARIATE_OPTIONS)[];
  if (idle === undefined || covariates) return;
  throw new UsageError(`${COVARIATE_OPTIONS[idle]} is for covariates; add --with height`);
}

/** The results of a run that is there already, with its report and, where that is wanted, learning curve if they lack. */
async function finishedResults(
  options: TrainOptions,
  recipe: Recipe,
  data: TrainingData,
): Promise<RunResults> {
  const { out, learningCurve, progress = SILENT } = options;
  await using run = await openRun(out);
  const results = await run.results();
  if (!learningCurve || results.bySessions) {
    await writeMissingReport(out, results);
    return results;
  }
  const { seed } = completePlan(options.plan);
  const learner = { estimator: recipeEstimator(recipe), samples: data.samples };
  await writeLearningCurve(out, learner, data.rows, seed, progress);
  const complete = await run.results();
  await writeRunReport(out, reportPath(out), complete);
  return complete;
}

/** The score by number of measured sessions; pseudo-labelled photos have no part in it. */
async function writeLearningCurve(
  out: string,
  { estimator, samples }: Learner,
  rows: readonly FoldRow[],
  seed: number,
  progress: Progress,
): Promise<void> {
  const measured = { estimator, samples: samples.take(rows.map((_, item) => item)) };
  await writeLearningBySessions(out, await learnBySessions(measured, rows, seed, progress));
}

async function trainFolds(
  folder: RunFolder,
  recipe: Recipe,
  learner: Learner,
  { rows, photos }: { readonly rows: readonly FoldRow[]; readonly photos: readonly TrainingPhoto[] },
  cases: readonly CovariateSet[],
  seed: number,
  progress: Progress,
  elsewhere?: TrainedElsewhere,
): Promise<FoldAnswers> {
  // Samples beyond the rows are pseudo-labelled: held out of no fold.
  const folds = learner.samples.facts.map((_, item) => rows[item]?.fold ?? -1);
  return eachFold(folder, `Training ${recipe.name}`, learner, folds, cases, progress, async (fold) => {
    await elsewhere?.bring(folder.path, fold);
    if (await foldIsDone(folder.path, fold)) return;
    const states = checkpointFolder(folder.path, fold);
    let remark = `fold ${fold}`;
    const { model, lines } = await fitFold(learner, folds, fold, randomStream(seed), {
      checkpointFolder: states,
      onLine: (line) => {
        const epoch = epochLine(recipe, fold, folds.filter((own) => own === fold).length, line);
        remark = `fold ${fold} ${epoch === null ? lineText(line) : `epoch ${line.epoch}`}`;
        // Elsewhere it was told as it came.
        if (epoch !== null && !elsewhere) progress.line?.(epoch);
        progress.note?.(remark);
      },
      onProgress: (share) => progress.note?.(remark, share),
    });
    await folder.requireHeld();
    await requirePhotosUnchanged(photos).catch(async (error: unknown) => {
      // Its states may have been trained on another photo.
      await removeCheckpoint(folder.path, fold);
      throw error;
    });
    await writeFold(folder.path, fold, lines, (aside) => model.write(aside));
  });
}

function importFolds(
  folder: RunFolder,
  name: string,
  imported: ImportedFolds,
  learner: Learner,
  rows: readonly FoldRow[],
  progress: Progress,
): Promise<FoldAnswers> {
  const folds = rows.map(({ fold }) => fold);
  return eachFold(folder, `Importing ${name}`, learner, folds, [[]], progress, (fold) =>
    writeFold(folder.path, fold, [], (aside) => imported.write(fold, aside)),
  );
}

/** What models say of samples that they have not seen, by each set of covariates. `[case][sample]` */
type FoldAnswers = readonly (Targets | undefined)[][];

/** Makes the model of each fold that is not there yet, and predicts what the fold holds out. */
async function eachFold(
  folder: RunFolder,
  title: string,
  { estimator, samples }: Learner,
  folds: readonly number[],
  cases: readonly CovariateSet[],
  progress: Progress,
  make: (fold: number) => Promise<void>,
): Promise<FoldAnswers> {
  const { path: out } = folder;
  const count = Math.max(...folds) + 1;
  const predicted = cases.map(() => new Array<Targets | undefined>(folds.length).fill(undefined));
  progress.stage(title, count, 'folds');
  for (let fold = 0; fold < count; fold++) {
    if (!(await foldIsDone(out, fold))) {
      await make(fold);
      await folder.remember(`fold-${fold}`);
    }
    await removeCheckpoint(out, fold);
    // The model is used as read back: what was written is what is scored.
    const model = await estimator.read(foldFolder(out, fold));
    for (const [place, set] of cases.entries()) {
      await predictFold(model, samples, folds, fold, predicted[place] ?? [], set);
    }
    await model.release();
    const scores = cases.flatMap((set, place) => {
      const said = predicted[place] ?? [];
      const items = folds.flatMap((own, item) => (own === fold && said[item] ? [item] : []));
      if (items.length === 0) return [];
      const score = weightedR2(
        items.map((item) => samples.targets[item] as Targets),
        items.map((item) => said[item] as Targets),
      );
      return `${score.toFixed(3)}${cases.length > 1 ? ` ${caseWords(set)}` : ''}`;
    });
    progress.advance(1, `fold ${fold} R² ${scores.join(', ')}`);
  }
  progress.done();
  return predicted;
}

/** Every photo of a known State as predicted without that State, by case; null with fewer than two States. */
async function stressTest(
  learner: Learner,
  cases: readonly CovariateSet[],
  seed: number,
  progress: Progress,
  elsewhere?: TrainedElsewhere,
): Promise<StateOutRow[][] | null> {
  const { facts, targets } = learner.samples;
  progress.stage('Leaving one State out', statesIn(facts.map(({ state }) => state)).length, 'States');
  const outcome = await leaveOneStateOut(learner, seed, cases, () => progress.advance(), elsewhere?.stateOut);
  progress.done();
  return (
    outcome?.map((said) =>
      facts.flatMap(({ id, state }, item) => {
        const predicted = said[item];
        const observed = targets[item] as Targets;
        return predicted && state !== null ? [{ imageId: id, state, observed, predicted }] : [];
      }),
    ) ?? null
  );
}

/** A metric line for one who watches: `epoch 3 training loss 12.3`. */
export function lineText(line: MetricLine): string {
  const shown = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(3));
  return Object.entries(line)
    .map(([name, value]) => `${name} ${shown(value)}`)
    .join(' ');
}

/** What a training's folder says of it in the end, but for the files' hashes. */
export function manifestOf(
  {
    source,
    recipe,
    out,
    pseudo,
    imported,
  }: TrainingPart & { readonly source: TrainingSource; readonly recipe: Recipe },
  plan: FoldPlan,
  { rows, sets, fingerprint, covariates }: TrainingData,
): TrainedManifest {
  return {
    format: RUN_FORMAT,
    kind: 'trained',
    status: 'complete',
    sward: packageVersion(),
    seed: plan.seed,
    recipe,
    folds: {
      count: Math.max(...rows.map((row) => row.fold)) + 1,
      grouping: plan.grouping,
      stratification: plan.stratification,
      origin: typeof plan.folds === 'string' ? 'given' : 'drawn',
    },
    data: {
      source: relativeSource(source, out),
      images: rows.length,
      sets: sets.map(({ weights, ...set }) => ({
        ...set,
        weights: weights && {
          ...weights,
          file: weights.file === null ? null : pathFrom(out, weights.file),
        },
      })),
      fingerprint,
      ...(source.areaSquareMetres !== undefined && { area_m2: source.areaSquareMetres }),
      ...(covariates.length > 0 && { covariates: [...covariates] }),
    },
    ...(imported && { imported: imported.checkpoints }),
    fingerprint: valueFingerprint([
      packageVersion(),
      recipe,
      plan.seed,
      rows,
      fingerprint,
      ...(source.areaSquareMetres === undefined ? [] : [`frame ${source.areaSquareMetres}`]),
      ...(pseudo ? [pseudo.byFold, pseudo.weight] : []),
      ...(imported ? [imported.checkpoints] : []),
    ]),
    files: {},
  };
}

/** The sets of covariates that samples are answered by apart, photos alone last; sets that no photo has are left out. */
export function trainingCases({ covariates, samples }: TrainingData): CovariateSet[] {
  const names = covariates.map(({ name }) => name);
  return [...covariateSets(names), []].filter((set) =>
    samples.facts.some(({ readings }) => hasReadings(readings, set)),
  );
}

function predictedRows(
  { labels, photoPaths, rows, samples, covariates }: TrainingData,
  cases: readonly CovariateSet[],
  predicted: FoldAnswers,
  stress: readonly StateOutRow[][] | null,
): PredictedRows {
  const byCase = cases.map((set, place): OutOfFoldRow[] =>
    labels.flatMap((label, item) => {
      const targets = predicted[place]?.[item];
      if (!targets) return [];
      return {
        imageId: label.imageId,
        photoPath: photoPaths[item] ?? null,
        fold: rows[item]?.fold ?? 0,
        session: samples.facts[item]?.session ?? label.imageId,
        observed: label.targets,
        predicted: targets,
        date: label.date,
        state: label.state,
        species: label.species,
        ...(covariates.length > 0 && { covariates: set }),
      };
    }),
  );
  return {
    outOfFold: firstAnswered(byCase),
    statesOut: stress && firstAnswered(stress),
    cases:
      covariates.length === 0
        ? []
        : cases.map((set, place) => ({
            covariates: set,
            outOfFold: byCase[place] ?? [],
            statesOut: stress?.[place] ?? null,
          })),
    imagePaths: new Map(labels.map(({ imageId, imagePath }) => [imageId, imagePath])),
  };
}
