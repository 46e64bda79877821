import type { Matrix } from '../../ground/matrix.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { measuredItems } from '../../learning/session-weights.ts';
import { weightedR2 } from '../../pasture/metric.ts';
import type { Targets } from '../../pasture/targets.ts';
import type { TrainingRows } from '../../samples/samples.ts';
import { hasWidth, type KernelName } from './kernels.ts';
import { type KernelSolution, solveKernel } from './leave-session-out.ts';

/** What kernel regressions try. */
export interface CandidateSettings {
  readonly kernels: readonly KernelName[];
  readonly gammas: readonly number[];
  readonly penalties: readonly number[];
}

/** One kernel, its inverse width γ, and one penalty λ. */
export interface Candidate {
  readonly kernel: KernelName;
  readonly gamma: number;
  readonly penalty: number;
}

/**
 * The candidate with the best weighted R² when every session is left out in turn (every photo, where there is but one
 * session). One metric line a penalty is recorded, with a score for each kernel and width.
 *
 * @param predictedWithout what a candidate predicts of each training photo without its session, grams
 */
export function chooseCandidate(
  training: TrainingRows,
  settings: CandidateSettings,
  predictedWithout: (candidate: Candidate) => readonly Targets[],
  record: (line: MetricLine) => void,
): Candidate {
  const candidates = candidatesOf(settings);
  const isSettled = candidates.length === 1 || new Set(leftOutTogether(training.groups)).size < 2;
  const measured = measuredItems(training.measured);
  const scores = candidates.map((candidate) => {
    if (isSettled) return 0;
    const predicted = predictedWithout(candidate);
    const score = weightedR2(
      measured.map((photo) => training.observed[photo] as Targets),
      measured.map((photo) => predicted[photo] as Targets),
    );
    // Photos that are all alike have no R²; every candidate then does as well as the next.
    return Number.isFinite(score) ? score : 0;
  });
  for (const line of validationCurves(candidates, scores)) record(line);
  const chosen = candidates[scores.indexOf(Math.max(...scores))];
  if (!chosen) throw new RangeError('a kernel machine needs a kernel, a width and a penalty to try');
  return chosen;
}

/**
 * Solves the regression of any candidate. Candidates come penalty by penalty, so the kernel matrix of the last one serves
 * the next.
 *
 * @param kernelOf K of a kernel and its width, [photos, photos]
 * @param weights of the photos
 * @param values [photos, outputs]
 */
export function candidateSolver(
  kernelOf: (kernel: KernelName, gamma: number) => Matrix,
  weights: readonly number[],
  values: Matrix,
): (candidate: Candidate) => KernelSolution {
  let last: { readonly kernel: KernelName; readonly gamma: number; readonly matrix: Matrix } | undefined;
  return ({ kernel, gamma, penalty }) => {
    if (last?.kernel !== kernel || last.gamma !== gamma) {
      last = { kernel, gamma, matrix: kernelOf(kernel, gamma) };
    }
    return solveKernel(
      last.matrix,
      weights.map((weight) => penalty / weight),
      values,
    );
  };
}

/** What is left out together: sessions, or single photos where there is one session only. */
export function leftOutTogether(groups: readonly string[]): readonly string[] {
  return new Set(groups).size > 1 ? groups : groups.map((_, photo) => String(photo));
}

function candidatesOf({ kernels, gammas, penalties }: CandidateSettings): Candidate[] {
  return kernels.flatMap((kernel) => {
    const widths = hasWidth(kernel) ? gammas : [1];
    return widths.flatMap((gamma) => penalties.map((penalty) => ({ kernel, gamma, penalty })));
  });
}

function validationCurves(candidates: readonly Candidate[], scores: readonly number[]): MetricLine[] {
  const lines = new Map<number, Record<string, number>>();
  candidates.forEach(({ kernel, gamma, penalty }, index) => {
    const line = lines.get(penalty) ?? { penalty };
    const curve = hasWidth(kernel) ? `weighted R², ${kernel} γ ${gamma}` : `weighted R², ${kernel}`;
    line[curve] = scores[index] ?? Number.NaN;
    lines.set(penalty, line);
  });
  return [...lines.values()];
}
