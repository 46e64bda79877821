import { ShapeError } from '../ground/errors.ts';
import { describe, type Tensor } from './graph/operator.ts';
import { sameShape } from './graph/shape.ts';
import {
  absolute,
  add,
  clamp,
  divide,
  exponential,
  minimum,
  multiply,
  square,
  subtract,
} from './operators/elementwise.ts';
import { logSoftmax } from './operators/normalisation.ts';
import { mean, sum } from './operators/reduction.ts';

/** A loss of predictions and observations, both `[batch, columns]`, as a scalar. */
export type Loss = (predicted: Tensor, observed: Tensor) => Tensor;

/** Weights of the columns: broadcasts to `[batch, columns]`. */
export interface Weighted {
  readonly weights: Tensor;
}

function errorOf(predicted: Tensor, observed: Tensor): Tensor {
  if (!sameShape(predicted.shape, observed.shape)) {
    throw new ShapeError(`loss: ${describe(predicted)} and ${describe(observed)} differ in shape`);
  }
  return subtract(predicted, observed);
}

/** mean (ŷ − y)². */
export const meanSquaredError: Loss = (predicted, observed) => mean(square(errorOf(predicted, observed)));

/** mean w(ŷ − y)², a weight a column; divided by the number of elements, not by the weights' sum. */
export const weightedMeanSquaredError =
  ({ weights }: Weighted): Loss =>
  (predicted, observed) =>
    mean(multiply(square(errorOf(predicted, observed)), weights));

/**
 * Huber's loss (1964): e²/2 up to δ, then δ(|e| − δ/2).
 *
 * @param options `delta` in the targets' unit; optional `weights` a column
 */
export const huber =
  ({ delta, weights }: { readonly delta: number } & Partial<Weighted>): Loss =>
  (predicted, observed) => {
    const size = absolute(errorOf(predicted, observed));
    const near = minimum(size, delta);
    // With n = min(|e|, δ): n²/2 + δ(|e| − n) is both branches in one, without a where.
    const each = add(multiply(square(near), 0.5), multiply(subtract(size, near), delta));
    return mean(weights ? multiply(each, weights) : each);
  };

/** torch's SmoothL1Loss: Huber's loss divided by its threshold β. */
export const smoothL1 =
  ({ beta, ...rest }: { readonly beta: number } & Partial<Weighted>): Loss =>
  (predicted, observed) =>
    multiply(huber({ delta: beta, ...rest })(predicted, observed), 1 / beta);

/**
 * Σ over columns of w·SS_res/SS_tot = w·(1 − R²) within the batch. SS_tot is that of the batch's own mean, so a
 * batch with one value a column is unstable; `epsilon` keeps it finite.
 *
 * @param options `weights` a column; optional `samples` `[batch, 1]`, weights with mean 1 that count in both sums
 */
export const rSquaredLoss =
  ({
    weights,
    samples,
    epsilon = 1e-8,
  }: Weighted & { readonly samples?: Tensor; readonly epsilon?: number }): Loss =>
  (predicted, observed) => {
    const counted = (values: Tensor): Tensor => (samples ? multiply(values, samples) : values);
    const residual = sum(counted(square(errorOf(predicted, observed))), { axes: [0] });
    const centred = subtract(observed, mean(counted(observed), { axes: [0], keepAxes: true }));
    const total = add(sum(counted(square(centred)), { axes: [0] }), epsilon);
    return sum(multiply(divide(residual, total), weights));
  };

/**
 * −Σ p ln softmax(x) over the last axis, one value a row.
 *
 * @param logits `[…, classes]`
 * @param probabilities of the classes, of the same shape
 */
export const crossEntropy = (logits: Tensor, probabilities: Tensor): Tensor =>
  multiply(sum(multiply(logSoftmax(logits, -1), probabilities), { axes: [-1] }), -1);

/** A sum of losses, each times its share. @throws ShapeError when there is none */
export const combined =
  (parts: readonly (readonly [share: number, loss: Loss])[]): Loss =>
  (predicted, observed) => {
    const [first, ...rest] = parts.map(([share, loss]) => multiply(loss(predicted, observed), share));
    if (first === undefined) throw new ShapeError('combined loss of nothing');
    return rest.reduce((total, part) => add(total, part), first);
  };

/**
 * mean ½(ln σ² + (ŷ − y)²/σ²): the likelihood of a normal error whose variance the model predicts as well,
 * without its constant (Nix & Weigend 1994).
 *
 * @param logVariance ln σ², of the predictions' shape; kept within ±`limit` so that neither side explodes
 * @param options optional `weights`, broadcast to `[batch, columns]`
 */
export function gaussianNegativeLogLikelihood(
  predicted: Tensor,
  logVariance: Tensor,
  observed: Tensor,
  { limit = 10, weights }: { readonly limit?: number } & Partial<Weighted> = {},
): Tensor {
  const bounded = clamp(logVariance, -limit, limit);
  const scaled = multiply(square(errorOf(predicted, observed)), exponential(multiply(bounded, -1)));
  const each = add(bounded, scaled);
  return multiply(mean(weights ? multiply(each, weights) : each), 0.5);
}
