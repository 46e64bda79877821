import { type Matrix, takeRows } from '../data/features.ts';
import { stratifiedGroupKFold } from '../data/folds/index.ts';
import { weightedR2 } from '../pasture/metric.ts';
import type { Targets } from '../pasture/targets.ts';
import type { FitContext, MetricLine, TrainingSet } from './estimator.ts';

/** Fits every candidate on `training` and predicts `validation` with each, in the order of the candidates. */
export type TrialRun<Candidate> = (
  training: TrainingSet<Matrix>,
  validation: Matrix,
  candidates: readonly Candidate[],
) => Targets[][];

/** How inner validation is done. */
export interface SearchSettings {
  readonly innerFolds: number;
  /** Times the inner split is drawn anew; scores are averaged. */
  readonly innerRepeats: number;
}

/** Where a candidate stands in the validation curve: its penalty, and the curve it belongs to. */
export interface CurvePlace {
  readonly penalty: number;
  readonly curve: string;
}

/**
 * Chooses the candidate with the best weighted R² in inner K-fold cross-validation that keeps sessions whole.
 * Scores are recorded as one metric line a penalty, with a score for each curve. With fewer than two sessions
 * there is nothing to validate on, and the middle candidate is taken.
 */
export function chooseByGroupedValidation<Candidate>(
  candidates: readonly Candidate[],
  training: TrainingSet<Matrix>,
  settings: SearchSettings,
  context: FitContext,
  run: TrialRun<Candidate>,
  place: (candidate: Candidate) => CurvePlace,
): Candidate {
  const sessions = new Set(training.groups).size;
  const middle = candidates[Math.floor(candidates.length / 2)];
  if (middle === undefined) throw new RangeError('no candidate to choose from');
  if (candidates.length === 1 || sessions < 2) return middle;
  const scores = candidates.map(() => 0);
  for (let repeat = 0; repeat < settings.innerRepeats; repeat++) {
    const folds = stratifiedGroupKFold(
      training.groups,
      training.targets.map(({ clover, dead }) => (clover > 0 ? 2 : 0) + (dead > 0 ? 1 : 0)),
      Math.min(settings.innerFolds, sessions),
      context.random.fork(`inner ${repeat}`),
    );
    outOfFoldPredictions(candidates, training, folds, run).forEach((predictions, index) => {
      const score = weightedR2(training.targets, predictions);
      // Photos that are all alike have no R²; every candidate then scores the same.
      scores[index] = (scores[index] ?? 0) + (Number.isFinite(score) ? score : 0) / settings.innerRepeats;
    });
  }
  for (const line of validationCurves(candidates.map(place), scores)) context.record(line);
  return candidates[scores.indexOf(Math.max(...scores))] ?? middle;
}

function validationCurves(places: readonly CurvePlace[], scores: readonly number[]): MetricLine[] {
  const lines = new Map<number, Record<string, number>>();
  places.forEach(({ penalty, curve }, index) => {
    const line = lines.get(penalty) ?? { penalty };
    line[curve] = scores[index] ?? Number.NaN;
    lines.set(penalty, line);
  });
  return [...lines.values()];
}

/** Rows of a training set. */
export function takeTraining(training: TrainingSet<Matrix>, indices: readonly number[]): TrainingSet<Matrix> {
  const pick = <T>(items: readonly T[]): T[] => indices.map((index) => items[index] as T);
  return {
    inputs: takeRows(training.inputs, indices),
    targets: pick(training.targets),
    groups: pick(training.groups),
  };
}

function outOfFoldPredictions<Candidate>(
  candidates: readonly Candidate[],
  training: TrainingSet<Matrix>,
  folds: readonly number[],
  run: TrialRun<Candidate>,
): Targets[][] {
  const predictions = candidates.map(() => new Array<Targets>(folds.length));
  const items = folds.map((_, item) => item);
  for (const fold of new Set(folds)) {
    const held = items.filter((item) => folds[item] === fold);
    const kept = items.filter((item) => folds[item] !== fold);
    const trials = run(takeTraining(training, kept), takeRows(training.inputs, held), candidates);
    trials.forEach((trial, candidate) => {
      held.forEach((item, row) => {
        const slot = predictions[candidate];
        if (slot) slot[item] = trial[row] as Targets;
      });
    });
  }
  return predictions;
}
