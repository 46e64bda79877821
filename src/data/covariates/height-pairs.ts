import { rowName } from '../../formats/csv.ts';
import { readGrid } from '../../formats/spreadsheet.ts';
import { countOf } from '../../ground/counts.ts';
import { InputError } from '../../ground/errors.ts';
import { HEIGHT_UNITS, type HeightMethod, type HeightUnit, methodWords } from '../../pasture/covariates.ts';
import { fitHeightConversion, type HeightConversion, LEAST_PAIRS } from '../../pasture/height-conversion.ts';
import { knownDecimals } from '../decimals.ts';
import { isMissing } from '../missing.ts';
import { readNumber } from '../numbers.ts';
import { recognisedHeader } from '../own-table/roles.ts';
import { usualOf } from '../own-table/usual-sizes.ts';

/**
 * Fits the conversion from one way of measuring heights to another to places where both were measured: a table with a
 * column for each, whose headers say how (`Ruler (cm)`, `Falling plate (cm)`).
 *
 * @throws InputError when the table cannot be read, lacks a column, or its pairs tell no conversion
 */
export async function readHeightPairs(
  path: string,
  from: HeightMethod,
  to: HeightMethod,
): Promise<HeightConversion> {
  const { rows, commasAreFree } = await readGrid(path);
  const [top, ...body] = rows;
  const columns = (top?.cells ?? []).map((header, index) => ({ index, found: recognisedHeader(header) }));
  const { signs } = knownDecimals(
    columns.map(({ index, found }) => {
      const isUsual = usualOf(found?.role ?? null, found?.unit ?? null);
      const cells = body.map((row) => row.cells[index] ?? '');
      return { header: top?.cells[index] ?? '', cells, ...(isUsual && { isUsual }) };
    }),
    (item) => rowName(path, body[item]?.line ?? 1),
    { commasAreFree },
  );
  const valuesOf = (method: HeightMethod): number[] => {
    const column = columns.find(({ found }) => found?.role === 'height' && found.method === method);
    if (!column) {
      const words = methodWords(method);
      throw new InputError(path, `has no column of heights by ${words}`, `call one "${words} (cm)"`);
    }
    const texts = body.map(({ cells }) => cells[column.index] ?? '');
    const factor = HEIGHT_UNITS[(column.found?.unit ?? 'cm') as HeightUnit] ?? 1;
    return texts.map((text, row) => {
      if (isMissing(text)) return Number.NaN;
      const value = readNumber(text, signs[column.index]) * factor;
      if (value >= 0) return value;
      throw new InputError(rowName(path, body[row]?.line ?? 1), `"${text}" is no height`, 'give centimetres');
    });
  };
  const [given, wanted] = [valuesOf(from), valuesOf(to)];
  const pairs = given.flatMap((value, row) => {
    const other = wanted[row] ?? Number.NaN;
    return Number.isNaN(value) || Number.isNaN(other) ? [] : [{ from: value, to: other }];
  });
  const fitted = fitHeightConversion(pairs, from, to);
  if (typeof fitted !== 'string') return fitted;
  throw new InputError(
    path,
    `${fitted} (${countOf(pairs.length, 'pair')})`,
    `measure at least ${LEAST_PAIRS} places both ways, from short to tall`,
  );
}
