import { join } from 'node:path';
import type { FoldRow } from '../data/folds/index.ts';
import { valueFingerprint } from '../ground/fingerprint.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { randomStream } from '../ground/random.ts';
import { packageVersion } from '../ground/version.ts';
import type { MetricLine, TrainingSet } from '../learning/estimator.ts';
import { weightedR2 } from '../pasture/metric.ts';
import type { Targets } from '../pasture/targets.ts';
import { learnsFromPhotos } from '../recipes/learns-from-photos.ts';
import { photoEstimator } from '../recipes/photo-estimator.ts';
import type { Recipe } from '../recipes/recipe.ts';
import { recipeEstimator } from '../recipes/registry.ts';
import { fitFold, type Learner, predictFold } from '../runs/cross-validation.ts';
import { writeDomainRecord } from '../runs/domain-record.ts';
import { DEFAULT_FOLD_PLAN, type FoldPlan, planFolds } from '../runs/fold-plan.ts';
import { scoreStates, writeStatesOut } from '../runs/leave-one-state-out.ts';
import { writeOutOfFold } from '../runs/out-of-fold.ts';
import { type PseudoLabelled, withPseudoLabels } from '../runs/pseudo-training.ts';
import type { OutOfFoldRow, RunResults } from '../runs/results.ts';
import {
  checkpointFolder,
  foldFolder,
  foldIsDone,
  type RunManifest,
  removeCheckpoint,
  writeFold,
  writeManifest,
} from '../runs/run-folder.ts';
import { readRunResults, writeScores } from '../runs/run-results.ts';
import { type ExistingRunPolicy, settleRunFolder, startRunFolder } from '../runs/run-start.ts';
import { stressTest } from '../runs/stress-test.ts';
import {
  readLabels,
  readTrainingData,
  relativeSource,
  type TrainingData,
  type TrainingSource,
} from '../runs/training-data.ts';
import { type RecipeInputs, takeInputs } from '../samples/recipe-inputs.ts';

export interface TrainOptions extends ExistingRunPolicy {
  readonly source: TrainingSource;
  readonly recipe: Recipe;
  /** Run folder to write. */
  readonly out: string;
  readonly plan?: Partial<FoldPlan>;
  /** Photos without measured masses that every fold learns from too. */
  readonly pseudo?: PseudoLabelled;
  /** Models that were trained elsewhere, one a fold, which take the place of training. */
  readonly imported?: ImportedFolds;
  readonly progress?: Progress;
}

/** Where models trained elsewhere come from. */
export interface ImportedFolds {
  /** The checkpoint of each fold. */
  readonly checkpoints: readonly { readonly file: string; readonly sha256: string }[];
  /** Writes the model of a fold into an existing folder. */
  readonly write: (fold: number, folder: string) => Promise<void>;
}

/** Folds of a data folder or feature set, as `sward folds` writes them. @throws as {@link trainRun} */
export async function makeFolds(source: TrainingSource, plan: Partial<FoldPlan> = {}): Promise<FoldRow[]> {
  return planFolds(await readLabels(source), { ...DEFAULT_FOLD_PLAN, ...plan });
}

/**
 * Cross-validates a recipe and writes the run folder: `run.json`, `folds.csv`, `fold-K/`, `oof.csv`,
 * `scores.json`, `report.html`. Data are read and checked before anything is written; until the end
 * `run.json` says `incomplete`, and folds appear whole or not at all, so an interrupted run resumes. A
 * finished run of the very same command is left as it is and its results are returned.
 *
 * @throws InputError when the data cannot be used
 * @throws UsageError when `out` holds something else, or an unfinished run that was not to be resumed
 */
export async function trainRun(options: TrainOptions): Promise<RunResults> {
  const { source, recipe, out, pseudo } = options;
  const progress = options.progress ?? SILENT;
  const plan = { ...DEFAULT_FOLD_PLAN, ...options.plan };
  const data = await readTrainingData(source, recipe, progress, pseudo?.paths);
  const rows = await planFolds(data.labels, plan);
  const manifest = manifestOf(options, plan, data, rows);
  const mode = await settleRunFolder(out, manifest, options);
  if (mode === 'complete') return readRunResults(out);
  await startRunFolder(out, manifest, rows, mode);

  const measured = measuredLearner(data, rows, recipe);
  const learner = pseudo ? { ...measured, ...withPseudoLabels(measured.training, pseudo) } : measured;
  const predicted = await trainFolds(out, options, learner, rows, plan.seed, progress);
  // Models that saw a State have labelled the photos, so that none could be held out any more.
  const stress =
    recipe.evaluation.leaveOneStateOut && !pseudo
      ? await stressTest(learner, data, plan.seed, progress)
      : null;
  const outOfFold = outOfFoldRows(data, rows, predicted);
  await writeOutOfFold(
    out,
    outOfFold,
    data.labels.map((label) => label.imagePath),
  );
  if (stress) await writeStatesOut(out, stress);
  await writeScores(out, outOfFold, stress && scoreStates(stress));
  const { inputs, groups } = measured.training;
  await writeDomainRecord(out, recipe, inputs, groups, progress);
  await writeManifest(out, manifest);
  const results = await readRunResults(out);
  // Plots bring a DOM along, which most commands should not have to load.
  const { writeReport } = await import('../report/index.ts');
  await writeReport(join(out, 'report.html'), results);
  return results;
}

