import { multiply } from '../../ground/linear-algebra.ts';
import type { Matrix } from '../../ground/matrix.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { photoWeights } from '../../learning/session-weights.ts';
import type { Targets } from '../../pasture/targets.ts';
import type { TrainingRows } from '../../samples/samples.ts';
import { componentsTable, targetsFromTable } from '../masses/components-table.ts';
import { fitStandardiser, type Scaling, type Standardiser, standardise } from '../standardise.ts';
import { type CandidateSettings, candidateSolver, chooseCandidate, leftOutTogether } from './candidates.ts';
import {
  besideCovariates,
  type CovariateKernel,
  type CovariateKernelSettings,
  covariateKernel,
} from './covariate-kernel.ts';
import { innerProducts, type KernelName } from './kernels.ts';

/** What a machine tries and how it weighs photos. */
export interface MachineSettings extends CandidateSettings, CovariateKernelSettings {
  readonly sessionWeight: number;
  readonly clip: number;
  /** Default: `columns`. */
  readonly scaling?: Scaling | undefined;
}

/** A trained kernel regression of green, dead and clover. */
export interface KernelMachine extends Standardiser {
  readonly clip: number;
  readonly kernel: KernelName;
  readonly gamma: number;
  /** Standardised training features, [photos, features]. */
  readonly support: Matrix;
  /** [photos, 3] */
  readonly dual: Matrix;
  /** Green, dead and clover where nothing resembles the training photos, grams. */
  readonly intercept: Float64Array;
  /** Null: it reads features alone. */
  readonly covariates: CovariateKernel | null;
}

/** A machine with what only fitting knows. */
export interface FittedMachine {
  readonly machine: KernelMachine;
  /** What the machine would predict of each training photo without its session. */
  leaveSessionsOut(): Targets[];
}

/**
 * Kernel ridge regression of green, dead and clover on standardised features. Kernel, width and penalty are
 * those with the best weighted R² when every session is left out in turn (every photo, where there is but one
 * session). One metric line a penalty is recorded, with a score for each kernel and width.
 */
export function fitMachine(
  training: TrainingRows,
  settings: MachineSettings,
  record: (line: MetricLine) => void,
): FittedMachine {
  const weights = photoWeights(training, settings.sessionWeight);
  const standardiser = fitStandardiser(training.inputs, weights, settings.scaling);
  // Large components are not outliers.
  const clip = settings.scaling === 'together' ? Number.POSITIVE_INFINITY : settings.clip;
  const support = standardise(training.inputs, standardiser, clip);
  const masses = componentsTable(training.targets);
  const own = innerProducts(support, support);
  const covariates = covariateKernel(training.covariates, weights, settings);
  const solve = candidateSolver(
    (kernel, gamma) => besideCovariates(kernel, gamma, own, covariates, covariates?.support ?? null),
    weights,
    masses,
  );
  const sessions = leftOutTogether(training.groups);
  const chosen = chooseCandidate(
    training,
    settings,
    (candidate) => targetsFromTable(solve(candidate).withoutSessions(sessions)),
    record,
  );
  const solution = solve(chosen);
  return {
    machine: {
      ...standardiser,
      clip,
      kernel: chosen.kernel,
      gamma: chosen.gamma,
      support,
      dual: solution.dual,
      intercept: solution.mean,
      covariates,
    },
    leaveSessionsOut: () => targetsFromTable(solution.withoutSessions(sessions)),
  };
}

/**
 * Green, dead and clover of photos, grams, free to be negative. [photos, 3]
 *
 * @param covariates of the photos, where the machine reads any
 * @throws InputError when features have another width than those trained on
 */
export function machineComponents(machine: KernelMachine, inputs: Matrix, covariates: Matrix | null): Matrix {
  requireWidth(inputs, machine.mean.length);
  const features = standardise(inputs, machine, machine.clip);
  const inner = innerProducts(features, machine.support);
  const similarities = besideCovariates(machine.kernel, machine.gamma, inner, machine.covariates, covariates);
  return addToRows(multiply(similarities, machine.dual), machine.intercept);
}

/** Adds `offsets` to every row. */
export function addToRows(table: Matrix, offsets: Float64Array): Matrix {
  return { ...table, data: table.data.map((value, at) => value + (offsets[at % table.columns] as number)) };
}
