import type { Matrix } from '../data/features.ts';
import { targetsFromTable } from './components-table.ts';
import type { Estimator, FittedModel } from './estimator.ts';
import { fitMachine, type KernelMachine, machineComponents } from './kernel-machine.ts';
import { machineMatrixNames, restoredMachine, storedMachine } from './machine-file.ts';
import { readModelFile, writeModelFile } from './model-file.ts';
import type { KernelRidgeSettings } from './ridge-settings.ts';
import { machineGraph } from './symbolic/machine.ts';
import { massesFromComponents } from './symbolic/masses.ts';

const KIND = 'kernel-ridge';

/** Kernel ridge regression of green, dead and clover (see `fitMachine`); sums are derived. */
export function kernelRidge(settings: KernelRidgeSettings): Estimator<Matrix> {
  return {
    async fit(training, { record }) {
      const { machine, leaveSessionsOut } = fitMachine(training, settings, record);
      return { ...fitted(machine), leaveSessionsOut };
    },
    read: async (folder) =>
      fitted(restoredMachine(await readModelFile(folder, KIND, machineMatrixNames('')), '')),
  };
}

function fitted(machine: KernelMachine): FittedModel<Matrix> {
  return {
    predict: async (inputs) => targetsFromTable(machineComponents(machine, inputs)),
    graph: (features) => massesFromComponents(machineGraph(machine, features)),
    write: (folder) => writeModelFile(folder, KIND, storedMachine(machine, '')),
  };
}
