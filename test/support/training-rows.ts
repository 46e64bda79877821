import type { Matrix } from '../../src/ground/matrix.ts';
import type { Estimator, FitContext, FittedModel } from '../../src/learning/estimator.ts';
import type { Targets } from '../../src/pasture/targets.ts';
import { featureRows, plainSamples, TrainingSamples, unknownSample } from '../../src/samples/samples.ts';

/** Rows with what is to be learnt of them; each counts as a measured one unless it is said otherwise. */
export interface TaughtRows {
  readonly inputs: Matrix;
  /** Grams. */
  readonly targets: readonly Targets[];
  readonly groups: readonly string[];
  readonly weights?: readonly number[];
  readonly measured?: readonly boolean[];
}

/** Rows as an estimator takes them. */
export function trainingSamples({ inputs, targets, groups, weights, measured }: TaughtRows): TrainingSamples {
  const facts = groups.map((group, row) => ({
    ...unknownSample(String(row)),
    ...{ session: group, group, measured: measured?.[row] ?? true, weight: weights?.[row] ?? 1 },
  }));
  return new TrainingSamples(facts, featureRows(inputs), targets);
}

/** What an estimator learns of rows, with others held out where that matters. */
export function fitRows(
  estimator: Pick<Estimator, 'fit'>,
  rows: TaughtRows,
  context: FitContext,
  validation: TaughtRows | null = null,
): Promise<FittedModel> {
  const split = { train: trainingSamples(rows), validation: validation && trainingSamples(validation) };
  return estimator.fit(split, context);
}

/** What a model says of rows of which nothing else is known. */
export const predictRows = (model: Pick<FittedModel, 'predict'>, inputs: Matrix): Promise<Targets[]> =>
  model.predict(plainSamples(inputs));
