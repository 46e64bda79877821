import { type Estimator, type FittedModel, fittedModel, rowEstimator } from '../../learning/estimator.ts';
import { targetsFromTable } from '../masses/components-table.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { covariateMatrixNames } from './covariate-kernel.ts';
import { fitMachine, type KernelMachine, machineComponents } from './kernel-machine.ts';
import { machineMatrixNames, restoredMachine, storedMachine } from './machine-file.ts';
import { machineGraph } from './machine-graph.ts';
import type { KernelRidgeSettings } from './settings.ts';

const KIND = 'kernel-ridge';

/** Kernel ridge regression of green, dead and clover (see `fitMachine`); sums are derived. */
export function kernelRidge(settings: KernelRidgeSettings): Estimator {
  return rowEstimator({
    async fit({ train }, { record }) {
      const { machine, leaveSessionsOut } = fitMachine(await train.rows(), settings, record);
      return fitted(machine, { leaveSessionsOut });
    },
    async read(folder) {
      const stored = await readModelFile(folder, KIND, machineMatrixNames(''), covariateMatrixNames(''));
      return fitted(restoredMachine(stored, ''));
    },
  });
}

function fitted(
  machine: KernelMachine,
  beside: Partial<Pick<FittedModel, 'leaveSessionsOut'>> = {},
): FittedModel {
  return fittedModel({
    predict: async (samples) =>
      targetsFromTable(machineComponents(machine, await samples.features(), samples.covariates)),
    graph: () => ({
      masses: (features, covariates) => massesFromComponents(machineGraph(machine, features, covariates)),
      viewFeatures: null,
    }),
    write: (folder) => writeModelFile(folder, KIND, storedMachine(machine, '')),
    ...beside,
  });
}
