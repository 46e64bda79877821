import { float16FromFloat32, float32FromFloat16 } from '../../formats/tensors/half.ts';
import { UsageError } from '../../ground/errors.ts';
import { multiply } from '../../ground/linear-algebra.ts';
import { type Matrix, rowVector, takeColumns } from '../../ground/matrix.ts';
import { type Estimator, type FittedModel, fittedModel, rowEstimator } from '../../learning/estimator.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { measuredItems, photoWeights } from '../../learning/session-weights.ts';
import { reconcile } from '../../pasture/reconcile.ts';
import { TARGET_WEIGHTS, type Targets, targetsFromArray, targetsToArray } from '../../pasture/targets.ts';
import type { TrainingRows } from '../../samples/samples.ts';
import {
  add,
  gather,
  matmul,
  maximum,
  power as raised,
  type Tensor,
  multiply as times,
} from '../../tensor/index.ts';
import { candidateSolver, chooseCandidate, leftOutTogether } from '../kernel/candidates.ts';
import {
  besideCovariates,
  type CovariateKernel,
  covariateKernel,
  covariateMatrixNames,
  restoredCovariates,
  storedCovariates,
} from '../kernel/covariate-kernel.ts';
import { addToRows } from '../kernel/kernel-machine.ts';
import { innerProducts, KERNELS, type KernelName } from '../kernel/kernels.ts';
import {
  besideCovariatesGraph,
  doubles,
  innerProductsGraph,
  linearMachineGraph,
} from '../kernel/machine-graph.ts';
import { componentsTable, targetsFromTable } from '../masses/components-table.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import { reconcileGraph } from '../masses/reconcile-graph.ts';
import { placeMembers } from '../member-columns.ts';
import { readModelFile, writeModelFile } from '../model-file.ts';
import { fitPca } from '../reduction/pca.ts';
import { type Projection, project } from '../reduction/projection.ts';
import { PROJECTION_MATRICES, restoredProjection, storedProjection } from '../reduction/projection-file.ts';
import type { KernelAverageSettings, StoredPrecision } from './settings.ts';

const KIND = 'kernel-average';
/** Outputs of a model of green, dead and clover; one of all masses has five. */
const COMPONENTS = 3;

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
  /** [photos, outputs] */
  readonly dual: Matrix;
  readonly intercept: Float64Array;
  /** Null: it reads features alone. */
  readonly covariates: CovariateKernel | null;
  /** The power of masses that is regressed; 1: grams. */
  readonly power: number;
  /** What each output, raised to grams, is multiplied by; null where grams are regressed. [outputs] */
  readonly factors: Float64Array | null;
  /** What holds every value of coefficients and support. */
  readonly stored: StoredPrecision;
}

/**
 * Kernel ridge regression of green, dead and clover, or of all five masses, or of their roots, on the mean of several kernels: each
 * set of columns is standardised, reduced to principal components that are partly whitened, and gives one kernel.
 * A mean of kernels lets two photos be alike in some respects without being so in all, where few photos cannot tell
 * which of a thousand columns matter. Kernel, width and penalty are those with the best weighted R² in grams when
 * every session is left out in turn, in closed form; components, which know nothing of masses, are kept. Covariates
 * come beside each of them (`besideCovariates`), and by default count as much as one set of columns does.
 */
export function kernelAverage(settings: KernelAverageSettings): Estimator {
  return rowEstimator({
    async fit({ train }, { record }) {
      const training = await train.rows();
      const parts = partsOf(training, settings);
      const weights = photoWeights(training, settings.sessionWeight);
      const beside = training.covariates ? settings.withCovariates : {};
      const outputs = beside.outputs ?? settings.outputs;
      const table = outputs === 'masses' ? massesTable(training.targets) : componentsTable(training.targets);
      const isRoot = settings.scale === 'root';
      const power = isRoot ? (beside.power ?? settings.power) : 1;
      const own = parts.map(({ support }) => innerProducts(support, support));
      const covariates = covariateKernel(training.covariates, weights, settings, parts.length);
      const readings = covariates?.support ?? null;
      const solve = candidateSolver(
        (kernel, gamma) =>
          meanOf(
            parts,
            own.map((inner) => besideCovariates(kernel, gamma, inner, covariates, readings)),
          ),
        weights,
        onScale(table, power),
      );
      const sessions = leftOutTogether(training.groups);
      const plain = isRoot ? new Float64Array(table.columns).fill(1) : null;
      const chosen = chooseCandidate(
        training,
        settings,
        (candidate) => toMasses(toGrams(solve(candidate).withoutSessions(sessions), power, plain)),
        record,
      );
      const solution = solve(chosen);
      const leftOut = solution.withoutSessions(sessions);
      const factors =
        plain && settings.biasCorrection ? factorsOf(training, table, toGrams(leftOut, power, plain)) : plain;
      return fitted(
        {
          width: training.inputs.columns,
          parts,
          kernel: chosen.kernel,
          gamma: chosen.gamma,
          dual: solution.dual,
          intercept: solution.mean,
          covariates,
          power,
          factors,
          stored: settings.stored ?? 'float32',
        },
        () => toMasses(toGrams(leftOut, power, factors)),
      );
    },
    async read(folder) {
      return fitted(await readAverage(folder));
    },
  });
}

