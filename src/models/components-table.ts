import type { Matrix } from '../data/features.ts';
import { targetsFromComponents } from '../pasture/physics.ts';
import type { Targets } from '../pasture/targets.ts';

/** Green, dead and clover of each photo: what regressions predict, the sums being derived. [photos, 3] */
export function componentsTable(targets: readonly Targets[]): Matrix {
  return {
    rows: targets.length,
    columns: 3,
    data: Float64Array.from(targets.flatMap(({ green, dead, clover }) => [green, dead, clover])),
  };
}

/** Physical masses from a [photos, 3] table of free predictions of green, dead and clover. */
export function targetsFromTable(table: Matrix): Targets[] {
  return Array.from({ length: table.rows }, (_, row) => {
    const [green = Number.NaN, dead = Number.NaN, clover = Number.NaN] = table.data.subarray(
      row * 3,
      row * 3 + 3,
    );
    return targetsFromComponents({ green, dead, clover });
  });
}

/** Weighted mean of each column. */
export function columnMeans(table: Matrix, weights: readonly number[]): Float64Array {
  const means = new Float64Array(table.columns);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  for (let row = 0; row < table.rows; row++) {
    for (let column = 0; column < table.columns; column++) {
      const value = table.data[row * table.columns + column] as number;
      means[column] = (means[column] as number) + ((weights[row] ?? 0) / weightSum) * value;
    }
  }
  return means;
}

/** Adds `offsets · sign` to every row, into a new table. */
export function shiftRows(table: Matrix, offsets: Float64Array, sign: 1 | -1): Matrix {
  const data = table.data.map((value, at) => value + sign * (offsets[at % table.columns] as number));
  return { rows: table.rows, columns: table.columns, data };
}
