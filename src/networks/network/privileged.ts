import { UsageError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import type { PhotoAttributes } from '../../samples/samples.ts';
import type { Privileged } from './settings.ts';

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
