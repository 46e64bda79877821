import { rowName } from '../formats/csv.ts';
import { HEIGHT, HEIGHT_LIMITS, type HeightMethod, TALLEST_SWARD } from '../pasture/covariates.ts';
import { rowsWarning } from './doubtful-rows.ts';
import { isMissing } from './missing.ts';
import { type DecimalSign, readNumber } from './numbers.ts';
import type { Problem } from './problems.ts';

/** A column of readings, in a unit that is so many of the covariate's own. */
export interface ReadingColumn {
  readonly header: string;
  /** The covariate. */
  readonly name: string;
  readonly factor: number;
  /** Of heights: how they were measured; null: nobody said. */
  readonly method: HeightMethod | null;
}

/** A cell of such a column. */
export interface ReadingCell {
  /** Line of the table. */
  readonly row: number;
  readonly text: string;
}

/**
 * A reading in the covariate's unit; null where the cell is empty or holds none, as a height below the ground is none.
 */
export function readingIn(
  text: string,
  { name, factor }: Pick<ReadingColumn, 'name' | 'factor'>,
  sign: DecimalSign | undefined,
): number | null {
  if (isMissing(text)) return null;
  const value = readNumber(text, sign) * factor;
  return Number.isFinite(value) && (name !== HEIGHT || value >= 0) ? value : null;
}

/**
 * Warnings about a column of readings: cells that hold none, and heights that no sward has.
 *
 * @param table how messages call the file
 * @param cells one a photo
 */
export function doubtfulReadings(
  table: string,
  column: ReadingColumn,
  cells: readonly ReadingCell[],
  sign: DecimalSign | undefined,
): Problem[] {
  const { header, name, factor, method } = column;
  const read = cells
    .filter(({ text }) => !isMissing(text))
    .map((cell) => ({ ...cell, value: readingIn(cell.text, column, sign) }));
  const wrong = read
    .filter(({ value }) => value === null)
    .map(
      ({ row, text }): Problem => ({
        severity: 'warning',
        code: 'not-a-number',
        where: rowName(table, row),
        what: `${header} "${text}" is no ${name} and counts as not measured`,
        remedy: 'give a number, or leave the cell empty',
      }),
    );
  if (name !== HEIGHT) return wrong;
  const most = method === null ? TALLEST_SWARD : HEIGHT_LIMITS[method][1];
  const by = method === null || method === 'ruler' ? '' : ` under a ${method.replace('-', ' ')}`;
  const tall = rowsWarning(
    read.flatMap(({ value, ...cell }) => (value !== null && value > most ? [{ ...cell, value }] : [])),
    table,
    'outlier',
    factor === 1
      ? 'is it mm? Name the unit in the header, as "Height (mm)", or correct it'
      : 'correct it, or the unit in the header',
    ({ text, value }) =>
      `${header} "${text}" is ${Number(value.toPrecision(4))} cm, higher than any sward${by} (${most} cm)`,
  );
  return [...wrong, ...tall];
}
