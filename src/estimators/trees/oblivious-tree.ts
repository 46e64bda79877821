import type { Matrix } from '../../ground/matrix.ts';

/** A test `column > border` in single precision; NaN fails it unless `missingPasses`. */
export interface ObliviousSplit {
  /** Column of the matrix the tree sees. */
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

/** Where NaN goes in a comparison with a border. */
export interface MissingRule {
  /** Per column: whether NaN passes every test (`AsTrue`) instead of failing it. */
  readonly missingPasses: readonly boolean[];
}

/** Adds the trees' values to `scores[row · outputs + output]`. Columns must hold single-precision numbers. */
export function addObliviousTrees(
  trees: readonly ObliviousTree[],
  matrix: Matrix,
  { missingPasses }: MissingRule,
  outputs: number,
  scores: Float64Array,
): void {
  const { rows, columns, data } = matrix;
  const leaves = new Int32Array(rows);
  for (const { splits, leafValues } of trees) {
    leaves.fill(0);
    splits.forEach(({ column, border }, level) => {
      const passes = missingPasses[column] === true;
      const bit = 1 << level;
      for (let row = 0, at = column; row < rows; row++, at += columns) {
        const value = data[at] as number;
        if (value > border || (passes && Number.isNaN(value))) leaves[row] = (leaves[row] as number) | bit;
      }
    });
    for (let row = 0; row < rows; row++) {
      const leaf = (leaves[row] as number) * outputs;
      for (let output = 0; output < outputs; output++) {
        const at = row * outputs + output;
        scores[at] = (scores[at] as number) + (leafValues[leaf + output] as number);
      }
    }
  }
}

/** The matrix in single precision, as CatBoost sees it. */
export function singlePrecision(matrix: Matrix): Matrix {
  return { ...matrix, data: matrix.data.map(Math.fround) };
}
