import { UsageError } from '../../ground/errors.ts';

/** The losses both growers can minimise. */
export const OBJECTIVES = ['regression', 'regression_l1', 'huber', 'quantile', 'tweedie'] as const;
export type ObjectiveName = (typeof OBJECTIVES)[number];

/**
 * A loss of one output, as boosting needs it. Scores are on the model's own scale (the logarithm of the mean
 * for Tweedie); derivatives are with respect to them.
 */
export interface Objective {
  readonly name: ObjectiveName;
  /** Whether every unweighted second derivative is 1. */
  readonly unitHessian: boolean;
  /** The constant that boosting starts from. */
  initial(targets: Float64Array, weights: Float64Array | null): number;
  /** First derivative of the loss of one row. */
  gradient(score: number, target: number): number;
  /** Second derivative, or what stands in for it where that is 0. */
  hessian(score: number, target: number): number;
  loss(score: number, target: number): number;
  /** The quantile of the residuals that a leaf is given in the end, where gradients say little about size. */
  readonly leafQuantile: number | null;
  /** From the model's scale to that of the target. */
  output(score: number): number;
}

/** Parameters some objectives have. */
export interface ObjectiveParameters {
  /** Huber's corner, in units of the target, or the quantile wanted. */
  readonly alpha: number;
  /** ρ of Tweedie's variance μ^ρ, between 1 and 2. */
  readonly tweedieVariancePower: number;
}

/**
 * Builds an objective by LightGBM's name, with its derivatives (regression_objective of the LightGBM manual).
 *
 * @throws UsageError when a quantile is not between 0 and 1, a corner not positive, or ρ not in [1, 2)
 */
export function objectiveOf(name: ObjectiveName, parameters: ObjectiveParameters): Objective {
  const { alpha } = parameters;
  const plain = { hessian: () => 1, unitHessian: true, leafQuantile: null, output: (score: number) => score };
  switch (name) {
    case 'regression':
      return {
        ...plain,
        name,
        initial: mean,
        gradient: (score, target) => score - target,
        loss: (score, target) => (score - target) ** 2,
      };
    case 'regression_l1':
      return {
        ...plain,
        name,
        leafQuantile: 0.5,
        initial: (targets, weights) => quantile(targets, weights, 0.5),
        gradient: (score, target) => Math.sign(score - target),
        loss: (score, target) => Math.abs(score - target),
      };
    case 'huber':
      if (!(alpha > 0)) throw new UsageError(`huber needs an alpha above 0, not ${alpha}`);
      return {
        ...plain,
        name,
        initial: mean,
        gradient: (score, target) => Math.max(-alpha, Math.min(alpha, score - target)),
        loss: (score, target) => {
          const distance = Math.abs(score - target);
          return distance <= alpha ? distance ** 2 / 2 : alpha * (distance - alpha / 2);
        },
      };
    case 'quantile':
      if (!(alpha > 0 && alpha < 1)) {
        throw new UsageError(`quantile needs an alpha between 0 and 1, not ${alpha}`);
      }
      return {
        ...plain,
        name,
        leafQuantile: alpha,
        initial: (targets, weights) => quantile(targets, weights, alpha),
        gradient: (score, target) => (score >= target ? 1 - alpha : -alpha),
        loss: (score, target) =>
          score >= target ? (1 - alpha) * (score - target) : alpha * (target - score),
      };
    case 'tweedie':
      return tweedie(parameters.tweedieVariancePower);
  }
}

function tweedie(power: number): Objective {
  if (!(power >= 1 && power < 2)) {
    throw new UsageError(`tweedie needs a variance power from 1 to below 2, not ${power}`);
  }
  const low = 1 - power;
  const high = 2 - power;
  return {
    name: 'tweedie',
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
    output: Math.exp,
  };
}

/** Mean loss over rows. */
export function meanLoss(
  objective: Objective,
  scores: Float64Array,
  targets: Float64Array,
  weights: Float64Array | null,
): number {
  let sum = 0;
  let weightSum = 0;
  for (let row = 0; row < targets.length; row++) {
    const weight = weights ? (weights[row] as number) : 1;
    sum += weight * objective.loss(scores[row] as number, targets[row] as number);
    weightSum += weight;
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
