import { smoothL1 } from '../../tensor/index.ts';
import { mixTargets } from '../../vision/augment/index.ts';
import { filled } from './labels.ts';
import type { LinearTask } from './linear-head.ts';

const MEAN = 'validation mean R²';

/** A measured quantity and how it is brought to mean 0 and deviation 1. */
export interface MeasuredColumn {
  readonly name: string;
  /** Of the photos that are trained on. */
  readonly mean: number;
  readonly deviation: number;
}

/**
 * Measured quantities, each in deviations from its mean, by SmoothL1; what was not measured of a photo does not count.
 * The score is the mean of the quantities' R².
 *
 * @param values a row a photo and a value a column; null: not measured
 */
export function regression(
  values: readonly (readonly (number | null)[])[],
  columns: readonly MeasuredColumn[],
  { beta }: { readonly beta: number },
): LinearTask {
  const width = columns.length;
  const measuredOf = (item: number, column: number): number | null => values[item]?.[column] ?? null;
  const counted = (items: readonly number[]): number =>
    items.reduce((sum, item) => sum + (values[item] ?? []).filter((value) => value !== null).length, 0);
  const scoreNames = columns.map(({ name }) => `validation R² ${name}`);
  const [onlyName = MEAN, ...otherNames] = scoreNames;
  return {
    scoreName: otherNames.length > 0 ? MEAN : onlyName,
    width,
    weightWidth: width,
    loss: (outputs, targets, weights) => smoothL1({ beta, weights })(outputs, targets),
    labels(items, batch, mix) {
      const targets = new Float32Array(batch * width);
      const known = new Float32Array(batch * width);
      for (const [row, item] of filled(items, batch).entries()) {
        for (const [column, { mean, deviation }] of columns.entries()) {
          const value = measuredOf(item, column);
          if (value === null || row >= items.length) continue;
          targets[row * width + column] = (value - mean) / deviation;
          known[row * width + column] = 1;
        }
      }
      if (!mix) return { targets, weights: meanOne(known) };
      // Half of a mixture that was not measured leaves nothing known of it.
      const both = mixTargets(known, mix).map((share) => (share > 1 - 1e-6 ? 1 : 0));
      return { targets: mixTargets(targets, mix), weights: meanOne(both) };
    },
    counted,
    validation(outputs, items, loss) {
      const scores = columns.map(({ mean, deviation }, column) => {
        const pairs = items.flatMap((item, row) => {
          const observed = measuredOf(item, column);
          const predicted = mean + deviation * (outputs[row * width + column] as number);
          return observed === null ? [] : [{ observed, predicted }];
        });
        return determination(pairs);
      });
      const finite = scores.filter(Number.isFinite);
      const score = finite.reduce((sum, value) => sum + value, 0) / finite.length;
      const line = {
        'validation loss': loss,
        ...(columns.length > 1 && { [MEAN]: score }),
        ...Object.fromEntries(scoreNames.map((name, column) => [name, scores[column] as number])),
      };
      return { score, loss, line };
    },
  };
}

/** Zeros and ones scaled to mean 1; all 0 where there is no one. */
function meanOne(known: Float32Array): Float32Array {
  const count = known.reduce((sum, value) => sum + value, 0);
  return count === 0 ? known : known.map((value) => (value * known.length) / count);
}

/** R²: 1 − residual over total sum of squares, about the observations' own mean; NaN where they do not differ. */
function determination(pairs: readonly { readonly observed: number; readonly predicted: number }[]): number {
  const mean = pairs.reduce((sum, { observed }) => sum + observed, 0) / pairs.length;
  const total = pairs.reduce((sum, { observed }) => sum + (observed - mean) ** 2, 0);
  const residual = pairs.reduce((sum, { observed, predicted }) => sum + (observed - predicted) ** 2, 0);
  return total > 0 ? 1 - residual / total : Number.NaN;
}
