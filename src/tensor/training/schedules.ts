import { UsageError } from '../../ground/errors.ts';

/** The learning rate of a step; steps count from 0. */
export type Schedule = (step: number) => number;

/** Always the same. */
export const constantRate =
  (rate: number): Schedule =>
  () =>
    rate;

/**
 * Rises linearly from 0 over `warmUp` steps, then falls along half a cosine to `floor` (default 0), which the
 * step after the last would reach (Loshchilov & Hutter 2017).
 */
export function cosineWithWarmUp(options: {
  readonly rate: number;
  readonly steps: number;
  readonly warmUp?: number;
  readonly floor?: number;
}): Schedule {
  const { rate, steps, warmUp = 0, floor = 0 } = options;
  if (warmUp > steps) throw new UsageError(`schedule: ${warmUp} warm-up steps of only ${steps}`);
  return (step) => {
    if (step < warmUp) return (rate * step) / warmUp;
    return floor + (rate - floor) * cosineFall(shareOf(step - warmUp, steps - warmUp));
  };
}

/**
 * The 1cycle policy (Smith & Topin 2018; torch's OneCycleLR with cosine annealing): from a 25th of the peak up to the
 * peak in the first `rise` of all steps, then down to a 10,000th of the start.
 */
export function oneCycle(options: {
  readonly peak: number;
  readonly steps: number;
  readonly rise?: number;
}): Schedule {
  const { peak, steps, rise = 0.3 } = options;
  const start = peak / 25;
  const end = start / 1e4;
  const top = rise * steps - 1;
  return (step) => {
    if (step <= top) return peak + (start - peak) * cosineFall(shareOf(step, top));
    return end + (peak - end) * cosineFall(shareOf(step - top, steps - 1 - top));
  };
}

/** How much of a span has passed, at most all of it; all of an empty one. */
const shareOf = (passed: number, span: number): number => (span > 0 ? Math.min(passed / span, 1) : 1);

const cosineFall = (done: number): number => (1 + Math.cos(Math.PI * done)) / 2;

/**
 * What the rate is multiplied by after the given validation values, smaller being better: it is cut by `factor`
 * whenever `patience` values in a row have not improved on the best by more than `threshold` of it
 * (torch's ReduceLROnPlateau). A pure function of the history, so a resumed training agrees.
 */
export function plateauFactor(
  history: readonly number[],
  options: { readonly factor?: number; readonly patience?: number; readonly threshold?: number } = {},
): number {
  const { factor = 0.1, patience = 10, threshold = 1e-4 } = options;
  let best = Number.POSITIVE_INFINITY;
  let waited = 0;
  let result = 1;
  for (const value of history) {
    if (value < best - threshold * Math.abs(best === Number.POSITIVE_INFINITY ? 0 : best)) {
      best = value;
      waited = 0;
    } else {
      waited += 1;
    }
    if (waited > patience) {
      result *= factor;
      waited = 0;
    }
  }
  return result;
}
