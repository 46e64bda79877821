import { multiply, transpose } from '../../ground/linear-algebra.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { rowVector } from '../../ground/matrix.ts';
import { type Estimator, type FittedModel, fittedModel, rowEstimator } from '../../learning/estimator.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { targetsFromTable } from '../masses/components-table.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { type Standardiser, standardise } from '../standardise.ts';
import { addToRows, fitMachine } from './kernel-machine.ts';
import { linearMachineGraph } from './machine-graph.ts';
import type { RidgeSettings } from './settings.ts';

const KIND = 'ridge';

interface RidgeParameters extends Standardiser {
  readonly clip: number;
  /** [features, 3] */
  readonly coefficients: Matrix;
  /** Green, dead, clover at the mean features, grams. */
  readonly intercept: Float64Array;
}

/**
 * Linear ridge regression of green, dead and clover on standardised features, in closed form: minimises
 * Σ s (y − b − zᵀB)² / d + λ‖B‖² with session weights s and d features, through the linear kernel (see
 * `fitMachine`), B = Zᵀα / d. Sums are derived.
 */
export function ridge(settings: RidgeSettings): Estimator {
  return rowEstimator({
    async fit({ train }, { record }) {
      const { machine, leaveSessionsOut } = fitMachine(
        await train.rows(),
        { ...settings, kernels: ['linear'], gammas: [1] },
        record,
      );
      const { support, dual, ...linear } = machine;
      const sums = multiply(transpose(support), dual);
      const coefficients = { ...sums, data: sums.data.map((value) => value / support.columns) };
      return fitted({ ...linear, coefficients }, { leaveSessionsOut });
    },
    async read(folder) {
      const names = ['mean', 'scale', 'coefficients', 'intercept'] as const;
      const { matrices, texts } = await readModelFile(folder, KIND, names);
      return fitted({
        mean: matrices.mean.data,
        scale: matrices.scale.data,
        clip: Number(texts.clip),
        coefficients: matrices.coefficients,
        intercept: matrices.intercept.data,
      });
    },
  });
}

function fitted(
  parameters: RidgeParameters,
  beside: Partial<Pick<FittedModel, 'leaveSessionsOut'>> = {},
): FittedModel {
  const { mean, scale, clip, coefficients, intercept } = parameters;
  return fittedModel({
    async predict(samples) {
      const inputs = await samples.features();
      requireWidth(inputs, mean.length);
      const features = standardise(inputs, parameters, clip);
      return targetsFromTable(addToRows(multiply(features, coefficients), intercept));
    },
    graph: () => ({
      masses: (features) => massesFromComponents(linearMachineGraph(parameters, features)),
      viewFeatures: null,
    }),
    write: (folder) =>
      writeModelFile(folder, KIND, {
        matrices: {
          mean: rowVector(mean),
          scale: rowVector(scale),
          coefficients,
          intercept: rowVector(intercept),
        },
        texts: { clip: String(clip) },
      }),
    ...beside,
  });
}
