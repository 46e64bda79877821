import type { Matrix } from '../data/features.ts';
import type { Targets } from '../pasture/targets.ts';
import { columnMeans, componentsTable, shiftRows, targetsFromTable } from './components-table.ts';
import type { Estimator, FittedModel, TrainingSet } from './estimator.ts';
import { chooseByGroupedValidation } from './grouped-search.ts';
import { gram, KERNELS, type KernelName, kernelMatrix, squaredNorms } from './kernels.ts';
import { multiply, solveRegularised } from './linear-solve.ts';
import { readModelFile, rowVector, writeModelFile } from './model-file.ts';
import { requireWidth } from './ridge.ts';
import type { KernelRidgeSettings } from './ridge-settings.ts';
import { sessionWeights } from './session-weights.ts';
import { fitStandardiser, type Standardiser, standardise } from './standardise.ts';

const KIND = 'kernel-ridge';

interface Candidate {
  readonly kernel: KernelName;
  readonly gamma: number;
  readonly penalty: number;
}

interface KernelParameters extends Standardiser {
  readonly clip: number;
  readonly kernel: KernelName;
  readonly gamma: number;
  /** Standardised training features, [photos, features]. */
  readonly support: Matrix;
  /** [photos, 3] */
  readonly dual: Matrix;
  /** Green, dead, clover far away from all training photos, grams. */
  readonly intercept: Float64Array;
}

/**
 * Kernel ridge regression of green, dead and clover: (K + λS⁻¹) A = Y − ȳ on standardised features, with
 * session weights S. Kernel, width and penalty are chosen together by inner cross-validation that keeps
 * sessions whole; sums are derived.
 */
export function kernelRidge(settings: KernelRidgeSettings): Estimator<Matrix> {
  const candidates = candidatesOf(settings);
  return {
    async fit(training, context) {
      const chosen = chooseByGroupedValidation(
        candidates,
        training,
        settings,
        context,
        (kept, held, tried) => {
          const problem = prepare(kept, settings);
          const against = predictor(problem, held);
          return tried.map((candidate) => against(candidate, solveDual(problem, candidate)));
        },
        ({ kernel, gamma, penalty }) => ({
          penalty,
          curve: kernel === 'linear' ? 'weighted R², linear' : `weighted R², ${kernel} γ ${gamma}`,
        }),
      );
      const problem = prepare(training, settings);
      return fitted({ ...problem, ...chosen, dual: solveDual(problem, chosen) });
    },
    async read(folder) {
      const { matrices, texts } = await readModelFile(folder, KIND, [
        'mean',
        'scale',
        'support',
        'dual',
        'intercept',
      ]);
      return fitted({
        mean: matrices.mean.data,
        scale: matrices.scale.data,
        support: matrices.support,
        dual: matrices.dual,
        intercept: matrices.intercept.data,
        clip: Number(texts.clip),
        gamma: Number(texts.gamma),
        kernel: KERNELS.find((kernel) => kernel === texts.kernel) ?? 'linear',
      });
    },
  };
}

function candidatesOf({ kernels, gammas, penalties }: KernelRidgeSettings): Candidate[] {
  return kernels.flatMap((kernel) => {
    // The linear kernel has no width.
    const widths = kernel === 'linear' ? [1] : gammas;
    return widths.flatMap((gamma) => penalties.map((penalty) => ({ kernel, gamma, penalty })));
  });
}

interface Problem extends Standardiser {
  readonly clip: number;
  readonly support: Matrix;
  readonly products: Matrix;
  readonly norms: Float64Array;
  readonly centred: Matrix;
  readonly intercept: Float64Array;
  readonly weights: readonly number[];
}

function prepare(training: TrainingSet<Matrix>, settings: KernelRidgeSettings): Problem {
  const weights = sessionWeights(training.groups, settings.sessionWeight);
  const standardiser = fitStandardiser(training.inputs, weights);
  const support = standardise(training.inputs, standardiser, settings.clip);
  const masses = componentsTable(training.targets);
  const intercept = columnMeans(masses, weights);
  return {
    ...standardiser,
    clip: settings.clip,
    support,
    products: gram(support, support),
    norms: squaredNorms(support),
    centred: shiftRows(masses, intercept, -1),
    intercept,
    weights,
  };
}

function solveDual(problem: Problem, { kernel, gamma, penalty }: Candidate): Matrix {
  const { products, norms, weights, centred } = problem;
  return solveRegularised(
    kernelMatrix(kernel, gamma, products, norms, norms),
    weights.map((weight) => penalty / weight),
    centred,
  );
}

/** Predicts the same photos with many candidates; products with the training photos are computed once. */
function predictor(
  problem: Pick<Problem, 'mean' | 'scale' | 'clip' | 'support' | 'intercept'>,
  inputs: Matrix,
): (candidate: Pick<Candidate, 'kernel' | 'gamma'>, dual: Matrix) => Targets[] {
  requireWidth(inputs, problem.support.columns);
  const features = standardise(inputs, problem, problem.clip);
  const products = gram(features, problem.support);
  const left = squaredNorms(features);
  const right = squaredNorms(problem.support);
  return ({ kernel, gamma }, dual) => {
    const similarities = kernelMatrix(kernel, gamma, products, left, right);
    return targetsFromTable(shiftRows(multiply(similarities, dual), problem.intercept, 1));
  };
}

function fitted(parameters: KernelParameters): FittedModel<Matrix> {
  return {
    predict: async (inputs) => predictor(parameters, inputs)(parameters, parameters.dual),
    write: (folder) =>
      writeModelFile(folder, KIND, {
        matrices: {
          mean: rowVector(parameters.mean),
          scale: rowVector(parameters.scale),
          support: parameters.support,
          dual: parameters.dual,
          intercept: rowVector(parameters.intercept),
        },
        texts: {
          clip: String(parameters.clip),
          gamma: String(parameters.gamma),
          kernel: parameters.kernel,
        },
      }),
  };
}
