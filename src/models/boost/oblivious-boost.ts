import { join } from 'node:path';
import type { Matrix } from '../../data/features.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { targetsFromTable } from '../components-table.ts';
import type { Estimator, FitContext, FittedModel } from '../estimator.ts';
import { requireWidth } from '../feature-width.ts';
import { catBoostGraph } from '../symbolic/boosted.ts';
import { massesFromComponents } from '../symbolic/masses.ts';
import type { ObliviousBoostSettings } from './boost-settings.ts';
import { type BoostTraining, boostTraining, requireFitting, stoppingPoint } from './boost-training.ts';
import { type CatBoostModel, predictCatBoost } from './catboost-model.ts';
import { parseCatBoost } from './catboost-read.ts';
import { formatCatBoost } from './catboost-write.ts';
import { readText } from './leafwise-boost.ts';
import { trainOblivious } from './oblivious.ts';
import type { ObliviousTree } from './oblivious-tree.ts';

const FILE_NAME = 'model.json';

/**
 * Boosted symmetric trees for green, dead and clover, whose splits they share; sums are derived. Members of
 * different seeds are averaged. Stored as one CatBoost JSON file of three outputs in grams, `model.json`.
 *
 * @throws UsageError when settings do not fit together
 */
export function obliviousBoost(settings: ObliviousBoostSettings): Estimator<Matrix> {
  requireFitting(settings);
  return {
    async fit(training, context) {
      const prepared = boostTraining(training, settings);
      let length: number | null = settings.iterations;
      if (settings.odWait > 0) {
        length = stoppingPoint(training, prepared, settings, context, (kept, held) => {
          const random = context.random.fork('stop');
          const validation = { inputs: held.inputs, targets: held.outputs };
          return trainOblivious(dataOf(kept, settings), settings, random, validation).model.trees.length;
        });
      }
      const parameters = { ...settings, iterations: length ?? settings.iterations };
      return fitted(trainMembers(prepared, parameters, context));
    },
    async read(folder) {
      const path = join(folder, FILE_NAME);
      return fitted(parseCatBoost(await readText(path), path));
    },
  };
}

function trainMembers(
  prepared: BoostTraining,
  settings: ObliviousBoostSettings,
  context: FitContext,
): CatBoostModel {
  const models = Array.from({ length: settings.members }, (_, member) => {
    const training = trainOblivious(
      dataOf(prepared, settings),
      settings,
      context.random.fork(`member ${member}`),
      null,
      // Members must have the same columns, or their trees could not stand in one model.
      context.random.fork('statistics'),
    );
    const { model, trainingLoss } = training;
    context.record({ member, trees: model.trees.length, trainingLoss: trainingLoss.at(-1) ?? Number.NaN });
    return model;
  });
  const [first] = models;
  if (!first) throw new RangeError('boosting needs at least one member');
  const toGrams = (values: ArrayLike<number>, factor: number): Float64Array =>
    inGrams(
      Float64Array.from(values, (value) => value * factor),
      prepared.basis.toComponents,
    );
  return {
    ...first,
    // Members start from the same constant.
    bias: [...toGrams(first.bias, 1)],
    trees: models.flatMap(({ trees }) =>
      trees.map(
        (tree): ObliviousTree => ({ ...tree, leafValues: toGrams(tree.leafValues, 1 / models.length) }),
      ),
    ),
  };
}

/** Turns groups of outputs into components. */
function inGrams(values: Float64Array, toComponents: readonly (readonly number[])[]): Float64Array {
  const outputs = toComponents.length;
  return values.map((_, at) => {
    const from = at - (at % outputs);
    const weights = toComponents[at % outputs] ?? [];
    return weights.reduce((sum, weight, output) => sum + weight * (values[from + output] as number), 0);
  });
}

function dataOf(
  { inputs, outputs, weights }: BoostTraining,
  { categorical }: ObliviousBoostSettings,
): Parameters<typeof trainOblivious>[0] {
  return { inputs, targets: outputs, weights, categorical };
}

function fitted(model: CatBoostModel): FittedModel<Matrix> {
  const width = model.floats.length + model.categories.length;
  return {
    async predict(inputs) {
      requireWidth(inputs, width);
      return targetsFromTable(predictCatBoost(model, inputs));
    },
    graph: (features) => massesFromComponents(catBoostGraph(model, features)),
    write: (folder) => writeFileAtomically(join(folder, FILE_NAME), formatCatBoost(model)),
  };
}
