import type { Grid, GridRow } from '../../formats/csv.ts';
import type { HeightMethod, HeightUnit } from '../../pasture/covariates.ts';
import { MASS_NAMES, type MassName } from '../../pasture/targets.ts';
import { isMissing, visibleText } from '../missing.ts';
import type { ColumnMapping } from './mapping.ts';
import {
  COLUMN_ROLES,
  type ColumnRole,
  freshHeader,
  goesWithFresh,
  type MassUnit,
  type RecognisedHeader,
  recognisedHeader,
  recognisedMass,
  saysDry,
  saysWeight,
  unclearHeader,
} from './roles.ts';

/** Rows at the top among which the header is looked for: titles may stand above it. */
const HEADER_WITHIN = 25;
/** Share of a column's cells that must be names of masses for it to say which mass a row is of. */
const MOSTLY = 0.8;

/** What is told of a column that nobody knows. */
const NOT_UNDERSTOOD = 'not understood';

/** A column with what it is taken for. */
export interface ReadColumn {
  /** Place in the rows. */
  readonly index: number;
  readonly header: string;
  /** Null: left out. */
  readonly role: ColumnRole | null;
  readonly unit: MassUnit | HeightUnit | null;
  /** Of heights: how they were measured; null: nobody said. */
  readonly method: HeightMethod | null;
  /** Whether a person said so. */
  readonly stated: boolean;
  /** Why it is left out, or what there is to say of it. */
  readonly note: string | null;
}

/** What is wrong with a header. */
export interface HeaderFault {
  readonly what: string;
  readonly remedy: string;
}

/** A table whose header is known. */
export interface ReadHeader {
  readonly line: number;
  readonly columns: readonly ReadColumn[];
  readonly rows: readonly GridRow[];
  /** One row a photo, or one a photo and mass. */
  readonly form: 'wide' | 'long';
  readonly faults: readonly HeaderFault[];
  /** Columns that are left out and look as if they were wanted. */
  readonly doubts: readonly HeaderFault[];
}

/** The header of a table, and what each of its columns is: what a person said, or else what its name says. */
export function readHeader({ rows }: Grid, mapping: ColumnMapping = {}): ReadHeader {
  const at = headerAt(rows, mapping);
  const top = rows[at] ?? { line: 1, cells: [] };
  const body = rows.slice(at + 1);
  const width = Math.max(top.cells.length, ...body.map(({ cells }) => cells.length), 0);
  const headers = Array.from({ length: width }, (_, index) => visibleText(top.cells[index] ?? ''));
  const cellsOf = (index: number): string[] => body.map(({ cells }) => cells[index] ?? '');
  const faults: HeaderFault[] = [];
  const stated = statedColumns(headers, mapping, faults);
  const refused = new Set(COLUMN_ROLES.filter((role) => mapping[role] !== undefined));
  const component = stated.get('component') ?? componentColumn(headers, cellsOf, stated);
  const form = component === undefined ? 'wide' : 'long';
  const guessed = headers.map((header, index) => {
    if ([...stated.values()].includes(index)) return null;
    if (index === component) return { role: 'component' as const, unit: null, rank: 0, method: null };
    const found = recognisedHeader(header);
    if (!found || found.role === 'component' || refused.has(found.role)) return null;
    if (form === 'wide') return found.role === 'value' ? null : found;
    // Of a long table, a column named after all dry matter holds the masses.
    return isMass(found.role) ? { ...found, role: 'value' as const, rank: 1 } : found;
  });
  const columns = headers.map((header, index): ReadColumn => {
    const base = { index, header, method: recognisedHeader(header)?.method ?? null };
    const said = [...stated].find(([, column]) => column === index)?.[0];
    if (said) {
      const unit = mapping[said]?.unit ?? recognisedHeader(header)?.unit ?? null;
      return { ...base, role: said, unit, stated: true, note: null };
    }
    const guess = guessed[index];
    const isEmpty = cellsOf(index).every((cell) => cell === '');
    const left = (note: string): ReadColumn => ({ ...base, role: null, unit: null, stated: false, note });
    if (!guess) return left(isEmpty ? 'empty' : NOT_UNDERSTOOD);
    const rivals = guessed.flatMap((other, place) =>
      other?.role === guess.role ? { place, rank: other.rank } : [],
    );
    const best = Math.min(...rivals.map(({ rank }) => rank));
    const first = rivals.filter(({ rank }) => rank === best);
    if (guess.rank > best) return left(`${headers[first[0]?.place ?? 0]} is the ${guess.role}`);
    if (
      first.length > 1 &&
      guess.role === 'height' &&
      differInMethod(first.map(({ place }) => guessed[place]))
    ) {
      if (first[0]?.place !== index) return left('a height measured otherwise');
    } else if (first.length > 1) {
      if (first[0]?.place === index)
        faults.push(
          rivalry(
            guess.role,
            first.map(({ place }) => headers[place] ?? ''),
          ),
        );
      return left(`one of ${first.length} columns that may be the ${guess.role}`);
    }
    return { ...base, role: guess.role, unit: guess.unit, stated: false, note: null };
  });
  const shown = columns.filter(({ header, note }) => header !== '' || note !== 'empty');
  const words = component === undefined ? [] : cellsOf(component);
  faults.push(...freshWeights(shown, words));
  return { line: top.line, columns: shown, rows: body, form, faults, doubts: unclearColumns(shown, refused) };
}

