import { fitStandardiser, type Standardiser, standardise } from '../../estimators/standardise.ts';
import { type Matrix, takeRows } from '../../ground/matrix.ts';
import type { Block } from './privileged.ts';

/** Deviations beyond which a value counts no further. */
const CLIP = 4;

/**
 * Learns on some photos how blocks become one table in which each counts as much as it says, whatever its width:
 * what is unknown becomes the mean, with a column beside it that tells so; columns are standardised, and a block's
 * variances sum to what it says.
 *
 * @param photos the photos learnt from
 * @returns writes such a table of any photos
 */
export function balancedBlocks(
  blocks: readonly Block[],
  photos: readonly number[],
): (photos: readonly number[]) => Matrix {
  const writers = blocks.map((block) => blockWriter(block, photos));
  return (wanted) => sideBySide(writers.map((write) => write(wanted)));
}

function blockWriter(
  { table, says }: Block,
  photos: readonly number[],
): (photos: readonly number[]) => Matrix {
  const known = takeRows(table, photos);
  const means = knownMeans(known);
  const filled = withUnknown(known, means);
  const standardiser = fitStandardiser(filled, new Array<number>(filled.rows).fill(1));
  const weighed = weighedTo(says, standardiser);
  return (wanted) => {
    const standard = standardise(withUnknown(takeRows(table, wanted), means), standardiser, CLIP);
    return { ...standard, data: standard.data.map((value) => value * weighed) };
  };
}

/** What standardised columns are multiplied by so that their variances sum to `says`. Constant ones have none. */
function weighedTo(says: number, { scale }: Standardiser): number {
  const varying = scale.filter((value) => value > 0).length;
  return varying === 0 ? 0 : Math.sqrt(says / varying);
}

/** Mean of each column where it is known; 0 where it never is. */
function knownMeans({ rows, columns, data }: Matrix): number[] {
  return Array.from({ length: columns }, (_, column) => {
    const values = Array.from({ length: rows }, (_, row) => data[row * columns + column] as number);
    const known = values.filter((value) => !Number.isNaN(value));
    return known.length === 0 ? 0 : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

/** Unknown values replaced by means, and a last column with 1 where a photo has any. */
function withUnknown({ rows, columns, data }: Matrix, means: readonly number[]): Matrix {
  const width = columns + 1;
  const filled = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = data[row * columns + column] as number;
      const unknown = Number.isNaN(value);
      filled[row * width + column] = unknown ? (means[column] as number) : value;
      if (unknown) filled[row * width + columns] = 1;
    }
  }
  return { rows, columns: width, data: filled };
}

function sideBySide(tables: readonly Matrix[]): Matrix {
  const rows = tables[0]?.rows ?? 0;
  const columns = tables.reduce((sum, table) => sum + table.columns, 0);
  const data = new Float64Array(rows * columns);
  let start = 0;
  for (const table of tables) {
    for (let row = 0; row < rows; row++) {
      const own = table.data.subarray(row * table.columns, (row + 1) * table.columns);
      data.set(own, row * columns + start);
    }
    start += table.columns;
  }
  return { rows, columns, data };
}
