import { multiply } from '../../ground/linear-algebra.ts';
import { type Matrix, rowVector, takeColumns } from '../../ground/matrix.ts';
import { type Estimator, type FittedModel, fittedModel, rowEstimator } from '../../learning/estimator.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { measuredItems, photoWeights } from '../../learning/session-weights.ts';
import type { Targets } from '../../pasture/targets.ts';
import type { TrainingRows } from '../../samples/samples.ts';
import { add, gather, matmul, maximum, square, type Tensor, multiply as times } from '../../tensor/index.ts';
import { candidateSolver, chooseCandidate, leftOutTogether } from '../kernel/candidates.ts';
import {
  besideCovariates,
  type CovariateKernel,
  covariateMatrixNames,
  covariateSupport,
  restoredCovariates,
  storedCovariates,
} from '../kernel/covariate-kernel.ts';
import { addToRows } from '../kernel/kernel-machine.ts';
import { gram, KERNELS, type KernelName, kernelMatrix, squaredNorms } from '../kernel/kernels.ts';
import {
  besideCovariatesGraph,
  doubles,
  linearMachineGraph,
  similarityGraph,
} from '../kernel/machine-graph.ts';
import { componentsTable, targetsFromTable } from '../masses/components-table.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import { placeMembers } from '../member-columns.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { fitPca } from '../reduction/pca.ts';
import { type Projection, project } from '../reduction/projection.ts';
import { PROJECTION_MATRICES, restoredProjection, storedProjection } from '../reduction/projection-file.ts';
import type { KernelAverageSettings } from './settings.ts';

const KIND = 'kernel-average';
const COMPONENTS = ['green', 'dead', 'clover'] as const;
const OUTPUTS = COMPONENTS.length;

/** One set of columns with what makes a kernel of it. */
interface Part {
  readonly columns: readonly number[];
  /** Its kernel's share of the mean; shares sum to 1. */
  readonly share: number;
  /** To components whose mean square over the training photos is 1. */
  readonly projection: Projection;
  /** Components of the training photos. [photos, components] */
  readonly support: Matrix;
}

interface AverageModel {
  /** Columns of the input. */
  readonly width: number;
  readonly parts: readonly Part[];
  readonly kernel: KernelName;
  readonly gamma: number;
  /** [photos, 3] */
  readonly dual: Matrix;
  readonly intercept: Float64Array;
  /** Null: it reads features alone. */
  readonly covariates: CovariateKernel | null;
  /** What the square of each component's root is multiplied by; null where grams are regressed. [3] */
  readonly factors: Float64Array | null;
}

/**
 * Kernel ridge regression of green, dead and clover, or of their square roots, on the mean of several kernels: each
 * set of columns is standardised, reduced to principal components that are partly whitened, and gives one kernel.
 * A mean of kernels lets two photos be alike in some respects without being so in all, where few photos cannot tell
 * which of a thousand columns matter. Kernel, width and penalty are those with the best weighted R² in grams when
 * every session is left out in turn, in closed form; components, which know nothing of masses, are kept. Covariates
 * are one more kernel, which counts as much as a set of columns does in the mean.
 */
export function kernelAverage(settings: KernelAverageSettings): Estimator {
  return rowEstimator({
    async fit({ train }, { record }) {
      const training = await train.rows();
      const parts = partsOf(training, settings);
      const weights = photoWeights(training, settings.sessionWeight);
      const masses = onScale(componentsTable(training.targets), settings);
      const own = parts.map(({ support }) => ({
        products: gram(support, support),
        norms: squaredNorms(support),
      }));
      const { covariateWeight = 1 } = settings;
      const share = covariateWeight / (parts.length + covariateWeight);
      const known = covariateSupport(training.covariates, weights, share);
      const covariatesWith = (gamma: number | null): CovariateKernel | null =>
        known && { ...known, gamma: gamma ?? 1 };
      const solve = candidateSolver(
        ({ kernel, gamma, covariateGamma }) =>
          besideCovariates(
            meanOf(
              parts,
              own.map(({ products, norms }) => kernelMatrix(kernel, gamma, products, norms, norms)),
            ),
            kernel,
            covariatesWith(covariateGamma),
            known?.support ?? null,
          ),
        weights,
        masses,
      );
      const sessions = leftOutTogether(training.groups);
      const plain = settings.scale === 'root' ? new Float64Array(OUTPUTS).fill(1) : null;
      const chosen = chooseCandidate(
        training,
        settings,
        (candidate) => toGrams(solve(candidate).withoutSessions(sessions), plain),
        record,
      );
      const solution = solve(chosen);
      const leftOut = solution.withoutSessions(sessions);
      const factors = plain && settings.biasCorrection ? factorsOf(training, toGrams(leftOut, plain)) : plain;
      return fitted(
        {
          width: training.inputs.columns,
          parts,
          kernel: chosen.kernel,
          gamma: chosen.gamma,
          dual: solution.dual,
          intercept: solution.mean,
          covariates: covariatesWith(chosen.covariateGamma),
          factors,
        },
        () => toGrams(leftOut, factors),
      );
    },
    async read(folder) {
      return fitted(await readAverage(folder));
    },
  });
}

