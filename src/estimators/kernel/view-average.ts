import { type Matrix, takeColumns } from '../../ground/matrix.ts';
import { type Estimator, type FittedModel, fittedModel, rowEstimator } from '../../learning/estimator.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import type { Targets } from '../../pasture/targets.ts';
import { add, gather, multiply, type Tensor } from '../../tensor/index.ts';
import { DESCRIPTOR_NAMES, type DescriptorView, viewColumns } from '../../vision/descriptors/index.ts';
import { targetsFromTable } from '../masses/components-table.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { covariateMatrixNames } from './covariate-kernel.ts';
import { fitMachine, type KernelMachine, machineComponents } from './kernel-machine.ts';
import { machineMatrixNames, restoredMachine, storedMachine } from './machine-file.ts';
import { machineGraph } from './machine-graph.ts';
import type { ViewAverageSettings } from './settings.ts';

const KIND = 'view-average';

interface Member {
  readonly view: DescriptorView;
  readonly weight: number;
  readonly machine: KernelMachine;
}

/**
 * One kernel regression a view of the descriptors, each with its own kernel and penalty; components are the
 * weighted mean of the members', sums are derived. Few photos cannot tell 290 descriptors apart; views that
 * err differently make up for one another.
 */
export function viewAverage(settings: ViewAverageSettings): Estimator {
  return rowEstimator({
    async requireData(_, sets) {
      const columns = sets.reduce((sum, set) => sum + set.columns, 0);
      requireWidth({ rows: 0, columns, data: new Float64Array() }, DESCRIPTOR_NAMES.length);
    },
    async fit({ train }, { record }) {
      const { members: _, kind: __, ...shared } = settings;
      const training = await train.rows();
      requireWidth(training.inputs, DESCRIPTOR_NAMES.length);
      const members = settings.members.map(({ view, weight, ...tried }) => ({
        view,
        weight,
        machine: fitMachine(
          { ...training, inputs: takeColumns(training.inputs, viewColumns(view)) },
          { ...shared, ...tried },
          ({ penalty = Number.NaN, ...scores }) => record({ penalty, ...named(scores, view) }),
        ).machine,
      }));
      return fitted(members);
    },
    async read(folder) {
      const names = settings.members.flatMap(({ view }) => machineMatrixNames(`${view}.`));
      const further = settings.members.flatMap(({ view }) => covariateMatrixNames(`${view}.`));
      const model = await readModelFile(folder, KIND, names, further);
      return fitted(
        settings.members.map(({ view, weight }) => ({
          view,
          weight,
          machine: restoredMachine(model, `${view}.`),
        })),
      );
    },
  });
}

function fitted(members: readonly Member[]): FittedModel {
  return fittedModel({
    predict: async (samples) => predict(members, await samples.features(), samples.covariates),
    graph: () => ({
      masses: (features, readings) => massesGraph(members, features, readings),
      viewFeatures: null,
    }),
    write: (folder) => {
      const stored = members.map(({ view, machine }) => storedMachine(machine, `${view}.`));
      return writeModelFile(folder, KIND, {
        matrices: Object.assign({}, ...stored.map(({ matrices }) => matrices)),
        texts: Object.assign({}, ...stored.map(({ texts }) => texts)),
      });
    },
  });
}

/** @returns `[batch, 5]` float64, grams */
function massesGraph(members: readonly Member[], features: Tensor, covariates?: Tensor): Tensor {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const shares = members.map(({ view, weight, machine }) =>
    multiply(machineGraph(machine, gather(features, viewColumns(view), 1), covariates), weight / total),
  );
  return massesFromComponents(shares.reduce((sum, share) => add(sum, share)));
}

function predict(members: readonly Member[], inputs: Matrix, covariates: Matrix | null): Targets[] {
  requireWidth(inputs, DESCRIPTOR_NAMES.length);
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const mean = { rows: inputs.rows, columns: 3, data: new Float64Array(inputs.rows * 3) };
  for (const { view, weight, machine } of members) {
    const { data } = machineComponents(machine, takeColumns(inputs, viewColumns(view)), covariates);
    data.forEach((value, at) => {
      mean.data[at] = (mean.data[at] as number) + (weight / total) * value;
    });
  }
  return targetsFromTable(mean);
}

function named(scores: Readonly<Record<string, number>>, view: string): Record<string, number> {
  return Object.fromEntries(Object.entries(scores).map(([curve, score]) => [`${curve}, ${view}`, score]));
}
