import { mean } from 'd3-array';
import { fitStandardiser, type Standardiser, standardise } from '../../estimators/standardise.ts';
import { UsageError } from '../../ground/errors.ts';
import { joinFeatureSets, type Matrix, takeRows } from '../../ground/matrix.ts';
import type { PhotoAttributes } from '../../samples/samples.ts';

/** What labels say of a training photo and a new photo has not: what a teacher may see. */
export const PRIVILEGED = ['ndvi', 'height', 'state', 'species', 'season'] as const;

type Privileged = (typeof PRIVILEGED)[number];

/** A part of what a teacher sees, `[photos, columns]`. Columns of one block count together. */
export interface Block {
  readonly table: Matrix;
  /** How much the block counts beside the others. */
  readonly says: number;
}

const DAY_MILLISECONDS = 86_400_000;
const DAYS_A_YEAR = 365.25;

/**
 * What labels say of photos besides their masses, a block each: a number where it was measured (NaN where not), a
 * column a class with 1 in the photo's own (all 0 where it is unknown), sine and cosine of the season.
 *
 * @throws UsageError when no photo says something that is to be seen
 */
export function privilegedBlocks(
  attributes: readonly PhotoAttributes[],
  sees: readonly Privileged[],
): Block[] {
  return sees.map((name) => {
    const rows = rowsOf(attributes, name);
    if (rows.every((row) => row === null)) {
      throw new UsageError(
        `no label says the ${name === 'season' ? 'sampling date' : name} of a photo; leave ${name} out of ` +
          'estimator.teacher.sees or add it to train.csv',
      );
    }
    const width = rows.find((row) => row !== null)?.length ?? 0;
    const unknown = new Array<number>(width).fill(isClass(name) ? 0 : Number.NaN);
    const data = Float64Array.from(rows.flatMap((row) => row ?? unknown));
    return { table: { rows: rows.length, columns: width, data }, says: 1 };
  });
}

const isClass = (name: Privileged): name is 'state' | 'species' => name === 'state' || name === 'species';

/** The columns of each photo; null where nothing is known. */
function rowsOf(attributes: readonly PhotoAttributes[], name: Privileged): (readonly number[] | null)[] {
  if (isClass(name)) {
    const classes = [...new Set(attributes.map((photo) => photo[name]))]
      .filter((value) => value !== null)
      .sort();
    return attributes.map((photo) => {
      const own = photo[name];
      return own === null ? null : classes.map((value) => Number(value === own));
    });
  }
  if (name === 'season') return attributes.map(({ date }) => (date ? season(date) : null));
  return attributes.map((photo) => {
    const value = name === 'ndvi' ? photo.ndvi : photo.heightCentimetres;
    return value === null ? null : [value];
  });
}

/** Where a day stands in the year, as a point of the unit circle. @param date ISO */
function season(date: string): readonly number[] {
  const days = (Date.parse(date) - Date.parse(`${date.slice(0, 4)}-01-01`)) / DAY_MILLISECONDS;
  const angle = (2 * Math.PI * days) / DAYS_A_YEAR;
  return [Math.sin(angle), Math.cos(angle)];
}

/** Deviations beyond which a value counts no further. */
const CLIP = 4;

/**
 * Finds on some photos how blocks become one table in which each counts as much as it says, whatever its width:
 * what is unknown becomes the mean, with a column beside it that tells so; columns are standardised, and a block's
 * variances sum to what it says.
 *
 * @param photos the photos trained on
 * @returns writes such a table of any photos
 */
export function balancedBlocks(
  blocks: readonly Block[],
  photos: readonly number[],
): (photos: readonly number[]) => Matrix {
  const writers = blocks.map((block) => blockWriter(block, photos));
  return (wanted) =>
    joinFeatureSets(writers.map((write, block) => ({ name: `block ${block}`, matrix: write(wanted) })));
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
  const of = (column: number): (number | undefined)[] =>
    Array.from({ length: rows }, (_, row) => data[row * columns + column]);
  return Array.from({ length: columns }, (_, column) => mean(of(column)) ?? 0);
}

/** Unknown values replaced by means, and a last column with 1 where a photo has any. */
function withUnknown({ rows, columns, data }: Matrix, means: readonly number[]): Matrix {
  const width = columns + 1;
  const filled = new Float64Array(rows * width);
  data.forEach((value, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    const unknown = Number.isNaN(value);
    filled[row * width + column] = unknown ? (means[column] as number) : value;
    if (unknown) filled[row * width + columns] = 1;
  });
  return { rows, columns: width, data: filled };
}
