import { ShapeError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { codeHash, tableKey } from './categories.ts';

/** What a comparison says of NaN: false as for any border, false, or true. */
export const MISSING_TREATMENTS = ['AsIs', 'AsFalse', 'AsTrue'] as const;

/** A numeric input. */
interface FloatFeature {
  /** Column of the inputs. */
  readonly flatIndex: number;
  readonly name: string;
  /** Single-precision borders, ascending. */
  readonly borders: readonly number[];
  readonly missing: (typeof MISSING_TREATMENTS)[number];
}

/** A categorical input, of whole-number codes. */
export interface CategoryFeature {
  readonly flatIndex: number;
  readonly name: string;
  /** Hashes of the categories that trees ask for by name, one column of the trees' matrix each. */
  readonly oneHot: readonly number[];
  /** Training rows of each target class by {@link tableKey}; null where no statistic uses the column. */
  readonly counts: ReadonlyMap<string, readonly number[]> | null;
}

/**
 * A target statistic (CatBoost's `Borders`): the share of a category's training rows whose target lies above
 * border `targetBorder`, ((above + priorNumerator) / (rows + priorDenominator) + shift) · scale.
 */
export interface TargetStatistic {
  /** Position among the categorical features. */
  readonly category: number;
  readonly targetBorder: number;
  readonly priorNumerator: number;
  readonly priorDenominator: number;
  readonly shift: number;
  readonly scale: number;
  readonly borders: readonly number[];
}

/** A test `column > border` in single precision; NaN fails it unless its column says otherwise. */
export interface ObliviousSplit {
  /** Column of the matrix the trees see. */
  readonly column: number;
  readonly border: number;
}

/**
 * A symmetric tree: all nodes of a level ask the same question. The leaf's number has bit i set when split i
 * holds.
 */
export interface ObliviousTree {
  readonly splits: readonly ObliviousSplit[];
  /** `leafValues[leaf · outputs + output]` */
  readonly leafValues: Float64Array;
  /** Sum of the training rows' weights in each leaf. */
  readonly leafWeights: Float64Array;
}

/**
 * A model of symmetric trees as CatBoost's JSON holds it. Trees see a matrix of the float features, then an
 * indicator a one-hot category, then the target statistics.
 */
export interface CatBoostModel {
  readonly trees: readonly ObliviousTree[];
  readonly scale: number;
  /** One an output. */
  readonly bias: readonly number[];
  readonly floats: readonly FloatFeature[];
  readonly categories: readonly CategoryFeature[];
  readonly statistics: readonly TargetStatistic[];
  /** Name of the loss trained for; scores of some are logarithms. */
  readonly lossFunction: string;
}

/** What a model looks at. */
export type ModelColumns = Pick<CatBoostModel, 'floats' | 'categories' | 'statistics'>;

/** Losses whose scores are logarithms of predictions. */
const LOGARITHMIC = ['Tweedie', 'Poisson'];

/**
 * Predictions on the targets' scale, [rows, outputs]. Inputs are rounded to single precision first.
 *
 * @throws ShapeError when the matrix is narrower than the model's features
 * @throws InputError when a categorical column holds something else than whole numbers from 0 up, or NaN
 */
export function predictCatBoost(model: CatBoostModel, inputs: Matrix): Matrix {
  const outputs = model.bias.length;
  const sums = new Float64Array(inputs.rows * outputs);
  addObliviousTrees(model.trees, treeMatrix(model, inputs), missingPasses(model), sums);
  const isLogarithmic = hasLogarithmicScores(model);
  const data = sums.map((sum, at) => {
    const score = model.scale * sum + (model.bias[at % outputs] as number);
    return isLogarithmic ? Math.exp(score) : score;
  });
  return { rows: inputs.rows, columns: outputs, data };
}

/** Whether predictions are e to the power of the scores. */
export const hasLogarithmicScores = ({ lossFunction }: Pick<CatBoostModel, 'lossFunction'>): boolean =>
  LOGARITHMIC.includes(lossFunction);

/** For which columns of the trees' matrix NaN passes every test. */
export const missingPasses = ({ floats }: Pick<CatBoostModel, 'floats'>): boolean[] =>
  floats.map(({ missing }) => missing === 'AsTrue');

/** Whether a value passes a test. */
export const passes = (value: number, border: number, missingPasses: boolean | undefined): boolean =>
  value > border || (missingPasses === true && Number.isNaN(value));

/**
 * Adds the trees' values to `scores[row · outputs + output]`.
 *
 * @param matrix what trees see, see {@link treeMatrix}
 * @param missing see {@link missingPasses}
 */
export function addObliviousTrees(
  trees: readonly ObliviousTree[],
  { rows, columns, data }: Matrix,
  missing: readonly boolean[],
  scores: Float64Array,
): void {
  const outputs = scores.length / rows;
  const leaves = new Int32Array(rows);
  for (const { splits, leafValues } of trees) {
    leaves.fill(0);
    splits.forEach(({ column, border }, level) => {
      for (let row = 0, at = column; row < rows; row++, at += columns) {
        if (passes(data[at] as number, border, missing[column]))
          leaves[row] = (leaves[row] as number) | (1 << level);
      }
    });
    for (let row = 0, at = 0; row < rows; row++) {
      const leaf = (leaves[row] as number) * outputs;
      for (let k = 0; k < outputs; k++, at++) {
        scores[at] = (scores[at] as number) + (leafValues[leaf + k] as number);
      }
    }
  }
}

/** The matrix that trees see. @throws ShapeError, InputError as {@link predictCatBoost} */
export function treeMatrix({ floats, categories, statistics }: ModelColumns, inputs: Matrix): Matrix {
  const width = Math.max(-1, ...[...floats, ...categories].map(({ flatIndex }) => flatIndex)) + 1;
  if (inputs.columns < width) {
    throw new ShapeError(`the model reads ${width} columns, the inputs have ${inputs.columns}`);
  }
  const indicators = categories.flatMap(({ oneHot }, category) => oneHot.map((hash) => ({ category, hash })));
  const columns = floats.length + indicators.length + statistics.length;
  const data = new Float64Array(inputs.rows * columns);
  for (let row = 0; row < inputs.rows; row++) {
    const from = row * inputs.columns;
    let at = row * columns;
    for (const { flatIndex } of floats) data[at++] = Math.fround(inputs.data[from + flatIndex] as number);
    const hashes = categories.map(({ flatIndex }) =>
      codeHash(inputs.data[from + flatIndex] as number, flatIndex),
    );
    for (const { category, hash } of indicators) data[at++] = hashes[category] === hash ? 1 : 0;
    for (const statistic of statistics) {
      const counts = categories[statistic.category]?.counts?.get(tableKey(hashes[statistic.category] ?? 0));
      data[at++] = statisticValue(statistic, counts ?? []);
    }
  }
  return { rows: inputs.rows, columns, data };
}

/** A statistic's value from the class counts of a category, in single precision throughout. */
export function statisticValue(
  { targetBorder, priorNumerator, priorDenominator, shift, scale }: TargetStatistic,
  counts: readonly number[],
): number {
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const above = counts.slice(targetBorder + 1).reduce((sum, count) => sum + count, 0);
  const share = Math.fround(Math.fround(above + priorNumerator) / Math.fround(rows + priorDenominator));
  return Math.fround(Math.fround(share + shift) * scale);
}

/** A test that the splits of a file can name. */
export interface ModelTest extends ObliviousSplit {
  readonly type: 'FloatFeature' | 'OneHotFeature' | 'OnlineCtr';
  /** The feature or category asked for, under the file's names. */
  readonly names: Readonly<Record<string, number>>;
}

/** Every test that splits can name, as CatBoost numbers them: floats, one-hot categories, statistics. */
export function allTests({ floats, categories, statistics }: ModelColumns): ModelTest[] {
  const oneHot = categories.flatMap((feature, category) =>
    feature.oneHot.map((value) => ({ category, value })),
  );
  return [
    ...floats.flatMap(({ borders }, column) =>
      borders.map(
        (border): ModelTest => ({
          type: 'FloatFeature',
          column,
          border,
          names: { float_feature_index: column },
        }),
      ),
    ),
    ...oneHot.map(
      ({ category, value }, at): ModelTest => ({
        type: 'OneHotFeature',
        column: floats.length + at,
        border: 0.5,
        names: { cat_feature_index: category, value },
      }),
    ),
    ...statistics.flatMap(({ borders, targetBorder }, at) =>
      borders.map(
        (border): ModelTest => ({
          type: 'OnlineCtr',
          column: floats.length + oneHot.length + at,
          border,
          names: { ctr_target_border_idx: targetBorder },
        }),
      ),
    ),
  ];
}
