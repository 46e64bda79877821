import type { Matrix } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import type { FittedModel } from '../../../src/learning/estimator.ts';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';
import { targetsToArray } from '../../../src/pasture/targets.ts';
import { compile, input, type Tensor } from '../../../src/tensor/index.ts';
import { predictRows, type TaughtRows } from '../../support/training-rows.ts';

const SESSIONS = 6;

/** Features in single precision, as backbones give them, and masses that follow from some of them. */
export function linearSward(photos: number, columns: number, seed = 1): TaughtRows {
  const random = randomStream(seed);
  const data = Float64Array.from({ length: photos * columns }, () => Math.fround(random.normal()));
  const at = (photo: number, column: number): number => data[photo * columns + column] ?? 0;
  const targets = Array.from({ length: photos }, (_, photo) =>
    targetsFromComponents({
      green: 30 + 12 * at(photo, 0) - 5 * at(photo, 1),
      dead: 8 + 6 * at(photo, 2),
      clover: 4 * at(photo, 3) - 1,
    }),
  );
  const groups = Array.from({ length: photos }, (_, photo) => String(photo % SESSIONS));
  return { inputs: { rows: photos, columns, data }, targets, groups };
}

/** What a graph makes of rows, one flat list. */
export async function runGraph(inputs: Matrix, graph: (features: Tensor) => Tensor): Promise<number[]> {
  const features = input('features', [inputs.rows, inputs.columns], 'float64');
  const program = await compile({ outputs: { masses: graph(features) } });
  const { masses } = await program.run({ features: Float64Array.from(inputs.data) });
  await program.dispose();
  return Array.from(masses?.values as Float64Array, Number);
}

/** Largest difference between what a model predicts and what its graph computes, as a share of 1 g or the mass. */
export async function graphError(model: FittedModel, inputs: Matrix): Promise<number> {
  const computed = await runGraph(inputs, model.graph().masses);
  const predicted = (await predictRows(model, inputs)).flatMap(targetsToArray);
  return Math.max(
    ...predicted.map((mass, index) => Math.abs(mass - (computed[index] ?? Number.NaN)) / Math.max(1, mass)),
  );
}
