import { type Matrix, takeRows } from '../data/features.ts';
import { type RandomStream, randomStream } from '../ground/random.ts';
import type { Estimator, FittedModel, MetricLine, TrainingSet } from '../models/estimator.ts';
import { scoreTargets } from '../pasture/metric.ts';
import type { Targets } from '../pasture/targets.ts';
import type { RunResults } from './results.ts';

/** One fold's training: the model, and what it recorded on the way. */
export interface FoldFit {
  readonly model: FittedModel<Matrix>;
  readonly lines: readonly MetricLine[];
}

/** Trains on everything outside `fold`. */
export async function fitFold(
  estimator: Estimator<Matrix>,
  training: TrainingSet<Matrix>,
  folds: readonly number[],
  fold: number,
  random: RandomStream,
): Promise<FoldFit> {
  const lines: MetricLine[] = [];
  const kept = takeTraining(
    training,
    itemsWhere(folds, (other) => other !== fold),
  );
  const model = await estimator.fit(kept, {
    random: random.fork(`fold ${fold}`),
    record: (line) => lines.push(line),
  });
  return { model, lines };
}

/** Predicts the photos held out in `fold` into their places of `into`. */
export async function predictFold(
  model: FittedModel<Matrix>,
  inputs: Matrix,
  folds: readonly number[],
  fold: number,
  into: Targets[],
): Promise<void> {
  const held = itemsWhere(folds, (other) => other === fold);
  const predictions = await model.predict(takeRows(inputs, held));
  held.forEach((item, row) => {
    into[item] = predictions[row] as Targets;
  });
}

/**
 * Holds out one State at a time: the stress test of a model that is to travel. Needs two States; photos
 * without one are trained on but not scored.
 *
 * @returns null with fewer than two States
 */
export async function leaveOneStateOut(
  estimator: Estimator<Matrix>,
  training: TrainingSet<Matrix>,
  states: readonly (string | null)[],
  seed: number,
  afterEach: () => void,
): Promise<RunResults['leaveOneStateOut']> {
  const names = statesIn(states);
  if (names.length < 2) return null;
  const part = states.map((state) => (state === null ? -1 : names.indexOf(state)));
  const predicted = new Array<Targets>(states.length);
  for (const index of names.keys()) {
    const { model } = await fitFold(estimator, training, part, index, randomStream(seed).fork('states'));
    await predictFold(model, training.inputs, part, index, predicted);
    afterEach();
  }
  const scoreOf = (items: readonly number[]): ReturnType<typeof scoreTargets> =>
    scoreTargets(
      items.map((item) => training.targets[item] as Targets),
      items.map((item) => predicted[item] as Targets),
    );
  return {
    pooled: scoreOf(itemsWhere(part, (index) => index >= 0)),
    perState: names.map((state, index) => ({ state, score: scoreOf(itemsWhere(part, (p) => p === index)) })),
  };
}

/** The States that occur, sorted. */
export function statesIn(states: readonly (string | null)[]): string[] {
  return [...new Set(states.filter((state) => state !== null))].sort();
}

/** Items of a training set. */
function takeTraining(training: TrainingSet<Matrix>, items: readonly number[]): TrainingSet<Matrix> {
  const pick = <T>(values: readonly T[]): T[] => items.map((item) => values[item] as T);
  return {
    inputs: takeRows(training.inputs, items),
    targets: pick(training.targets),
    groups: pick(training.groups),
  };
}

function itemsWhere(parts: readonly number[], wanted: (part: number) => boolean): number[] {
  return parts.map((_, item) => item).filter((item) => wanted(parts[item] as number));
}