/** A factor that would change masses more than this tells of a fit gone wrong, not of its bias. */
const LARGEST_FACTOR = 2;

function partsOf(training: TrainingRows, { members, clip }: KernelAverageSettings): Part[] {
  const placed = placeMembers(members, training.inputs);
  const total = placed.reduce((sum, { weight }) => sum + weight, 0);
  return placed.map(({ member, columns, weight }) => {
    const { components = 0, whitening = 0 } = members[member] ?? {};
    const inputs = takeColumns(training.inputs, columns);
    const projection = toUnitSize(
      fitPca({ ...training, inputs }, { components, whiten: whitening, clip }),
      inputs,
    );
    return { columns, share: weight / total, projection, support: inSingle(project(projection, inputs)) };
  });
}

/** The projection whose scores of `inputs` have mean square 1, so that one kernel width suits every set. */
function toUnitSize(projection: Projection, inputs: Matrix): Projection {
  const scores = project(projection, inputs).data;
  const size = Math.sqrt(scores.reduce((sum, score) => sum + score * score, 0) / scores.length);
  const { coefficients, intercept } = projection;
  return {
    ...projection,
    coefficients: inSingle({ ...coefficients, data: coefficients.data.map((value) => value / size) }),
    intercept: intercept.map((value) => value / size),
  };
}

/** Rounded to what is stored: most of a model is its components, and their last digits say nothing. */
const inSingle = (matrix: Matrix): Matrix => ({ ...matrix, data: matrix.data.map(Math.fround) });

/** The mean of kernels by their parts' shares. */
function meanOf(parts: readonly Part[], kernels: readonly Matrix[]): Matrix {
  const [{ rows, columns } = { rows: 0, columns: 0 }] = kernels;
  const data = new Float64Array(rows * columns);
  kernels.forEach((kernel, index) => {
    const { share } = parts[index] as Part;
    for (let at = 0; at < data.length; at++)
      data[at] = (data[at] as number) + share * (kernel.data[at] as number);
  });
  return { rows, columns, data };
}

function onScale(grams: Matrix, { scale }: Pick<KernelAverageSettings, 'scale'>): Matrix {
  return scale === 'grams'
    ? grams
    : { ...grams, data: grams.data.map((mass) => Math.sqrt(Math.max(0, mass))) };
}

/** Values on the scale that is regressed as masses; a negative root stands for nothing there. */
function toGrams(values: Matrix, factors: Float64Array | null): Targets[] {
  if (factors === null) return targetsFromTable(values);
  const data = values.data.map((value, at) => Math.max(0, value) ** 2 * (factors[at % OUTPUTS] as number));
  return targetsFromTable({ ...values, data });
}

/**
 * By how much more of each component was measured than the squares of predicted roots say for sessions left out: the
 * square of a mean is less than the mean of squares, and what follows of a paddock's mean would be too low. A factor
 * leaves nothing where nothing is predicted.
 */
function factorsOf({ targets, measured }: TrainingRows, leftOut: readonly Targets[]): Float64Array {
  const photos = measuredItems(measured);
  const sum = (masses: readonly Targets[], name: keyof Targets): number =>
    photos.reduce((total, photo) => total + (masses[photo]?.[name] ?? 0), 0);
  return Float64Array.from(COMPONENTS, (name) => {
    const predicted = sum(leftOut, name);
    if (!(predicted > 0)) return 1;
    return Math.min(LARGEST_FACTOR, Math.max(1 / LARGEST_FACTOR, sum(targets, name) / predicted));
  });
}

