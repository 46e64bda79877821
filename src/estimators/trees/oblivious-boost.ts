import { join } from 'node:path';
import { writeFileAtomically } from '../../ground/files.ts';
import {
  type Estimator,
  type FitContext,
  type FittedModel,
  fittedModel,
  rowEstimator,
} from '../../learning/estimator.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { targetsFromTable } from '../masses/components-table.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import type { ObliviousBoostSettings } from './boost-settings.ts';
import {
  type BoostTraining,
  boostTraining,
  fittingWork,
  readModelText,
  requireColumns,
  requireFitting,
  stoppingPoint,
} from './boost-training.ts';
import { catBoostGraph } from './boosted-graph.ts';
import { type CatBoostModel, type ObliviousTree, predictCatBoost } from './catboost-model.ts';
import { parseCatBoost } from './catboost-read.ts';
import { formatCatBoost } from './catboost-write.ts';
import { THREADS_PAY_FROM, type Train, withTrainers } from './trainers.ts';

const FILE_NAME = 'model.json';

/**
 * Boosted symmetric trees for green, dead and clover, whose splits they share; sums are derived. Members of
 * different seeds are averaged. Stored as one CatBoost JSON file of three outputs in grams, `model.json`.
 *
 * @param threadsFrom values to look at from which trainings are spread over threads
 * @throws UsageError when settings do not fit together
 */
export function obliviousBoost(settings: ObliviousBoostSettings, threadsFrom = THREADS_PAY_FROM): Estimator {
  requireFitting(settings);
  const stops = settings.odWait > 0;
  return rowEstimator({
    requireData: async (_, sets) =>
      requireColumns(
        settings,
        sets.reduce((sum, { columns }) => sum + columns, 0),
      ),
    async fit({ train: samples }, context) {
      const training = await samples.rows();
      const prepared = boostTraining(training, settings);
      const { rows, columns } = prepared.inputs;
      const { depth, iterations, rsm } = settings;
      const values = rows * columns * rsm * depth * iterations * prepared.targets.columns;
      const grow = async (train: Train): Promise<FittedModel> => {
        const length = stops
          ? await stoppingPoint(training, prepared, settings, context, async (kept, held) => {
              const { model } = await train({
                grower: 'oblivious',
                data: kept,
                parameters: settings,
                random: { seed: context.random.seed, label: 'stop' },
                validation: held,
              });
              return model.trees.length;
            })
          : null;
        const parameters = { ...settings, iterations: length ?? iterations };
        return fitted(await trainMembers(prepared, parameters, context, train));
      };
      return withTrainers(fittingWork(settings, 1, stops, values), threadsFrom, grow, context.onProgress);
    },
    async read(folder) {
      return fitted(await readModel(folder));
    },
  });
}

/** The model in the folder of a fitted model. @throws InputError when it cannot be read */
export async function readModel(folder: string): Promise<CatBoostModel> {
  const path = join(folder, FILE_NAME);
  return parseCatBoost(await readModelText(path), path);
}

async function trainMembers(
  prepared: BoostTraining,
  settings: ObliviousBoostSettings,
  context: FitContext,
  train: Train,
): Promise<CatBoostModel> {
  const { seed } = context.random;
  const trainings = await Promise.all(
    Array.from({ length: settings.members }, (_, member) =>
      train({
        grower: 'oblivious',
        data: prepared,
        parameters: settings,
        random: { seed, label: `member ${member}` },
        // Members must have the same columns, or their trees could not stand in one model.
        statisticsRandom: { seed, label: 'statistics' },
      }),
    ),
  );
  trainings.forEach(({ model, trainingLoss }, member) => {
    context.record({ member, trees: model.trees.length, trainingLoss: trainingLoss.at(-1) ?? Number.NaN });
  });
  const models = trainings.map(({ model }) => model);
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

function fitted(model: CatBoostModel): FittedModel {
  const width = model.floats.length + model.categories.length;
  return fittedModel({
    async predict(samples) {
      const inputs = await samples.features();
      requireWidth(inputs, width);
      return targetsFromTable(predictCatBoost(model, inputs));
    },
    graph: () => ({
      masses: (features) => massesFromComponents(catBoostGraph(model, features)),
      viewFeatures: null,
    }),
    write: (folder) => writeFileAtomically(join(folder, FILE_NAME), formatCatBoost(model)),
  });
}