/** What a recipe learns from measured photos. */
export function measuredLearner(
  data: TrainingData,
  rows: readonly FoldRow[],
  recipe: Recipe,
): Learner<RecipeInputs> {
  return {
    estimator: learnsFromPhotos(recipe) ? photoEstimator(recipe) : recipeEstimator(recipe),
    take: takeInputs,
    training: trainingSet(data, rows, data.inputs),
  };
}

function trainingSet<Input>(
  { labels }: TrainingData,
  rows: readonly FoldRow[],
  inputs: Input,
): TrainingSet<Input> {
  return {
    inputs,
    targets: labels.map((label) => label.targets),
    groups: rows.map((row) => row.group),
    attributes: labels.map(({ state, species, ndvi, heightCentimetres, date }) => ({
      state,
      species,
      ndvi,
      heightCentimetres,
      date,
    })),
  };
}

async function trainFolds<Input>(
  out: string,
  { recipe: { name }, imported }: Pick<TrainOptions, 'recipe' | 'imported'>,
  learner: Learner<Input>,
  rows: readonly FoldRow[],
  seed: number,
  progress: Progress,
): Promise<Targets[]> {
  // Photos beyond the rows are pseudo-labelled: held out of no fold.
  const folds = learner.training.targets.map((_, item) => rows[item]?.fold ?? -1);
  const count = Math.max(...folds) + 1;
  const predicted = new Array<Targets>(rows.length);
  progress.stage(`${imported ? 'Importing' : 'Training'} ${name}`, count, 'folds');
  for (let fold = 0; fold < count; fold++) {
    if (imported && !(await foldIsDone(out, fold))) {
      await writeFold(out, fold, [], (folder) => imported.write(fold, folder));
    } else if (!(await foldIsDone(out, fold))) {
      const states = checkpointFolder(out, fold);
      let remark = `fold ${fold}`;
      const { model, lines } = await fitFold(learner, folds, fold, randomStream(seed), {
        checkpointFolder: states,
        onLine: (line) => {
          remark = `fold ${fold} ${lineText(line)}`;
          progress.note?.(remark);
        },
        reached: (share) => progress.note?.(remark, share),
      });
      await writeFold(out, fold, lines, (folder) => model.write(folder));
    }
    await removeCheckpoint(out, fold);
    // The model is used as read back: what was written is what is scored.
    const model = await learner.estimator.read(foldFolder(out, fold));
    await predictFold(model, learner, folds, fold, predicted);
    await model.close?.();
    const items = folds.map((_, item) => item).filter((item) => folds[item] === fold);
    const score = weightedR2(
      items.map((item) => learner.training.targets[item] as Targets),
      items.map((item) => predicted[item] as Targets),
    );
    progress.advance(1, `fold ${fold} R² ${score.toFixed(3)}`);
  }
  progress.done();
  return predicted;
}

/** A metric line for one who watches: `epoch 3 training loss 12.3`. */
export function lineText(line: MetricLine): string {
  const shown = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(3));
  return Object.entries(line)
    .map(([name, value]) => `${name} ${shown(value)}`)
    .join(' ');
}

function manifestOf(
  { source, recipe, out, pseudo, imported }: TrainOptions,
  plan: FoldPlan,
  data: TrainingData,
  rows: readonly FoldRow[],
): RunManifest {
  return {
    format: 1,
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
      sets: data.sets,
      fingerprint: data.fingerprint,
    },
    ...(imported && { imported: imported.checkpoints }),
    fingerprint: valueFingerprint([
      packageVersion(),
      recipe,
      plan.seed,
      rows,
      data.fingerprint,
      ...(pseudo ? [pseudo.byFold, pseudo.weight] : []),
      ...(imported ? [imported.checkpoints] : []),
    ]),
  };
}

function outOfFoldRows(
  { labels, photoPaths }: TrainingData,
  rows: readonly FoldRow[],
  predicted: readonly Targets[],
): OutOfFoldRow[] {
  return labels.map((label, item) => ({
    imageId: label.imageId,
    photoPath: photoPaths[item] ?? null,
    fold: rows[item]?.fold ?? 0,
    observed: label.targets,
    predicted: predicted[item] as Targets,
    date: label.date,
    state: label.state,
    species: label.species,
  }));
}
