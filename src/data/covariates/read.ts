import { type GridRow, rowName } from '../../formats/csv.ts';
import { readGrid } from '../../formats/spreadsheet.ts';
import { InputError } from '../../ground/errors.ts';
import { HEIGHT, HEIGHT_UNITS, type HeightMethod, type HeightUnit, NDVI } from '../../pasture/covariates.ts';
import { type DecimalName, knownDecimals } from '../decimals.ts';
import { doubtfulReadings, readingIn } from '../doubtful-readings.ts';
import { isMissing, visibleText } from '../missing.ts';
import { readHeader } from '../own-table/columns.ts';
import { withComponents } from '../own-table/competition-table.ts';
import type { ColumnMapping } from '../own-table/mapping.ts';
import { heightMethodNamed, recognisedHeader, saysHeightMethod } from '../own-table/roles.ts';
import { usualOf } from '../own-table/usual-sizes.ts';
import { PhotoNames } from '../photo-names.ts';
import { type Problem, warn } from '../problems.ts';

/** A number that was measured beside a photo. */
export interface Reading {
  /** Heights in centimetres, others as they stand. */
  readonly value: number;
  /** Of heights: how they were measured; null: nobody said. */
  readonly method: HeightMethod | null;
}

/** What was measured beside one photo, by the covariate's name; heights may have been measured in several ways. */
export type PhotoReadings = ReadonlyMap<string, readonly Reading[]>;

/** How a table of covariates is read. */
export interface CovariateTableOptions {
  /** Sheet of a workbook; default the first. */
  readonly sheet?: string | undefined;
  /** What columns are, where their names do not say so. */
  readonly columns?: ColumnMapping | undefined;
  /** How heights were measured of which the table does not say it. */
  readonly method?: HeightMethod | undefined;
  /** The sign before decimals of numbers that may as well have thousands; default what the table shows. */
  readonly decimal?: DecimalName | undefined;
}

/** What a table says of photos. */
export interface CovariateTable {
  /** The covariates that it has a column of. */
  readonly names: readonly string[];
  /** What was measured beside each photo asked about; null: the table does not name it. */
  readonly photos: readonly (PhotoReadings | null)[];
  readonly problems: readonly Problem[];
}

/** A column of a covariate. */
interface Column {
  readonly name: string;
  readonly header: string;
  readonly index: number;
  readonly factor: number;
  readonly method: HeightMethod | null;
  /** Whether the header was taken for the covariate's own column, and not for one beside it. */
  readonly isMain: boolean;
}

const same = (text: string): string => visibleText(text).toLowerCase();

/**
 * Reads what a table says of photos besides masses: heights and NDVI under their usual names and units, other columns of
 * numbers under their own. Tables of the competition's layout serve.
 *
 * @param names of the covariates wanted
 * @param photos paths or ids of the photos asked about, which a row names by file or by sample id
 * @throws InputError when the table cannot be read, names no photos, or contradicts itself
 */
