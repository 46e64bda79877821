import type { Matrix } from '../../ground/matrix.ts';
import type { Estimator, FittedModel } from '../../learning/estimator.ts';
import { targetsFromTable } from '../masses/components-table.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { fitMachine, type KernelMachine, machineComponents } from './kernel-machine.ts';
import { machineMatrixNames, restoredMachine, storedMachine } from './machine-file.ts';
import { machineGraph } from './machine-graph.ts';
import type { KernelRidgeSettings } from './settings.ts';

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
