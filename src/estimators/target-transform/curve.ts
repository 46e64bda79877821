import { mean } from '../../ground/statistics.ts';
import { add, exponential, maximum, multiply, square, subtract, type Tensor } from '../../tensor/index.ts';
import type { CurveSettings } from './transform-settings.ts';

/** Mean residual and mean transformed residual of one component; what smearing needs to know of its errors. */
export interface Smear {
  /** sqrt: mean residual; log1p: 0. */
  readonly first: number;
  /** sqrt: mean squared residual; log1p: mean of exp(residual). */
  readonly second: number;
}

/** A scale on which masses are predicted. */
export interface Curve {
  /** Grams (0 or more) to the scale. */
  forward(grams: number): number;
  /** The smear of residuals, measured − predicted, on the scale. */
  smearOf(residuals: readonly number[]): Smear;
  /** The smear that makes {@link backward} the plain inverse. */
  readonly noSmear: Smear;
  /** The mean over the residuals of the inverse at value + residual, grams (Duan, JASA 78, 1983). */
  backward(value: number, smear: Smear): number;
  /** {@link backward} of a column as a graph. */
  graph(value: Tensor, smear: Smear): Tensor;
}

/** The scales by name. */
export const CURVES: Readonly<Record<CurveSettings['kind'], Curve>> = {
  /** Mean of (v + e)² = v² + 2v·mean(e) + mean(e²). */
  sqrt: {
    forward: (grams) => Math.sqrt(Math.max(0, grams)),
    smearOf: (residuals) => ({ first: mean(residuals), second: mean(residuals.map((e) => e * e)) }),
    noSmear: { first: 0, second: 0 },
    backward: (value, { first, second }) => Math.max(0, value * value + 2 * value * first + second),
    graph: (value, { first, second }) =>
      maximum(add(add(square(value), multiply(value, 2 * first)), second), 0),
  },
  /** Mean of exp(v + e) − 1 = exp(v) · mean(exp(e)) − 1. */
  log1p: {
    forward: (grams) => Math.log1p(Math.max(0, grams)),
    smearOf: (residuals) => ({ first: 0, second: mean(residuals.map(Math.exp)) }),
    noSmear: { first: 0, second: 1 },
    backward: (value, { second }) => Math.max(0, Math.exp(value) * second - 1),
    graph: (value, { second }) => maximum(subtract(multiply(exponential(value), second), 1), 0),
  },
};