export async function readCovariates(
  path: string,
  names: readonly string[],
  photos: readonly string[],
  { sheet, columns: mapping, method, decimal }: CovariateTableOptions = {},
): Promise<CovariateTable> {
  const grid = withComponents(await readGrid(path, sheet));
  const { columns: read, rows, line } = readHeader(grid, mapping);
  const photo = read.find(({ role }) => role === 'photo');
  if (!photo) {
    const found = read.map(({ header }) => header).filter(Boolean);
    const what = `no column names the photos (there are ${found.slice(0, 12).join(', ') || 'none'})`;
    throw new InputError(rowName(path, line), what, 'call it photo or sample_id');
  }
  const all = read.flatMap(({ index, header, role, unit, method: said }): Column[] => {
    const base = { index, header, factor: 1, method: null, isMain: role !== null };
    const name = names.find((own) => same(own) === same(header));
    if (name !== undefined && name !== HEIGHT && name !== NDVI) return [{ ...base, name }];
    const found = recognisedHeader(header);
    if (names.includes(NDVI) && role === NDVI) return [{ ...base, name: NDVI }];
    // Heights that were measured in another way stand in columns of their own.
    if (!names.includes(HEIGHT) || (role !== HEIGHT && found?.role !== HEIGHT)) return [];
    if (role !== HEIGHT && role !== null) return [];
    const own = (unit ?? found?.unit ?? 'cm') as HeightUnit;
    const counted = own === 'clicks' ? 'rising-plate' : null;
    return [
      { ...base, name: HEIGHT, factor: HEIGHT_UNITS[own] ?? 1, method: said ?? counted ?? method ?? null },
    ];
  });
  const columns = onePerMethod(all, rowName(path, line));
  const methods = read.find(({ header, role }) => role === null && saysHeightMethod(header));
  const { signs, warnings } = knownDecimals(
    columns.map(({ header, index, name, factor }) => {
      const usual = usualOf(name === HEIGHT || name === NDVI ? name : null, null);
      const cells = rows.map((row) => row.cells[index] ?? '');
      return { header, cells, ...(usual && { isUsual: (value: number) => usual(value * factor) }) };
    }),
    (item) => rowName(path, rows[item]?.line ?? 1),
    { commasAreFree: grid.commasAreFree, decimal },
  );
  const problems: Problem[] = [...warnings];
  const index = new PhotoNames(photos);
  const places = new Map(photos.map((own, place) => [own, place]));
  const found = new Array<Map<string, Reading[]> | null>(photos.length).fill(null);
  const firstRows = new Map<number, number>();
  const asked: GridRow[] = [];

  const readingOf = (row: GridRow, column: Column, at: number): Reading | null => {
    const text = row.cells[column.index] ?? '';
    if (isMissing(text)) return null;
    const value = readingIn(text, column, signs[at]);
    const word = methods && column.name === HEIGHT ? (row.cells[methods.index] ?? '') : '';
    const told = isMissing(word) ? null : heightMethodNamed(word);
    if (value === null) return null;
    if (!isMissing(word) && told === null) {
      warn(problems, {
        code: 'not-a-number',
        where: rowName(path, row.line),
        what: `${methods?.header} "${word}" is no way of measuring that sward knows; the height counts as not measured`,
        remedy: 'write falling plate, rising plate or ruler',
      });
      return null;
    }
    return { value, method: told ?? column.method };
  };

  for (const row of rows) {
    const cell = row.cells[photo.index] ?? '';
    if (isMissing(cell)) continue;
    const named = index.named(cell);
    if (named.length > 1) {
      const what = `"${cell}" may be ${named.slice(0, 3).join(', ')}`;
      throw new InputError(rowName(path, row.line), what, 'name the photo with its folder and ending');
    }
    const place = places.get(named[0] ?? '');
    if (place === undefined) continue;
    const own = new Map<string, Reading[]>();
    columns.forEach((column, at) => {
      const reading = readingOf(row, column, at);
      if (reading) own.set(column.name, [...(own.get(column.name) ?? []), reading]);
    });
    const before = found[place];
    if (before && !alike(before, own)) {
      throw new InputError(
        rowName(path, row.line),
        `says of ${cell} other than row ${firstRows.get(place)}`,
        'keep one of the rows',
      );
    }
    found[place] = own;
    if (before) continue;
    firstRows.set(place, row.line);
    asked.push(row);
  }
  columns.forEach((column, at) => {
    const cells = asked.map((row) => ({ row: row.line, text: row.cells[column.index] ?? '' }));
    problems.push(...doubtfulReadings(path, column, cells, signs[at]));
  });
  return {
    names: names.filter((name) => columns.some((column) => column.name === name)),
    photos: found,
    problems,
  };
}

/**
 * Columns of which none says what another does: of heights measured alike the main one.
 *
 * @param where file and row of the header
 * @throws InputError where nothing tells which that is
 */
function onePerMethod(columns: readonly Column[], where: string): Column[] {
  return columns.filter((column) => {
    const rivals = columns.filter(({ name, method }) => name === column.name && method === column.method);
    if (rivals.length === 1) return true;
    const main = rivals.filter(({ isMain }) => isMain);
    if (main.length === 1) return column === main[0];
    const headers = rivals.map(({ header }) => `"${header}"`).join(' and ');
    const remedy = 'keep one, or name each by how it was measured, as "height, ruler (cm)"';
    throw new InputError(where, `${headers} may each be the ${column.name}`, remedy);
  });
}

function alike(a: PhotoReadings, b: PhotoReadings): boolean {
  return JSON.stringify([...a]) === JSON.stringify([...b]);
}