function fitted(model: AverageModel, leaveSessionsOut?: () => Targets[]): FittedModel {
  return fittedModel({
    predict: async (samples) =>
      toGrams(valuesOf(model, await samples.features(), samples.covariates), model.factors),
    graph: () => ({
      masses: (features, covariates) => massesGraph(model, features, covariates),
      viewFeatures: null,
    }),
    write: (folder) => writeAverage(folder, model),
    ...(leaveSessionsOut && { leaveSessionsOut }),
  });
}

/** What is regressed, of photos. [photos, 3] */
function valuesOf(model: AverageModel, inputs: Matrix, readings: Matrix | null): Matrix {
  const { width, parts, kernel, gamma, dual, intercept, covariates } = model;
  requireWidth(inputs, width);
  const kernels = parts.map(({ columns, projection, support }) => {
    const scores = project(projection, takeColumns(inputs, columns));
    return kernelMatrix(kernel, gamma, gram(scores, support), squaredNorms(scores), squaredNorms(support));
  });
  const similarities = besideCovariates(meanOf(parts, kernels), kernel, covariates, readings);
  return addToRows(multiply(similarities, dual), intercept);
}

/** @returns `[batch, 5]` float64, grams */
function massesGraph(
  { parts, kernel, gamma, dual, intercept, covariates, factors }: AverageModel,
  features: Tensor,
  readings: Tensor | undefined,
): Tensor {
  const shares = parts.map(({ columns, share, projection, support }) => {
    const scores = linearMachineGraph(projection, gather(features, columns, 1));
    return times(similarityGraph(kernel, gamma, scores, support), share);
  });
  const own = shares.reduce((sum, part) => add(sum, part));
  const similarities = besideCovariatesGraph(own, kernel, covariates, readings);
  const values = add(
    matmul(similarities, doubles(dual.data, [dual.rows, dual.columns])),
    doubles(intercept, [1, intercept.length]),
  );
  if (factors === null) return massesFromComponents(values);
  return massesFromComponents(times(square(maximum(values, 0)), doubles(factors, [1, OUTPUTS])));
}

const PART_MATRICES = [...PROJECTION_MATRICES, 'support', 'columns'] as const;

function writeAverage(folder: string, model: AverageModel): Promise<void> {
  const { width, parts, kernel, gamma, dual, intercept, factors } = model;
  const covariates = storedCovariates(model.covariates, '');
  const stored = parts.map(({ columns, projection, support }, index) => ({
    ...storedProjection(projection, `${index}.`),
    [`${index}.support`]: support,
    [`${index}.columns`]: rowVector(Float64Array.from(columns)),
  }));
  return writeModelFile(folder, KIND, {
    matrices: {
      ...Object.assign({}, ...stored),
      shares: rowVector(Float64Array.from(parts, ({ share }) => share)),
      dual,
      intercept: rowVector(intercept),
      factors: rowVector(factors ?? new Float64Array()),
      ...covariates.matrices,
    },
    single: parts.flatMap((_, index) => [`${index}.coefficients`, `${index}.support`]),
    texts: {
      width: String(width),
      kernel,
      gamma: String(gamma),
      clip: String(parts[0]?.projection.clip),
      ...covariates.texts,
    },
  });
}

async function readAverage(folder: string): Promise<AverageModel> {
  const { matrices, texts } = await readModelFile(folder, KIND, ['shares', 'dual', 'intercept', 'factors']);
  const shares = [...matrices.shares.data];
  const names = shares.flatMap((_, index) => PART_MATRICES.map((name) => `${index}.${name}`));
  const stored = (await readModelFile(folder, KIND, names, covariateMatrixNames(''))).matrices;
  return {
    width: Number(texts.width),
    parts: shares.map((share, index) => ({
      columns: [...(stored[`${index}.columns`] as Matrix).data],
      share,
      projection: restoredProjection(stored, Number(texts.clip), `${index}.`),
      support: stored[`${index}.support`] as Matrix,
    })),
    kernel: KERNELS.find((kernel) => kernel === texts.kernel) ?? 'linear',
    gamma: Number(texts.gamma),
    dual: matrices.dual,
    intercept: matrices.intercept.data,
    covariates: restoredCovariates({ matrices: stored, texts }, ''),
    factors: matrices.factors.columns > 0 ? matrices.factors.data : null,
  };
}
