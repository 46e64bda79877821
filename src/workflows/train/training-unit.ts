import { join } from 'node:path';
import { SwardError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { randomStream } from '../../ground/random.ts';
import type { Recipe } from '../../recipes/recipe-schema.ts';
import { recipeEstimator } from '../../recipes/registry.ts';
import { tableBeside } from '../../runs/covariates.ts';
import { fitFold, type Learner, leaveStateOut, type StateAnswers } from '../../runs/cross-validation.ts';
import { completePlan, type FoldPlan, requireEnough } from '../../runs/fold-plan.ts';
import { statesIn } from '../../runs/leave-one-state-out.ts';
import { namedSource } from '../../runs/named-source.ts';
import { checkpointFolder, RunFolder, requireOwnFolder, writeFold } from '../../runs/run-folder.ts';
import {
  photoFolder,
  readTrainingData,
  type TrainingData,
  type TrainingSource,
} from '../../runs/training-data.ts';
import { requireEachFold, requireMassesInEachFold, requireStates } from './early-checks.ts';
import {
  CONTENTS,
  manifestOf,
  recipeOf,
  requireCovariatesRead,
  type TrainOptions,
  trainingCases,
} from './train.ts';

/** A training as every machine that has a part in it is told of it. */
export interface SharedTraining {
  readonly source: TrainingSource;
  readonly recipe: Recipe;
  readonly plan: FoldPlan;
}

/** A part of a training that is a work of its own. */
export type TrainingUnit =
  | {
      readonly fold: number;
      /** Of a network of several members one alone; null: the whole fold. */
      readonly member: number | null;
    }
  | {
      /** A State that is held out, by its place in the order of their names. */
      readonly state: number;
    };

/** What a training falls into. */
export interface TrainingUnits extends SharedTraining {
  /** Of all that decides what comes out: recipe, data, weights, folds, seed and this version of sward. */
  readonly fingerprint: string;
  readonly units: readonly TrainingUnit[];
  /** Whether the same training has finished in its folder by now. @throws as `RunFolder.foresee` */
  readonly isFinished: () => Promise<boolean>;
  /** Files that it reads, but for weights. */
  readonly files: readonly string[];
  /** Files of weights that have no name, by which another machine could find them. */
  readonly weightFiles: readonly string[];
}

/**
 * Reads and checks what is to be trained, and says what it falls into; nothing is written.
 *
 * @throws as `trainRun` does before it writes
 */
export async function trainingUnits(options: TrainOptions): Promise<TrainingUnits> {
  const { settings, out, overwrite = false, progress = SILENT } = options;
  const source = await namedSource(options.source);
  const shared = { source, recipe: await recipeOf(source, options), plan: completePlan(options.plan) };
  requireCovariatesRead(source, shared.recipe);
  await requireOwnFolder(out, 'run.json');
  const data = await readTrainingData(source, shared.recipe, shared.plan, progress);
  const manifest = manifestOf({ ...shared, out }, shared.plan, data);
  // What another machine has trained is gone on from.
  const isFinished = (): Promise<boolean> =>
    RunFolder.foresee(out, manifest, CONTENTS, { resume: true, overwrite });
  await isFinished();
  requireStates(settings, shared.recipe, data.labels);
  requireMassesInEachFold(data);
  await requireEachFold(recipeEstimator(shared.recipe), data);
  requireEnough(data.labels.length);
  const folds = Math.max(...data.rows.map(({ fold }) => fold)) + 1;
  const members = memberCount(shared.recipe);
  const states = shared.recipe.evaluation.leaveOneStateOut
    ? statesIn(data.labels.map(({ state }) => state)).length
    : 0;
  return {
    ...shared,
    fingerprint: fingerprintOf(shared, data),
    files: filesOf(source, data, shared.plan),
    weightFiles: data.sets.flatMap(({ weights }) => weights?.file ?? []),
    isFinished,
    units: [
      ...numbers(folds).flatMap((fold): TrainingUnit[] =>
        members === 1 ? [{ fold, member: null }] : numbers(members).map((member) => ({ fold, member })),
      ),
      ...numbers(states < 2 ? 0 : states).map((state) => ({ state })),
    ],
  };
}

/** Every file that a training reads, of labels, photos, features, readings and folds. */
function filesOf(source: TrainingSource, { photoPaths, covariates }: TrainingData, plan: FoldPlan): string[] {
  const { table, pairs } = source.covariates ?? {};
  const folder = photoFolder(source);
  const beside = covariates.length > 0 && folder !== null ? tableBeside(folder) : null;
  const own =
    source.kind === 'features'
      ? [...source.features, source.ids, source.labels]
      : [source.kind === 'folder' ? join(source.folder, 'train.csv') : source.table];
  const further = [table, pairs, beside, typeof plan.folds === 'string' ? plan.folds : null];
  return [...own, ...further, ...photoPaths].filter((path) => typeof path === 'string');
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

/** Members that a fold's model is trained of one by one, each with states of its own to go on from. */
function memberCount({ estimator, transform, covariates = [] }: Recipe): number {
  const isPlain = transform.kind === 'none' && covariates.length === 0;
  return estimator.kind === 'network' && isPlain ? estimator.members : 1;
}

function fingerprintOf(shared: SharedTraining, data: TrainingData): string {
  const { fingerprint } = manifestOf({ ...shared, out: '.' }, shared.plan, data);
  return valueFingerprint([fingerprint, data.sets.map(({ weights }) => weights?.sha256 ?? null)]);
}

/**
 * Trains one part of a training.
 *
 * @param fingerprint that of {@link trainingUnits}
 * @param into folder for a fold's model, as it lies in a run; what an earlier start has left there is gone on from
 * @returns what a model without a State says of it; null of a fold
 * @throws SwardError where this machine sees other data, weights or another version of sward
 */
export async function trainUnit(
  shared: SharedTraining,
  unit: TrainingUnit,
  fingerprint: string,
  into: string,
  progress: Progress = SILENT,
): Promise<StateAnswers | null> {
  const data = await readTrainingData(shared.source, shared.recipe, shared.plan, progress);
  if (fingerprintOf(shared, data) !== fingerprint) {
    throw new SwardError(
      'this machine sees other photos, labels or weights than the one that planned the training, or has another ' +
        'version of sward; give both the same, then run the command again',
    );
  }
  const { samples, targetsFor } = data;
  const learner: Learner = { estimator: recipeEstimator(shared.recipe), samples, targetsFor };
  await learner.estimator.prepare(samples);
  const { seed } = shared.plan;
  try {
    return await trainedUnit({ learner, data, seed }, unit, into, progress);
  } finally {
    await learner.estimator.release();
  }
}

async function trainedUnit(
  { learner, data, seed }: { readonly learner: Learner; readonly data: TrainingData; readonly seed: number },
  unit: TrainingUnit,
  into: string,
  progress: Progress,
): Promise<StateAnswers | null> {
  if ('state' in unit) return leaveStateOut(learner, seed, trainingCases(data), unit.state);
  const { fold, member } = unit;
  const folds = data.rows.map((row) => row.fold);
  const { model, lines } = await fitFold(learner, folds, fold, randomStream(seed), {
    checkpointFolder: checkpointFolder(into, fold),
    ...(member !== null && { member }),
    onProgress: (share) => progress.note?.('', share),
  });
  if (member === null) await writeFold(into, fold, lines, (aside) => model.write(aside));
  await model.release();
  return null;
}
