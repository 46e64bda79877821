import { UsageError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import type { LeafwiseParameters } from './boost-settings.ts';

/**
 * A loss of one output, as boosting needs it. Scores are on the model's own scale (the logarithm of the mean
 * for Tweedie); derivatives are with respect to them.
 */
export interface Objective {
  /** Whether every unweighted second derivative is 1. */
  readonly unitHessian: boolean;
  /** The constant that boosting starts from. @throws UsageError when the targets do not fit the loss */
  initial(targets: Float64Array, weights: Float64Array | null): number;
  /** First derivative of the loss of one row. */
  gradient(score: number, target: number): number;
  /** Second derivative, or what stands in for it where that is 0. */
  hessian(score: number, target: number): number;
  loss(score: number, target: number): number;
  /** The quantile of the residuals that a leaf is given in the end, where gradients say little about size. */
  readonly leafQuantile: number | null;
}

/** An objective by LightGBM's name, with its derivatives (regression_objective of the LightGBM manual). */
export function objectiveOf({
  objective,
  alpha,
  tweedieVariancePower,
}: Pick<LeafwiseParameters, 'objective' | 'alpha' | 'tweedieVariancePower'>): Objective {
  const plain = { hessian: () => 1, unitHessian: true, leafQuantile: null };
  switch (objective) {
    case 'regression':
      return {
        ...plain,
        initial: mean,
        gradient: (score, target) => score - target,
        loss: (score, target) => (score - target) ** 2,
      };
    case 'regression_l1':
      return {
        ...plain,
        leafQuantile: 0.5,
        initial: (targets, weights) => quantile(targets, weights, 0.5),
        gradient: (score, target) => Math.sign(score - target),
        loss: (score, target) => Math.abs(score - target),
      };
    case 'huber':
      return {
        ...plain,
        initial: mean,
        gradient: (score, target) => Math.max(-alpha, Math.min(alpha, score - target)),
        loss: (score, target) => {
          const distance = Math.abs(score - target);
          return distance <= alpha ? distance ** 2 / 2 : alpha * (distance - alpha / 2);
        },
      };
    case 'quantile':
      return {
        ...plain,
        leafQuantile: alpha,
        initial: (targets, weights) => quantile(targets, weights, alpha),
        gradient: (score, target) => (score >= target ? 1 - alpha : -alpha),
        loss: (score, target) =>
          score >= target ? (1 - alpha) * (score - target) : alpha * (target - score),
      };
    case 'tweedie':
      return tweedie(tweedieVariancePower);
  }
}

function tweedie(power: number): Objective {
  const low = 1 - power;
  const high = 2 - power;
  return {
    unitHessian: false,
    leafQuantile: null,
    initial: (targets, weights) => {
      if (targets.some((target) => target < 0)) throw new UsageError('tweedie needs targets of 0 or more');
      // A target of zeros only has no logarithm.
      return Math.log(Math.max(mean(targets, weights), Number.MIN_VALUE));
    },
    gradient: (score, target) => -target * Math.exp(low * score) + Math.exp(high * score),
    hessian: (score, target) => -target * low * Math.exp(low * score) + high * Math.exp(high * score),
    loss: (score, target) =>
      (low === 0 ? -target * score : (-target * Math.exp(low * score)) / low) + Math.exp(high * score) / high,
  };
}

/** Mean loss over rows, summed over outputs: `scores[row · outputs + output]`. */
export function meanLoss(
  objective: Objective,
  scores: Float64Array,
  { data: targets, columns: outputs }: Matrix,
  weights: Float64Array | null,
): number {
  let sum = 0;
  let weightSum = 0;
  for (let at = 0; at < targets.length; at++) {
    const weight = weights ? (weights[Math.floor(at / outputs)] as number) : 1;
    sum += weight * objective.loss(scores[at] as number, targets[at] as number);
    weightSum += weight / outputs;
  }
  return sum / weightSum;
}

function mean(values: Float64Array, weights: Float64Array | null): number {
  let sum = 0;
  let weightSum = 0;
  for (let row = 0; row < values.length; row++) {
    const weight = weights ? (weights[row] as number) : 1;
    sum += weight * (values[row] as number);
    weightSum += weight;
  }
  return sum / weightSum;
}

/**
 * Quantiles of the residuals of each leaf's rows, `[leaf · outputs + output]`; 0 for leaves without rows.
 *
 * @param leaves rows of each leaf
 */
export function leafQuantiles(
  leaves: readonly ArrayLike<number>[],
  { data: targets, columns: outputs }: Matrix,
  scores: Float64Array,
  weights: Float64Array | null,
  share: number,
): Float64Array {
  const values = new Float64Array(leaves.length * outputs);
  leaves.forEach((rows, leaf) => {
    if (rows.length === 0) return;
    const masses = weights && Float64Array.from(rows, (row) => weights[row] as number);
    for (let k = 0; k < outputs; k++) {
      const residuals = Float64Array.from(
        rows,
        (row) => (targets[row * outputs + k] as number) - (scores[row * outputs + k] as number),
      );
      values[leaf * outputs + k] = quantile(residuals, masses, share);
    }
  });
  return values;
}

/** The weighted quantile: between neighbouring values by linear interpolation of the weight below them. */
export function quantile(values: Float64Array, weights: Float64Array | null, share: number): number {
  const order = Int32Array.from(values.keys()).sort((a, b) => (values[a] as number) - (values[b] as number));
  const weightOf = (row: number): number => (weights ? (weights[row] as number) : 1);
  let total = 0;
  for (const row of order) total += weightOf(row);
  // Positions are measured at the middle of each value's weight, the ends being the extreme values.
  let below = 0;
  let lastPosition = 0;
  let lastValue = Number.NaN;
  for (const row of order) {
    const value = values[row] as number;
    const position = (below + weightOf(row) / 2) / total;
    if (position >= share) {
      if (Number.isNaN(lastValue)) return value;
      return lastValue + ((share - lastPosition) / (position - lastPosition)) * (value - lastValue);
    }
    below += weightOf(row);
    lastPosition = position;
    lastValue = value;
  }
  return lastValue;
}