/** A factor that would change masses more than this tells of a fit gone wrong, not of its bias. */
const LARGEST_FACTOR = 2;

function partsOf(training: TrainingRows, { members, clip, stored }: KernelAverageSettings): Part[] {
  const rounded = ROUNDED[stored ?? 'float32'];
  const placed = placeMembers(members, training.inputs);
  const total = placed.reduce((sum, { weight }) => sum + weight, 0);
  return placed.map(({ member, columns, weight }) => {
    const { components = 0, whitening = 0 } = members[member] ?? {};
    const inputs = takeColumns(training.inputs, columns);
    const projection = toUnitSize(
      fitPca({ ...training, inputs }, { components, whiten: whitening, clip }),
      inputs,
      rounded,
    );
    return { columns, share: weight / total, projection, support: rounded(project(projection, inputs)) };
  });
}

/**
 * The projection whose scores of `inputs` have mean square 1, so that one kernel width suits every set; its
 * coefficients are `rounded`.
 */
function toUnitSize(projection: Projection, inputs: Matrix, rounded: (matrix: Matrix) => Matrix): Projection {
  const scores = project(projection, inputs).data;
  const size = Math.sqrt(scores.reduce((sum, score) => sum + score * score, 0) / scores.length);
  const { coefficients, intercept } = projection;
  return {
    ...projection,
    coefficients: rounded({ ...coefficients, data: coefficients.data.map((value) => value / size) }),
    intercept: intercept.map((value) => value / size),
  };
}

/** Rounded to what is stored: most of a model is its components, and their last digits say nothing. */
const ROUNDED: Readonly<Record<StoredPrecision, (matrix: Matrix) => Matrix>> = {
  float32: (matrix) => ({ ...matrix, data: matrix.data.map(Math.fround) }),
  float16: (matrix) => ({ ...matrix, data: inHalf(matrix.data) }),
};

/** @throws UsageError for values that half precision does not reach */
function inHalf(values: Float64Array): Float64Array {
  const halves = Float64Array.from(float32FromFloat16(float16FromFloat32(Float32Array.from(values))));
  if (halves.every(Number.isFinite)) return halves;
  throw new UsageError(
    'stored: float16 holds no number above 65,504, and a projection has one; leave it float32',
  );
}

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

function onScale(grams: Matrix, power: number): Matrix {
  return power === 1 ? grams : { ...grams, data: grams.data.map((mass) => rootOf(Math.max(0, mass), power)) };
}

/** Exactly the square root where that is asked for. */
const rootOf = (mass: number, power: number): number => (power === 0.5 ? Math.sqrt(mass) : mass ** power);

/** Values on the scale that is regressed in grams, as they are or raised; a negative root stands for nothing there. */
function toGrams(values: Matrix, power: number, factors: Float64Array | null): Matrix {
  if (factors === null) return values;
  const { columns } = values;
  const data = values.data.map(
    (value, at) => Math.max(0, value) ** (1 / power) * (factors[at % columns] as number),
  );
  return { ...values, data };
}

/** Physical masses of what is regressed, grams: five masses give way to their sums where that costs the metric least. */
function toMasses(grams: Matrix): Targets[] {
  if (grams.columns === COMPONENTS) return targetsFromTable(grams);
  return Array.from({ length: grams.rows }, (_, photo) =>
    reconcile(targetsFromArray(grams.data, photo * grams.columns), TARGET_WEIGHTS),
  );
}

