import type { Matrix } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { BoostingData } from './boosting.ts';
import { type CategoryFeature, statisticValue, type TargetStatistic } from './catboost-model.ts';
import { codeHash, tableKey } from './categories.ts';
import { quantile } from './objectives.ts';

/** What the columns of a training set become. */
export interface StatisticColumns {
  /** Numeric columns, then the statistics of the categorical ones, each row's own target left out. */
  readonly inputs: Matrix;
  /** Original column of each numeric one. */
  readonly numeric: readonly number[];
  readonly categories: readonly CategoryFeature[];
  /** Borders are left empty: they are those of the bins. */
  readonly statistics: readonly TargetStatistic[];
}

/**
 * Turns categorical columns into ordered target statistics: a row sees only the targets of the rows before it
 * in a random order, so that its own does not leak into its features (Prokhorenkova et al. 2018, section 3).
 * Targets count by the class between quantile borders they fall in; with several outputs it is their sum that
 * counts. The tables of the categories hold all rows, for prediction.
 *
 * @throws InputError when a categorical column holds something else than whole numbers from 0 up, or NaN
 */
export function fitStatistics(
  { inputs, targets, categorical }: BoostingData,
  targetBorderCount: number,
  random: RandomStream,
): StatisticColumns {
  const { rows, columns } = inputs;
  const isCategorical = new Set(categorical);
  const numeric = Array.from({ length: columns }, (_, column) => column).filter(
    (column) => !isCategorical.has(column),
  );
  if (categorical.length === 0) return { inputs, numeric, categories: [], statistics: [] };
  const classes = targetClasses(targets, targetBorderCount);
  const order = random.shuffled(Array.from({ length: rows }, (_, row) => row));
  const statistics = categorical.flatMap((_, category) =>
    Array.from({ length: targetBorderCount }, (_, targetBorder) => ({
      category,
      targetBorder,
      priorNumerator: 0.5,
      priorDenominator: 1,
      shift: 0,
      scale: 1,
      borders: [],
    })),
  );
  const width = numeric.length + statistics.length;
  const data = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    numeric.forEach((column, index) => {
      data[row * width + index] = inputs.data[row * columns + column] as number;
    });
  }
  const categories = categorical.map((column, category) => {
    const counts = new Map<string, number[]>();
    for (const row of order) {
      const key = tableKey(codeHash(inputs.data[row * columns + column] as number, column));
      const before = counts.get(key) ?? new Array<number>(targetBorderCount + 1).fill(0);
      statistics.forEach((statistic, index) => {
        if (statistic.category === category) {
          data[row * width + numeric.length + index] = statisticValue(statistic, before);
        }
      });
      const own = classes[row] as number;
      counts.set(
        key,
        before.map((count, index) => (index === own ? count + 1 : count)),
      );
    }
    return { flatIndex: column, name: String(column), oneHot: [], counts };
  });
  return { inputs: { rows, columns: width, data }, numeric, categories, statistics };
}

/** Which of the classes between quantile borders the sum of each row's targets falls in. */
function targetClasses(targets: Matrix, borderCount: number): Int32Array {
  const sums = Float64Array.from({ length: targets.rows }, (_, row) =>
    targets.data
      .subarray(row * targets.columns, (row + 1) * targets.columns)
      .reduce((sum, value) => sum + value, 0),
  );
  const borders = Array.from({ length: borderCount }, (_, index) =>
    quantile(sums, null, (index + 1) / (borderCount + 1)),
  );
  return Int32Array.from(sums, (sum) => borders.filter((border) => sum > border).length);
}
