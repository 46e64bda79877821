import type { Matrix } from '../data/features.ts';
import { InputError } from '../ground/errors.ts';
import type { Targets } from '../pasture/targets.ts';
import { columnMeans, componentsTable, shiftRows, targetsFromTable } from './components-table.ts';
import type { Estimator, FittedModel, TrainingSet } from './estimator.ts';
import { chooseByGroupedValidation } from './grouped-search.ts';
import { gram } from './kernels.ts';
import { multiply, solveRegularised, transpose } from './linear-solve.ts';
import { readModelFile, rowVector, writeModelFile } from './model-file.ts';
import type { RidgeSettings } from './ridge-settings.ts';
import { sessionWeights } from './session-weights.ts';
import { fitStandardiser, standardise } from './standardise.ts';

const KIND = 'ridge';

interface RidgeParameters {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  readonly clip: number;
  /** [features, 3] */
  readonly coefficients: Matrix;
  /** Green, dead, clover at the mean features, grams. */
  readonly intercept: Float64Array;
}

/**
 * Linear ridge regression of green, dead and clover on standardised features, in closed form: minimises
 * Σ s (y − ȳ − zᵀB)² / d + λ‖B‖² with session weights s and d features. The penalty λ is chosen by inner
 * cross-validation that keeps sessions whole; sums are derived.
 */
export function ridge(settings: RidgeSettings): Estimator<Matrix> {
  return {
    async fit(training, context) {
      const penalty = chooseByGroupedValidation(
        settings.penalties,
        training,
        settings,
        context,
        (kept, held, penalties) => fitPath(kept, settings, penalties).map((model) => predict(model, held)),
        (candidate) => ({ penalty: candidate, curve: 'weighted R²' }),
      );
      const [parameters] = fitPath(training, settings, [penalty]);
      if (!parameters) throw new RangeError('a path of one penalty has one model');
      return fitted(parameters);
    },
    async read(folder) {
      const { matrices, texts } = await readModelFile(folder, KIND, [
        'mean',
        'scale',
        'coefficients',
        'intercept',
      ]);
      return fitted({
        mean: matrices.mean.data,
        scale: matrices.scale.data,
        clip: Number(texts.clip),
        coefficients: matrices.coefficients,
        intercept: matrices.intercept.data,
      });
    },
  };
}

/** One model a penalty; standardisation and products are computed once. */
function fitPath(
  training: TrainingSet<Matrix>,
  settings: RidgeSettings,
  penalties: readonly number[],
): RidgeParameters[] {
  const weights = sessionWeights(training.groups, settings.sessionWeight);
  const standardiser = fitStandardiser(training.inputs, weights);
  const features = standardise(training.inputs, standardiser, settings.clip);
  const masses = componentsTable(training.targets);
  const intercept = columnMeans(masses, weights);
  const centred = shiftRows(masses, intercept, -1);
  const solve =
    features.columns < features.rows
      ? primalPath(features, centred, weights)
      : dualPath(features, centred, weights);
  return penalties.map((penalty) => ({
    ...standardiser,
    clip: settings.clip,
    coefficients: solve(penalty),
    intercept,
  }));
}

/** (ZᵀSZ/d + λI) B = ZᵀSY/d */
export function primalPath(
  features: Matrix,
  centred: Matrix,
  weights: readonly number[],
): (penalty: number) => Matrix {
  const roots = weights.map(Math.sqrt);
  const weighted = transpose(scaleRows(features, roots));
  // A Gram matrix is symmetric to the last bit, which the solver insists on.
  const normal = scale(gram(weighted, weighted), features.rows / features.columns);
  const right = scale(multiply(weighted, scaleRows(centred, roots)), 1 / features.columns);
  return (penalty) => solveRegularised(normal, new Float64Array(features.columns).fill(penalty), right);
}

/** (ZZᵀ/d + λS⁻¹) A = Y, B = ZᵀA/d: the same B, cheaper where features outnumber photos. */
export function dualPath(
  features: Matrix,
  centred: Matrix,
  weights: readonly number[],
): (penalty: number) => Matrix {
  const products = gram(features, features);
  const transposed = scale(transpose(features), 1 / features.columns);
  return (penalty) => {
    const diagonal = weights.map((weight) => penalty / weight);
    return multiply(transposed, solveRegularised(products, diagonal, centred));
  };
}

function fitted(parameters: RidgeParameters): FittedModel<Matrix> {
  return {
    predict: async (inputs) => predict(parameters, inputs),
    write: (folder) =>
      writeModelFile(folder, KIND, {
        matrices: {
          mean: rowVector(parameters.mean),
          scale: rowVector(parameters.scale),
          coefficients: parameters.coefficients,
          intercept: rowVector(parameters.intercept),
        },
        texts: { clip: String(parameters.clip) },
      }),
  };
}

function predict(parameters: RidgeParameters, inputs: Matrix): Targets[] {
  requireWidth(inputs, parameters.mean.length);
  const features = standardise(inputs, parameters, parameters.clip);
  return targetsFromTable(shiftRows(multiply(features, parameters.coefficients), parameters.intercept, 1));
}

/** @throws InputError when features have another width than those trained on */
export function requireWidth(inputs: Matrix, width: number): void {
  if (inputs.columns === width) return;
  throw new InputError(
    'features',
    `have ${inputs.columns} columns, but the model was trained on ${width}`,
    'make them with the same backbone and settings',
  );
}

function scaleRows(matrix: Matrix, factors: readonly number[]): Matrix {
  const data = matrix.data.map((value, at) => value * (factors[Math.floor(at / matrix.columns)] as number));
  return { ...matrix, data };
}

function scale(matrix: Matrix, factor: number): Matrix {
  return { ...matrix, data: matrix.data.map((value) => value * factor) };
}
