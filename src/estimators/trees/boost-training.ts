import { mean } from 'd3-array';
import { InputError, UsageError } from '../../ground/errors.ts';
import { takeRows } from '../../ground/matrix.ts';
import { readText, reasonOf } from '../../ground/whole-file.ts';
import type { FitContext } from '../../learning/estimator.ts';
import { innerFolds } from '../../learning/inner-folds.ts';
import { photoWeights } from '../../learning/session-weights.ts';
import type { TrainingRows } from '../../samples/samples.ts';
import { componentsTable } from '../masses/components-table.ts';
import { changeBasis, type OutputBasis, outputBasis } from '../masses/output-basis.ts';
import type { LeafwiseBoostSettings } from './boost-settings.ts';
import type { BoostingData } from './boosting.ts';
import type { TrainingWork } from './trainers.ts';

/** The names of the components, in the order of every table. */
export const COMPONENT_NAMES = ['green', 'dead', 'clover'] as const;

/** Settings that both kinds of boosting share. */
type SharedSettings = Readonly<
  Pick<
    LeafwiseBoostSettings,
    'outputs' | 'sessionWeight' | 'categorical' | 'objective' | 'alpha' | 'innerFolds' | 'members'
  >
>;

/** A training set as boosting takes it; targets are in the basis that trees are grown for. */
export interface BoostTraining extends BoostingData {
  readonly basis: OutputBasis;
}

/** @throws UsageError when a categorical column is not among the features */
export function boostTraining(training: TrainingRows, settings: SharedSettings): BoostTraining {
  requireColumns(settings, training.inputs.columns);
  const basis = outputBasis(settings.outputs);
  return {
    inputs: training.inputs,
    targets: changeBasis(componentsTable(training.targets), basis.toOutputs),
    weights:
      settings.sessionWeight > 0 || training.weights.some((weight) => weight !== 1)
        ? Float64Array.from(photoWeights(training, settings.sessionWeight))
        : null,
    categorical: settings.categorical,
    basis,
  };
}

/** @throws UsageError when a categorical column is not among so many; none: it is not known how many there will be */
export function requireColumns({ categorical }: Pick<SharedSettings, 'categorical'>, columns: number): void {
  const beyond = categorical.find((column) => column >= columns);
  if (beyond === undefined || columns === 0) return;
  throw new UsageError(
    `categorical names column ${beyond}, but the features have columns 0 to ${columns - 1}`,
  );
}

/** @throws UsageError when a mixture of masses is to be fitted with another loss than the squared one, or a quantile is not below 1 */
export function requireFitting({ outputs, objective, alpha }: SharedSettings): void {
  if (outputs === 'metric' && objective !== 'regression') {
    throw new UsageError(
      `outputs=metric needs objective=regression; use outputs=components with ${objective}`,
    );
  }
  if (objective === 'quantile' && alpha >= 1) {
    throw new UsageError(`objective=quantile needs an alpha below 1, not ${alpha}`);
  }
}

/** Some rows of a training set. */
function takeBoostRows(training: BoostTraining, rows: readonly number[]): BoostTraining {
  const { weights } = training;
  return {
    ...training,
    inputs: takeRows(training.inputs, rows),
    targets: takeRows(training.targets, rows),
    weights: weights && Float64Array.from(rows, (row) => weights[row] as number),
  };
}

/**
 * The work of a fit whose trainings look at `values` values each, and at `rootValues` for a tree's first node: for every output that is trained by itself
 * `members` trainings, and `innerFolds` before them where they find when to stop.
 */
export function fittingWork(
  { members, innerFolds }: SharedSettings,
  outputs: number,
  stops: boolean,
  values: number,
  rootValues = 0,
): TrainingWork {
  const folds = stops ? innerFolds : 0;
  const trainings = outputs * (members + folds);
  return { trainings, atOnce: outputs * Math.max(members, folds), values: trainings * values, rootValues };
}

/**
 * The number of trees at which training stops best: the mean over inner folds of whole sessions. With fewer
 * than two sessions there is nothing to stop on, and null is returned.
 *
 * @param lengthOf trains on the first set, stops on the second, and returns the number of trees kept
 */
export async function stoppingPoint(
  training: TrainingRows,
  prepared: BoostTraining,
  settings: SharedSettings,
  { random }: FitContext,
  lengthOf: (kept: BoostTraining, held: BoostTraining) => Promise<number>,
): Promise<number | null> {
  const folds = innerFolds(training, settings.innerFolds, random.fork('stopping'));
  if (!folds) return null;
  const rows = folds.map((_, row) => row);
  const parts = [...new Set(folds.filter((fold) => fold >= 0))].sort((a, b) => a - b);
  const trained = parts.map((fold) => {
    const kept = rows.filter((row) => folds[row] !== fold);
    const held = rows.filter((row) => folds[row] === fold);
    return lengthOf(takeBoostRows(prepared, kept), takeBoostRows(prepared, held));
  });
  const lengths = await Promise.all(trained);
  return Math.max(1, Math.round(mean(lengths) ?? 0));
}

/** The text of a model file. @throws InputError when it cannot be read */
export async function readModelText(path: string): Promise<string> {
  try {
    return await readText(path);
  } catch (error) {
    throw new InputError(path, `cannot be read (${reasonOf(error)})`, 'train the run again');
  }
}
