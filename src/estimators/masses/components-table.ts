import type { Matrix } from '../../ground/matrix.ts';
import { targetsFromComponents } from '../../pasture/physics.ts';
import type { Targets } from '../../pasture/targets.ts';

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
