import { type RandomStream, randomStream } from '../ground/random.ts';
import type { Estimator, FittedModel, MetricLine, TrainingSet } from '../learning/estimator.ts';
import type { Targets } from '../pasture/targets.ts';
import { statesIn } from './leave-one-state-out.ts';

/** An estimator with what it learns from, whatever kind of inputs that is. */
export interface Learner<Input> {
  readonly estimator: Estimator<Input>;
  readonly training: TrainingSet<Input>;
  /** The inputs of some photos, in the order of `items`. */
  readonly take: (inputs: Input, items: readonly number[]) => Input;
  /** What the model of a fold is told, where that differs from fold to fold (pseudo-labels). */
  readonly targetsFor?: (fold: number) => readonly Targets[];
}

/** One fold's training: the model, and what it recorded on the way. */
export interface FoldFit<Input> {
  readonly model: FittedModel<Input>;
  readonly lines: readonly MetricLine[];
}

/** What may be told and kept of a fold's training. */
export interface FoldFitOptions {
  /** See `FitContext`. */
  readonly checkpointFolder?: string;
  /** Told of every metric line as it comes. */
  readonly onLine?: (line: MetricLine) => void;
  /** See `FitContext`. */
  readonly reached?: (share: number) => void;
}

/** Trains on everything outside `fold`. */
export async function fitFold<Input>(
  learner: Learner<Input>,
  folds: readonly number[],
  fold: number,
  random: RandomStream,
  { checkpointFolder, onLine, reached }: FoldFitOptions = {},
): Promise<FoldFit<Input>> {
  const lines: MetricLine[] = [];
  const { targetsFor } = learner;
  const told = targetsFor ? { ...learner.training, targets: targetsFor(fold) } : learner.training;
  const kept = takeTraining(
    { ...learner, training: told },
    itemsWhere(folds, (other) => other !== fold),
  );
  const held = takeTraining(
    learner,
    itemsWhere(folds, (other) => other === fold),
  );
  const model = await learner.estimator.fit(
    { ...kept, validation: { inputs: held.inputs, targets: held.targets } },
    {
      random: random.fork(`fold ${fold}`),
      record: (line) => {
        lines.push(line);
        onLine?.(line);
      },
      ...(reached && { reached }),
      ...(checkpointFolder !== undefined && { checkpointFolder }),
    },
  );
  return { model, lines };
}

/** Predicts the photos held out in `fold` into their places of `into`. */
export async function predictFold<Input>(
  model: FittedModel<Input>,
  { training, take }: Learner<Input>,
  folds: readonly number[],
  fold: number,
  into: Targets[],
): Promise<void> {
  const held = itemsWhere(folds, (other) => other === fold);
  const predictions = await model.predict(take(training.inputs, held));
  held.forEach((item, row) => {
    into[item] = predictions[row] as Targets;
  });
}

/**
 * Holds out one State at a time: the stress test of a model that is to travel. Needs two States; photos
 * without one are trained on but not predicted.
 *
 * @returns `[photo]`, null for those without a State; null with fewer than two States
 */
export async function leaveOneStateOut<Input>(
  learner: Learner<Input>,
  states: readonly (string | null)[],
  seed: number,
  afterEach: () => void,
): Promise<(Targets | null)[] | null> {
  const names = statesIn(states);
  if (names.length < 2) return null;
  const part = states.map((state) => (state === null ? -1 : names.indexOf(state)));
  const predicted = new Array<Targets>(states.length);
  for (const index of names.keys()) {
    const { model } = await fitFold(learner, part, index, randomStream(seed).fork('states'));
    await predictFold(model, learner, part, index, predicted);
    await model.close?.();
    afterEach();
  }
  return part.map((index, item) => (index < 0 ? null : (predicted[item] as Targets)));
}

/** Items of a training set. */
export function takeTraining<Input>(
  { training, take }: Learner<Input>,
  items: readonly number[],
): TrainingSet<Input> {
  const pick = <T>(values: readonly T[]): T[] => items.map((item) => values[item] as T);
  return {
    inputs: take(training.inputs, items),
    targets: pick(training.targets),
    groups: pick(training.groups),
    ...(training.weights && { weights: pick(training.weights) }),
    ...(training.attributes && { attributes: pick(training.attributes) }),
  };
}

function itemsWhere(parts: readonly number[], wanted: (part: number) => boolean): number[] {
  return parts.map((_, item) => item).filter((item) => wanted(parts[item] as number));
}
