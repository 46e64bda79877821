import { multiply } from '../../ground/linear-algebra.ts';
import type { Matrix } from '../../ground/matrix.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { measuredItems, photoWeights } from '../../learning/session-weights.ts';
import { weightedR2 } from '../../pasture/metric.ts';
import type { Targets } from '../../pasture/targets.ts';
import type { TrainingRows } from '../../samples/samples.ts';
import { componentsTable, targetsFromTable } from '../masses/components-table.ts';
import { fitStandardiser, type Scaling, type Standardiser, standardise } from '../standardise.ts';
import { gram, type KernelName, kernelMatrix, squaredNorms } from './kernels.ts';
import { solveKernel } from './leave-session-out.ts';

/** What a machine tries and how it weighs photos. */
export interface MachineSettings {
  readonly kernels: readonly KernelName[];
  readonly gammas: readonly number[];
  readonly penalties: readonly number[];
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
}

/** A machine with what only fitting knows. */
export interface FittedMachine {
  readonly machine: KernelMachine;
  /** What the machine would predict of each training photo without its session. */
  leaveSessionsOut(): Targets[];
}

interface Candidate {
  readonly kernel: KernelName;
  readonly gamma: number;
  readonly penalty: number;
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
  const products = gram(support, support);
  const norms = squaredNorms(support);
  const solve = ({ kernel, gamma, penalty }: Candidate): ReturnType<typeof solveKernel> =>
    solveKernel(
      kernelMatrix(kernel, gamma, products, norms, norms),
      weights.map((weight) => penalty / weight),
      masses,
    );
  const candidates = candidatesOf(settings);
  const sessions = leftOutTogether(training.groups);
  const measured = measuredItems(training.measured);
  const scores = candidates.map((candidate) => {
    if (candidates.length === 1 || sessions.length < 2) return 0;
    const predicted = targetsFromTable(solve(candidate).withoutSessions(sessions));
    const score = weightedR2(
      measured.map((photo) => training.targets[photo] as Targets),
      measured.map((photo) => predicted[photo] as Targets),
    );
    // Photos that are all alike have no R²; every candidate then does as well as the next.
    return Number.isFinite(score) ? score : 0;
  });
  for (const line of validationCurves(candidates, scores)) record(line);
  const chosen = candidates[scores.indexOf(Math.max(...scores))];
  if (!chosen) throw new RangeError('a kernel machine needs a kernel, a width and a penalty to try');
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
    },
    leaveSessionsOut: () => targetsFromTable(solution.withoutSessions(sessions)),
  };
}

/**
 * Green, dead and clover of photos, grams, free to be negative. [photos, 3]
 *
 * @throws InputError when features have another width than those trained on
 */
export function machineComponents(machine: KernelMachine, inputs: Matrix): Matrix {
  requireWidth(inputs, machine.mean.length);
  const features = standardise(inputs, machine, machine.clip);
  const similarities = kernelMatrix(
    machine.kernel,
    machine.gamma,
    gram(features, machine.support),
    squaredNorms(features),
    squaredNorms(machine.support),
  );
  return addToRows(multiply(similarities, machine.dual), machine.intercept);
}

/** Adds `offsets` to every row. */
export function addToRows(table: Matrix, offsets: Float64Array): Matrix {
  return { ...table, data: table.data.map((value, at) => value + (offsets[at % table.columns] as number)) };
}

function candidatesOf({ kernels, gammas, penalties }: MachineSettings): Candidate[] {
  return kernels.flatMap((kernel) => {
    // The linear kernel has no width.
    const widths = kernel === 'linear' ? [1] : gammas;
    return widths.flatMap((gamma) => penalties.map((penalty) => ({ kernel, gamma, penalty })));
  });
}

function leftOutTogether(groups: readonly string[]): readonly string[] {
  return new Set(groups).size > 1 ? groups : groups.map((_, photo) => String(photo));
}

function validationCurves(candidates: readonly Candidate[], scores: readonly number[]): MetricLine[] {
  const lines = new Map<number, Record<string, number>>();
  candidates.forEach(({ kernel, gamma, penalty }, index) => {
    const line = lines.get(penalty) ?? { penalty };
    const curve = kernel === 'linear' ? 'weighted R², linear' : `weighted R², ${kernel} γ ${gamma}`;
    line[curve] = scores[index] ?? Number.NaN;
    lines.set(penalty, line);
  });
  return [...lines.values()];
}
