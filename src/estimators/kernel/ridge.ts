import { multiply, transpose } from '../../ground/linear-algebra.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { rowVector } from '../../ground/matrix.ts';
import { type Estimator, type FittedModel, fittedModel, rowEstimator } from '../../learning/estimator.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { add } from '../../tensor/index.ts';
import { targetsFromTable } from '../masses/components-table.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { type Standardiser, standardise } from '../standardise.ts';
import { COVARIATE_CLIP } from './covariate-kernel.ts';
import { addToRows, fitMachine } from './kernel-machine.ts';
import { linearMachineGraph } from './machine-graph.ts';
import type { RidgeSettings } from './settings.ts';

const KIND = 'ridge';
const COVARIATE_PARTS = ['covariates.mean', 'covariates.scale', 'covariates.coefficients'];

interface LinearPart extends Standardiser {
  readonly clip: number;
  /** [columns, 3] */
  readonly coefficients: Matrix;
}

interface RidgeParameters extends LinearPart {
  /** Null: it reads features alone. */
  readonly covariates: LinearPart | null;
  /** Green, dead, clover at the mean features, grams. */
  readonly intercept: Float64Array;
}

/**
 * Linear ridge regression of green, dead and clover on standardised features, in closed form: minimises
 * Σ s (y − b − zᵀB)² / d + λ‖B‖² with session weights s and d features, through the linear kernel (see
 * `fitMachine`), B = Zᵀα / d. Covariates are columns of their own, which weigh together as much as all features do.
 * Sums are derived.
 */
export function ridge(settings: RidgeSettings): Estimator {
  return rowEstimator({
    async fit({ train }, { record }) {
      const { machine, leaveSessionsOut } = fitMachine(
        await train.rows(),
        { ...settings, kernels: ['linear'], gammas: [1] },
        record,
      );
      const { support, dual, covariates, ...linear } = machine;
      const coefficientsOf = (rows: Matrix, share: number): Matrix => {
        const sums = multiply(transpose(rows), dual);
        return { ...sums, data: sums.data.map((value) => (share * value) / rows.columns) };
      };
      return fitted(
        {
          ...linear,
          coefficients: coefficientsOf(support, 1 - (covariates?.share ?? 0)),
          covariates: covariates && {
            ...covariates,
            clip: COVARIATE_CLIP,
            coefficients: coefficientsOf(covariates.support, covariates.share),
          },
        },
        { leaveSessionsOut },
      );
    },
    async read(folder) {
      const names = ['mean', 'scale', 'coefficients', 'intercept'] as const;
      const { matrices, texts } = await readModelFile(folder, KIND, names, COVARIATE_PARTS);
      const [mean, scale, coefficients] = COVARIATE_PARTS.map((name) => matrices[name]);
      return fitted({
        mean: matrices.mean.data,
        scale: matrices.scale.data,
        clip: Number(texts.clip),
        coefficients: matrices.coefficients,
        intercept: matrices.intercept.data,
        covariates:
          mean && scale && coefficients
            ? { mean: mean.data, scale: scale.data, clip: COVARIATE_CLIP, coefficients }
            : null,
      });
    },
  });
}

function fitted(
  parameters: RidgeParameters,
  beside: Partial<Pick<FittedModel, 'leaveSessionsOut'>> = {},
): FittedModel {
  const { mean, scale, clip, coefficients, intercept, covariates } = parameters;
  return fittedModel({
    async predict(samples) {
      const inputs = await samples.features();
      requireWidth(inputs, mean.length);
      const features = standardise(inputs, parameters, clip);
      const sums = addToRows(multiply(features, coefficients), intercept);
      if (!covariates) return targetsFromTable(sums);
      const readings = samples.covariates;
      if (!readings) throw new RangeError('the model reads covariates, and is shown none');
      const further = multiply(standardise(readings, covariates, covariates.clip), covariates.coefficients);
      return targetsFromTable({
        ...sums,
        data: sums.data.map((value, at) => value + (further.data[at] as number)),
      });
    },
    graph: () => ({
      masses(features, readings) {
        const sums = linearMachineGraph(parameters, features);
        if (!covariates) return massesFromComponents(sums);
        if (!readings) throw new RangeError('the model reads covariates, and is shown none');
        const further = linearMachineGraph({ ...covariates, intercept: new Float64Array(3) }, readings);
        return massesFromComponents(add(sums, further));
      },
      viewFeatures: null,
    }),
    write: (folder) =>
      writeModelFile(folder, KIND, {
        matrices: {
          mean: rowVector(mean),
          scale: rowVector(scale),
          coefficients,
          intercept: rowVector(intercept),
          ...(covariates && {
            'covariates.mean': rowVector(covariates.mean),
            'covariates.scale': rowVector(covariates.scale),
            'covariates.coefficients': covariates.coefficients,
          }),
        },
        texts: { clip: String(clip) },
      }),
    ...beside,
  });
}