/** Columns that are not understood and say that they are a mass or a height, of which there is no other column. */
function unclearColumns(columns: readonly ReadColumn[], refused: ReadonlySet<ColumnRole>): HeaderFault[] {
  return columns.flatMap(({ header, role, note }) => {
    const unclear =
      role === null && note === NOT_UNDERSTOOD ? (unclearHeader(header) ?? freshHeader(header)) : null;
    if (!unclear || refused.has(unclear.role) || columns.some((other) => other.role === unclear.role))
      return [];
    return { what: `"${header}" is left out: it ${unclear.what}`, remedy: unclear.remedy };
  });
}

/**
 * Weights of which nobody says that they are dry, beside a share of dry matter or the weight of a bag: they may be of
 * fresh plants.
 *
 * @param words of a long table, which may say it
 */
function freshWeights(columns: readonly ReadColumn[], words: readonly string[]): HeaderFault[] {
  const sign = columns.find(({ role, header }) => role === null && goesWithFresh(header));
  if (!sign || words.some(saysDry)) return [];
  const weights = columns.filter(
    ({ role, unit }) =>
      role !== null && (role === 'value' || isMass(role)) && unit !== 'kg/ha' && unit !== 't/ha',
  );
  const isAnyDry = weights.some(({ header }) => saysDry(header));
  const open = weights.filter(
    ({ header, stated }) => !stated && !saysDry(header) && (saysWeight(header) || !isAnyDry),
  );
  if (open.length === 0) return [];
  const headers = open.map(({ header }) => `"${header}"`).join(' and ');
  const said = open.map(({ role, header }) => `${role}="${header}"`).join(',');
  const what = `${headers} may be of fresh plants, as there is "${sign.header}" beside ${open.length > 1 ? 'them' : 'it'}`;
  return [
    {
      what,
      remedy: `name the dry masses, as --columns ${said} if ${open.length > 1 ? 'those are' : 'that is'} dry`,
    },
  ];
}

const differInMethod = (heights: readonly (RecognisedHeader | null | undefined)[]): boolean =>
  new Set(heights.map((found) => found?.method)).size === heights.length;

const isMass = (role: ColumnRole): role is MassName => (MASS_NAMES as readonly string[]).includes(role);

function rivalry(role: ColumnRole, headers: readonly string[]): HeaderFault {
  return {
    what: `the columns ${headers.map((header) => `"${header}"`).join(' and ')} may both be the ${role}`,
    remedy: `say which by --columns ${role}="${headers[0]}"`,
  };
}

/** The place of the header: the first row that names a photo column and another, or else the first of all. */
function headerAt(rows: readonly GridRow[], mapping: ColumnMapping): number {
  const said = new Set(Object.values(mapping).map(({ column }) => same(column)));
  const known = rows.slice(0, HEADER_WITHIN).map(({ cells }) => {
    const roles = cells.flatMap((cell) => {
      if (cell === '') return [];
      return said.has(same(cell)) ? ['photo' as const] : (recognisedHeader(cell)?.role ?? []);
    });
    return cells.filter((cell) => cell !== '').length > 1 && roles.length > 1 ? new Set(roles).size : 0;
  });
  const most = Math.max(0, ...known);
  return most > 0 ? known.indexOf(most) : 0;
}

const same = (text: string): string => visibleText(text).toLowerCase();

/** Where the columns are that a person named: exactly, or else whatever capitals and blanks they were named with. */
function statedColumns(
  headers: readonly string[],
  mapping: ColumnMapping,
  faults: HeaderFault[],
): ReadonlyMap<ColumnRole, number> {
  const found = new Map<ColumnRole, number>();
  for (const role of COLUMN_ROLES) {
    const name = mapping[role]?.column;
    if (name === undefined || name === '') continue;
    const exact = headers.indexOf(name);
    const index = exact >= 0 ? exact : headers.findIndex((header) => same(header) === same(name));
    if (index >= 0) found.set(role, index);
    else {
      const known = headers.filter((header) => header !== '').join(', ');
      faults.push({ what: `there is no column "${name}" for ${role}`, remedy: `name one of ${known}` });
    }
  }
  return found;
}

/** The column whose cells are names of masses. */
function componentColumn(
  headers: readonly string[],
  cellsOf: (index: number) => readonly string[],
  stated: ReadonlyMap<ColumnRole, number>,
): number | undefined {
  const taken = [...stated.values()];
  const index = headers.findIndex((_, column) => {
    const cells = cellsOf(column).filter((cell) => !isMissing(cell));
    const named = cells.filter((cell) => recognisedMass(cell) !== null).length;
    return !taken.includes(column) && named >= 2 && named >= MOSTLY * cells.length;
  });
  // A column of species may read so as well; it says which mass a row is of where another one has the masses.
  if (index < 0) return undefined;
  const roles = headers.map((header) => recognisedHeader(header)?.role);
  const isWide = roles.filter((role) => role !== undefined && isMass(role)).length > 1;
  const hasValue = stated.has('value') || roles.some((role) => role === 'value' || (role && isMass(role)));
  return !isWide && hasValue ? index : undefined;
}