/** All masses of each photo. [photos, 5] */
function massesTable(targets: readonly Targets[]): Matrix {
  const data = Float64Array.from(targets.flatMap(targetsToArray));
  return { rows: targets.length, columns: TARGET_WEIGHTS.length, data };
}

/**
 * By how much more of each output was measured than powers of predicted roots say for sessions left out: the
 * square of a mean is less than the mean of squares, and what follows of a paddock's mean would be too low. A factor
 * leaves nothing where nothing is predicted.
 */
function factorsOf({ measured }: TrainingRows, masses: Matrix, leftOut: Matrix): Float64Array {
  const photos = measuredItems(measured);
  const sum = ({ data, columns }: Matrix, output: number): number =>
    photos.reduce((total, photo) => total + (data[photo * columns + output] as number), 0);
  return Float64Array.from({ length: masses.columns }, (_, output) => {
    const predicted = sum(leftOut, output);
    if (!(predicted > 0)) return 1;
    return Math.min(LARGEST_FACTOR, Math.max(1 / LARGEST_FACTOR, sum(masses, output) / predicted));
  });
}

function fitted(model: AverageModel, leaveSessionsOut?: () => Targets[]): FittedModel {
  return fittedModel({
    predict: async (samples) =>
      toMasses(
        toGrams(valuesOf(model, await samples.features(), samples.covariates), model.power, model.factors),
      ),
    graph: () => ({
      masses: (features, covariates) => massesGraph(model, features, covariates),
      viewFeatures: null,
    }),
    write: (folder) => writeAverage(folder, model),
    ...(leaveSessionsOut && { leaveSessionsOut }),
  });
}

/** What is regressed, of photos. [photos, outputs] */
function valuesOf(model: AverageModel, inputs: Matrix, readings: Matrix | null): Matrix {
  const { width, parts, kernel, gamma, dual, intercept, covariates } = model;
  requireWidth(inputs, width);
  const kernels = parts.map(({ columns, projection, support }) => {
    const scores = project(projection, takeColumns(inputs, columns));
    return besideCovariates(kernel, gamma, innerProducts(scores, support), covariates, readings);
  });
  return addToRows(multiply(meanOf(parts, kernels), dual), intercept);
}

/** @returns `[batch, 5]` float64, grams */
function massesGraph(model: AverageModel, features: Tensor, readings: Tensor | undefined): Tensor {
  const { parts, kernel, gamma, dual, intercept, covariates, power, factors, stored } = model;
  const isHalf = stored === 'float16';
  const shares = parts.map(({ columns, share, projection, support }) => {
    const seen = gather(features, columns, 1);
    const scores = linearMachineGraph(projection, seen, isHalf ? 'float16' : 'float64');
    const inner = innerProductsGraph(scores, support, stored);
    return times(besideCovariatesGraph(kernel, gamma, inner, covariates, readings), share);
  });
  const similarities = shares.reduce((sum, part) => add(sum, part));
  const values = add(
    matmul(similarities, doubles(dual.data, [dual.rows, dual.columns])),
    doubles(intercept, [1, intercept.length]),
  );
  const grams =
    factors === null
      ? values
      : times(raised(maximum(values, 0), 1 / power), doubles(factors, [1, factors.length]));
  return dual.columns === COMPONENTS ? massesFromComponents(grams) : reconcileGraph(grams, TARGET_WEIGHTS);
}

/** How files name each precision. */
const NARROW = { float32: 'F32', float16: 'F16' } as const;

const PART_MATRICES = [...PROJECTION_MATRICES, 'support', 'columns'] as const;

function writeAverage(folder: string, model: AverageModel): Promise<void> {
  const { width, parts, kernel, gamma, dual, intercept, power, factors, stored: precision } = model;
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
    narrow: Object.fromEntries(
      parts.flatMap((_, index) =>
        [`${index}.coefficients`, `${index}.support`].map((name) => [name, NARROW[precision]]),
      ),
    ),
    texts: {
      width: String(width),
      kernel,
      gamma: String(gamma),
      power: String(power),
      clip: String(parts[0]?.projection.clip),
      ...(precision === 'float16' && { stored: precision }),
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
    // Models of before this was a setting: square roots, or grams.
    power: Number(texts.power ?? (matrices.factors.columns > 0 ? 0.5 : 1)),
    factors: matrices.factors.columns > 0 ? matrices.factors.data : null,
    stored: texts.stored === 'float16' ? 'float16' : 'float32',
  };
}
