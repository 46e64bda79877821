import { mean } from '../../ground/statistics.ts';
import type { CalibrationRow } from './interval.ts';

/** How far cuts scatter about predictions: `((prediction + offset) / offset) ^ exponent`, free of unit. */
export interface SpreadModel {
  /** Mean absolute residual, grams. */
  readonly offset: number;
  readonly exponent: number;
}

const STEP = 0.1;
const STEEPEST = 1.5;

/**
 * Share of the fitted exponent that is used. The likelihood sees the bulk of the residuals, an interval their
 * tail, which grows less with the prediction; and twenty sessions say little. Half lies between a constant
 * spread and the fitted one.
 */
const SHRINKAGE = 0.5;

/**
 * Fits the exponent by the likelihood of residuals with a Laplace distribution whose scale follows the model
 * (a grid from 0 to 1.5), and shrinks it towards a constant spread.
 */
export function fitSpreadModel(rows: readonly Pick<CalibrationRow, 'observed' | 'predicted'>[]): SpreadModel {
  const misses = rows.map(({ observed, predicted }) => Math.abs(observed - predicted));
  const offset = mean(misses);
  let best = 0;
  let bestCost = Number.POSITIVE_INFINITY;
  for (let step = 0; step * STEP <= STEEPEST + STEP / 2 && offset > 0; step++) {
    const exponent = step * STEP;
    const spreads = rows.map(({ predicted }) => spreadAt({ offset, exponent }, predicted));
    const scale = mean(misses.map((miss, row) => miss / (spreads[row] as number)));
    // With the scale at its maximum likelihood the mean of |residual| / (scale · spread) is 1 for all.
    const cost = Math.log(scale) + mean(spreads.map(Math.log));
    if (cost < bestCost) {
      best = exponent;
      bestCost = cost;
    }
  }
  return { offset, exponent: SHRINKAGE * best };
}

/** Grams; residuals below are rounding, and masses over them would overflow. */
const NOTHING = 1e-12;

/** The relative spread at a prediction: 1 at 0 g, everywhere the same with exponent 0. */
export function spreadAt({ offset, exponent }: SpreadModel, prediction: number): number {
  return offset > NOTHING ? ((Math.max(0, prediction) + offset) / offset) ** exponent : 1;
}
