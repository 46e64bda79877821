import type { Matrix } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { FittedModel } from '../../learning/estimator.ts';
import { type Targets, targetsToArray } from '../../pasture/targets.ts';
import { featureRows, plainSamples, TrainingSamples, unknownSample } from '../../samples/samples.ts';
import { ridge } from '../kernel/ridge.ts';
import { partlyMeasured } from '../partly-measured/partly-measured.ts';

/** Predictions are few and alike: every photo counts the same, nothing is clipped, penalties reach far up. */
const STACKER = partlyMeasured(
  ridge({
    kind: 'ridge',
    penalties: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    sessionWeight: 0,
    clip: 100,
  }),
);

/** The five predictions of every member beside each other, 0 for masses it was not taught. [photos, 5 · members] */
function stackedPredictions(members: readonly (readonly Targets[])[]): Matrix {
  const rows = members[0]?.length ?? 0;
  const columns = 5 * members.length;
  const data = new Float64Array(rows * columns);
  members.forEach((predicted, member) => {
    predicted.forEach((targets, photo) => {
      data.set(
        targetsToArray(targets).map((mass) => (Number.isNaN(mass) ? 0 : mass)),
        photo * columns + 5 * member,
      );
    });
  });
  return { rows, columns, data };
}

/** A regression on what members predict. */
export interface Stack {
  /** Physical masses, grams, from `[member][photo]`. */
  combine(members: readonly (readonly Targets[])[]): Promise<Targets[]>;
  /** Writes the regression into an existing folder. */
  write(folder: string): Promise<void>;
}

/**
 * Stacking: ridge regression of green, dead and clover on the five out-of-fold predictions of all members (Wolpert,
 * Neural Networks 5, 1992; Breiman, Machine Learning 24, 1996). The penalty is the one that predicts sessions left
 * out best; sums are derived.
 *
 * @param members out-of-fold predictions, grams, `[member][photo]`
 */
export async function fitStack(
  members: readonly (readonly Targets[])[],
  observed: readonly Targets[],
  sessions: readonly string[],
  random: RandomStream,
): Promise<Stack> {
  const facts = sessions.map((session, photo) => ({
    ...unknownSample(String(photo)),
    session,
    group: session,
    measured: true,
  }));
  const train = new TrainingSamples(facts, featureRows(stackedPredictions(members)), observed);
  return stackOf(await STACKER.fit({ train, validation: null }, { random, record: () => {} }));
}

/** Reads back what {@link Stack.write} wrote. @throws InputError when it cannot be read */
export async function readStack(folder: string): Promise<Stack> {
  return stackOf(await STACKER.read(folder));
}

function stackOf(model: FittedModel): Stack {
  return {
    combine: (members) => model.predict(plainSamples(stackedPredictions(members))),
    write: (folder) => model.write(folder),
  };
}
