import { rowName } from '../formats/csv.ts';
import { quantileSorted } from '../ground/statistics.ts';
import { MASS_NAMES, type MassName } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare, QUADRAT_AREA_SQUARE_METRES } from '../pasture/units.ts';
import type { Problem } from './problems.ts';

/** A photo with what was measured of it, as far as doubts ask. */
interface MeasuredRow {
  readonly imageId: string;
  readonly row: number;
  /** ISO date. */
  readonly date: string | null;
  /** Grams on the frame; NaN or absent: not measured. */
  readonly masses: { readonly [Mass in MassName]?: number };
}

/** More is on no pasture that sward knows of, kg DM/ha. */
const MOST = 15_000;
/** So much is rare, and a slip of the pen where it is many times what the other rows have, kg DM/ha. */
const RARE = { kilograms: 10_000, times: 20 } as const;
/** Rows that a message names at most. */
const ROWS_NAMED = 3;
/** Before there were digital cameras. */
const FIRST_DATE = '1990-01-01';
const DAY_MILLISECONDS = 86_400_000;

/** Warnings about rows that are possible and hardly right: masses far above all pasture, and dates no photo can have. */
export function doubtfulRows(
  table: string,
  rows: readonly MeasuredRow[],
  area: number = QUADRAT_AREA_SQUARE_METRES,
): Problem[] {
  return [...heavyRows(table, rows, area), ...impossibleDates(table, rows)];
}

function heavyRows(table: string, rows: readonly MeasuredRow[], area: number): Problem[] {
  const yieldOf = ({ masses }: MeasuredRow, mass: MassName): number =>
    gramsToKilogramsPerHectare(masses[mass] ?? Number.NaN, area);
  const medians = new Map(
    MASS_NAMES.map((mass) => {
      const known = rows.map((row) => yieldOf(row, mass)).filter((value) => value > 0);
      return [
        mass,
        quantileSorted(
          known.sort((a, b) => a - b),
          0.5,
        ),
      ];
    }),
  );
  const isHeavy = (row: MeasuredRow, mass: MassName): boolean => {
    const value = yieldOf(row, mass);
    return value > MOST || (value > RARE.kilograms && value > RARE.times * (medians.get(mass) ?? value));
  };
  const heavy = rows.flatMap((row) => {
    const mass = MASS_NAMES.find((name) => isHeavy(row, name));
    return mass ? [{ ...row, mass, tonnes: yieldOf(row, mass) / 1_000 }] : [];
  });
  return rowsWarning(
    heavy,
    table,
    'outlier',
    'correct it, its unit or the frame, or leave the row out',
    ({ imageId, mass, tonnes }) =>
      `${mass} of ${imageId} is ${tonnes.toFixed(1)} t DM/ha, more than pasture has`,
  );
}

function impossibleDates(table: string, rows: readonly MeasuredRow[]): Problem[] {
  // East of Greenwich a day begins earlier.
  const tomorrow = new Date(Date.now() + DAY_MILLISECONDS).toISOString().slice(0, 10);
  const odd = rows.flatMap(({ date, ...row }) =>
    date !== null && (date > tomorrow || date < FIRST_DATE) ? [{ ...row, date }] : [],
  );
  return rowsWarning(
    odd,
    table,
    'odd-date',
    'correct the date',
    ({ imageId, date }) =>
      `${imageId} is of ${date}, ${date > tomorrow ? 'which is yet to come' : 'before there were such photos'}`,
  );
}

/** One warning about some rows, that names the first and a few more; none where there are none. */
export function rowsWarning<Row extends { readonly row: number }>(
  rows: readonly Row[],
  table: string,
  code: Problem['code'],
  remedy: string,
  says: (row: Row) => string,
): Problem[] {
  const [first, ...more] = rows;
  if (!first) return [];
  const named = more.slice(0, ROWS_NAMED).map(({ row }) => row);
  const rest = more.length > named.length ? ' …' : '';
  const further =
    more.length > 0
      ? ` (and ${more.length} more: ${named.length > 1 ? 'rows' : 'row'} ${named.join(', ')}${rest})`
      : '';
  return [
    { severity: 'warning', code, where: rowName(table, first.row), what: `${says(first)}${further}`, remedy },
  ];
}
