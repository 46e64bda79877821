import { basename, extname } from 'node:path';
import { type Grid, type GridRow, rowName } from '../../formats/csv.ts';
import { readGrid } from '../../formats/spreadsheet.ts';
import { HEIGHT_UNITS, type HeightUnit } from '../../pasture/covariates.ts';
import { completedTargets, contradictionIn, isKnown, type PartialTargets } from '../../pasture/partial.ts';
import { byMass, MASS_NAMES, type MassName, type Targets } from '../../pasture/targets.ts';
import { QUADRAT_AREA_SQUARE_METRES } from '../../pasture/units.ts';
import { type DateOrder, readDates } from '../dates.ts';
import {
  type DecimalName,
  decimalProblems,
  type NumberColumn,
  type ReadDecimals,
  readDecimals,
} from '../decimals.ts';
import { doubtfulReadings, readingIn } from '../doubtful-readings.ts';
import { doubtfulRows } from '../doubtful-rows.ts';
import type { LabelledPhoto } from '../folder.ts';
import { spellingProblems } from '../labels.ts';
import { isMissing } from '../missing.ts';
import { nearSpellings } from '../near-spellings.ts';
import { type DecimalSign, readNumber } from '../numbers.ts';
import { type Complain, complainTo, type Problem, warn } from '../problems.ts';
import { namedColumn } from '../spellings.ts';
import { type ReadColumn, type ReadHeader, readHeader } from './columns.ts';
import { withComponents } from './competition-table.ts';
import type { ColumnMapping } from './mapping.ts';
import { MassUnits } from './mass-units.ts';
import { PhotoIndex } from './photo-index.ts';
import { type ColumnRole, gramsOf, type MassUnit, recognisedMass, saysHeightMethod } from './roles.ts';
import { usualOf } from './usual-sizes.ts';

/** A table of one's own, and where its photos lie. */
export interface OwnTable {
  /** `.xlsx`, or text with separated cells. */
  readonly table: string;
  /** Folder of the photos, which may lie in folders below it. */
  readonly photos: string;
  /** Sheet of a workbook; default the first. */
  readonly sheet?: string | undefined;
  /** What columns are, where their names do not say so. */
  readonly columns?: ColumnMapping | undefined;
  /** Whether dates of numbers have the day or the month first; default what the column shows. */
  readonly dates?: DateOrder | undefined;
  /** The sign before decimals of numbers that may as well have thousands; default what the table shows. */
  readonly decimal?: DecimalName | undefined;
  /** Area of the frame; default that of the competition's quadrat. */
  readonly areaSquareMetres?: number | undefined;
}

/** How a table was understood, for people. */
export interface TableReading {
  /** `semicolons, Windows-1252`, `Excel, sheet Cuts`. */
  readonly notation: string;
  /** Line of the header. */
  readonly headerRow: number;
  /** One row a photo, or one a photo and mass. */
  readonly form: 'wide' | 'long';
  readonly columns: readonly {
    readonly column: string;
    /** Null: left out. */
    readonly role: ColumnRole | null;
    readonly unit: MassUnit | HeightUnit | null;
    readonly note: string | null;
  }[];
  /** How dates are written; null where there are none. */
  readonly dates: string | null;
  readonly areaSquareMetres: number;
}

/** Everything that is in a table of one's own. */
export interface InspectedTable {
  readonly photos: LabelledPhoto[];
  readonly problems: Problem[];
  readonly reading: TableReading;
}

/** More than this on a square metre is no yield of pasture (20 t/ha): the numbers have another unit. */
const MOST_GRAMS_A_SQUARE_METRE = 2_000;

/** Rows below the cuts that spreadsheets have for means and sums. */
const SUMMARY =
  /^(mean|average|avg|total|sum|sd|s\.d\.|se|std\.?( ?dev\.?)?|st\.? ?dev\.?|count|n|min|max|median|cv)\b/i;

/**
 * Reads a table with a row a photo, or one a photo and mass, whatever its columns are called and whatever units they
 * have, and lists every problem. Photos with an error are left out of `photos`; a mass that was neither measured nor
 * follows from others is NaN.
 *
 * @param isPhoto whether a file's name is that of a photo
 * @param named photos that the table is of, where they are known; default those below the folder
 * @throws InputError when table or folder cannot be read at all
 * @throws UsageError when there is no such sheet
 */
export async function inspectOwnTable(
  source: OwnTable,
  isPhoto: (name: string) => boolean,
  named?: PhotoIndex,
): Promise<InspectedTable> {
  const grid = withComponents(await readGrid(source.table, source.sheet));
  const header = readHeader(grid, source.columns);
  const index = named ?? (await PhotoIndex.read(source.photos, isPhoto));
  return new TableReader(source, grid, header).read(index);
}

/** Rows of one photo. */
interface PhotoRows {
  readonly imagePath: string;
  readonly path: string;
  readonly first: GridRow;
  readonly masses: { [Mass in MassName]?: number };
  readonly seen: Map<MassName, number>;
  damaged: boolean;
}

class TableReader {
  readonly #name: string;
  readonly #source: OwnTable;
  readonly #grid: Grid;
  readonly #header: ReadHeader;
  readonly #area: number;
  readonly #problems: Problem[] = [];
  readonly #decimals: ReadonlyMap<number, ReadDecimals>;

  constructor(source: OwnTable, grid: Grid, header: ReadHeader) {
    this.#source = source;
    this.#name = basename(source.table);
    this.#grid = grid;
    this.#header = header;
    this.#area = source.areaSquareMetres ?? QUADRAT_AREA_SQUARE_METRES;
    this.#decimals = this.#readDecimals();
  }

  async read(index: PhotoIndex): Promise<InspectedTable> {
    const { line, faults, doubts, rows } = this.#header;
    for (const { what, remedy } of faults) this.#complain(line)('unclear-column', what, remedy);
    const tell = complainTo(this.#problems, rowName(this.#name, line), 'warning');
    for (const { what, remedy } of doubts) tell('unclear-column', what, remedy);
    const units = this.#massUnits();
    const isReadable =
      faults.length === 0 &&
      this.#requireColumns() &&
      ![...this.#decimals.values()].some(({ example }) => example?.known === 'open') &&
      this.#requirePlausible(units);
    const photos = isReadable ? await this.#photos(index, units) : [];
    if (rows.length === 0) this.#complain(line)('empty-file', 'has a header but no row', 'add the photos');
    const dates = this.#dates(photos);
    const labels = isReadable ? this.#labels(photos, dates.dates) : [];
    const saysMethods = this.#header.columns.some(
      ({ role, header }) => role === null && saysHeightMethod(header),
    );
    return {
      photos: labels,
      problems: this.#problems,
      reading: {
        notation: this.#grid.notation,
        headerRow: line,
        form: this.#header.form,
        columns: this.#header.columns.map(({ index: place, header: column, role, unit, note, method }) => ({
          column: column || `column ${place + 1}`,
          role,
          unit: units.get(place) ?? unit,
          note:
            note ??
            notesOf([
              this.#placeNote(role, dates.notation !== null),
              role === 'height' && method === null && !saysMethods ? METHOD_UNSTATED : null,
              units.note(place),
              this.#decimals.get(place)?.note,
            ]),
        })),
        dates: dates.notation,
        areaSquareMetres: this.#area,
      },
    };
  }

  /** What photos of several places on one date are to each other. */
  #placeNote(role: ColumnRole | null, isDated: boolean): string | null {
    if (!isDated) return null;
    // Whoever walks three paddocks in a day looks at three swards of one day.
    if (role === 'paddock') return 'those of one date are one visit';
    return role === 'site' && !this.#column('state') ? 'those of one date are visits of their own' : null;
  }

  #sign(index: number): DecimalSign {
    return this.#decimals.get(index)?.sign ?? '.';
  }

  /** How the numbers of every column of numbers are read, by its place; what there is to say of that is a problem. */
  #readDecimals(): Map<number, ReadDecimals> {
    const { rows, columns } = this.#header;
    const names: readonly (ColumnRole | null)[] = [...MASS_NAMES, 'value', 'height', 'ndvi'];
    const numbers = columns.filter(({ role }) => role !== null && names.includes(role));
    const units = this.#massUnits();
    const unitOf = ({ index, unit }: ReadColumn): MassUnit | HeightUnit | null =>
      // Grams that nobody said may be kg/ha as well.
      unit ?? (units.isSupposed(index) ? null : (units.get(index) ?? null));
    const read: NumberColumn[] = numbers.map((column) => {
      const isUsual = usualOf(column.role, unitOf(column), this.#area);
      return {
        header: column.header,
        cells: rows.map(({ cells }) => cells[column.index] ?? ''),
        ...(isUsual && { isUsual }),
      };
    });
    const { commasAreFree } = this.#grid;
    const decimals = readDecimals(read, { commasAreFree, decimal: this.#source.decimal });
    const rowOf = (item: number): string => rowName(this.#name, rows[item]?.line ?? 1);
    this.#problems.push(...decimalProblems(read, decimals, rowOf));
    return new Map(numbers.map(({ index }, place) => [index, decimals[place] as ReadDecimals]));
  }

  #complain(line: number): Complain {
    return complainTo(this.#problems, rowName(this.#name, line));
  }

  #column(role: ColumnRole): ReadColumn | undefined {
    return this.#header.columns.find((column) => column.role === role);
  }

  #cell(row: GridRow, role: ColumnRole): string {
    const column = this.#column(role);
    return column ? (row.cells[column.index] ?? '') : '';
  }

  #massColumns(): readonly ReadColumn[] {
    const names: readonly ColumnRole[] = this.#header.form === 'long' ? ['value'] : MASS_NAMES;
    return this.#header.columns.filter(({ role }) => role !== null && names.includes(role));
  }

  #requireColumns(): boolean {
    const { line, columns } = this.#header;
    const known = columns
      .map(({ header }) => header)
      .filter(Boolean)
      .slice(0, 12)
      .join(', ');
    const lacking = [
      ...(this.#column('photo') ? [] : (['names the photos', 'photo=File'] as const)),
      ...(this.#massColumns().length > 0 ? [] : (['has a dry mass', 'total:g="Dry weight"'] as const)),
    ];
    for (let at = 0; at < lacking.length; at += 2) {
      const what = `no column ${lacking[at]} (there are ${known || 'none'})`;
      this.#complain(line)('wrong-header', what, `say which by --columns ${lacking[at + 1]}`);
    }
    return lacking.length === 0;
  }

  /** The unit of each column of masses: its own, or that of the others, or else grams. */
  #massUnits(): MassUnits {
    const columns = this.#massColumns();
    const known = new Set(columns.flatMap(({ unit }) => (unit === null ? [] : [unit as MassUnit])));
    const [only] = known;
    const shared = known.size === 1 && only ? only : null;
    return new MassUnits(
      columns.map(({ index, unit }) => {
        if (unit !== null) return { index, unit: unit as MassUnit, note: null };
        if (shared) return { index, unit: shared, note: `taken as ${shared}, as the others` };
        return { index, unit: 'g', note: 'no unit: taken as grams on the frame', isSupposed: true };
      }),
    );
  }

  /** Complains of masses without a unit that can be no grams. */
  #requirePlausible(units: MassUnits): boolean {
    const unclear = this.#massColumns().filter(({ index, unit, role }) => {
      if (unit !== null || units.get(index) !== 'g' || role === 'component') return false;
      const values = this.#header.rows
        .map(({ cells }) => readNumber(cells[index] ?? '', this.#sign(index)))
        .filter((value) => value > 0)
        .sort((a, b) => a - b);
      return (values[Math.floor(values.length / 2)] ?? 0) / this.#area > MOST_GRAMS_A_SQUARE_METRE;
    });
    for (const { header, role } of unclear) {
      const what = `"${header}" names no unit, and its numbers are too large for grams on ${this.#area} m²`;
      const remedy = `name the unit, as --columns ${role}:kg/ha="${header}", or the frame by --area`;
      this.#complain(this.#header.line)('unclear-column', what, remedy);
    }
    return unclear.length === 0;
  }

  /** The photos of the table with what was measured, in order of first appearance. */
  async #photos(index: PhotoIndex, units: MassUnits): Promise<PhotoRows[]> {
    const photos = new Map<string, PhotoRows>();
    for (const row of this.#header.rows) {
      const name = this.#cell(row, 'photo');
      const masses = this.#massesOf(row, units);
      if (isMissing(name)) {
        this.#leaveOut(row, 'names no photo');
        continue;
      }
      if (masses.length === 0) {
        this.#leaveOut(row, `has no mass of ${name}`);
        continue;
      }
      const found = await index.find(name);
      if ('what' in found) {
        if (SUMMARY.test(name)) this.#leaveOut(row, `"${name}" is a summary, no photo`);
        else this.#complain(row.line)('missing-photo', found.what, found.remedy);
        continue;
      }
      const known = photos.get(found.path);
      const photo: PhotoRows = known ?? { ...found, first: row, masses: {}, seen: new Map(), damaged: false };
      photos.set(found.path, photo);
      const complain: Complain = (...fault) => {
        photo.damaged = true;
        this.#complain(row.line)(...fault);
      };
      if (known && this.#header.form === 'wide') {
        const what = `gives photo ${name} a second time, as row ${known.first.line} has it`;
        complain('duplicate-row', what, 'keep one of the rows');
        continue;
      }
      if (known) this.#compareFacts(row, known.first, complain);
      for (const mass of masses) this.#take(photo, mass, row, complain);
    }
    return [...photos.values()];
  }

  #leaveOut(row: GridRow, why: string): void {
    warn(this.#problems, {
      code: 'left-out',
      where: rowName(this.#name, row.line),
      what: `is left out: it ${why.startsWith('"') ? `has no photo: ${why}` : why}`,
      remedy: 'nothing is to be done unless it should be there',
    });
  }

  /** The cells of masses that say something. */
  #massesOf(row: GridRow, units: MassUnits): MassCell[] {
    if (this.#header.form === 'long') {
      const column = this.#column('value');
      const text = this.#cell(row, 'value');
      if (!column || isMissing(text)) return [];
      const word = this.#cell(row, 'component');
      const known = recognisedMass(word);
      const unit = column.unit === null ? (known?.unit ?? units.get(column.index)) : units.get(column.index);
      return [{ mass: known?.mass ?? null, word, text, unit: unit ?? 'g', index: column.index }];
    }
    return this.#massColumns().flatMap(({ index, role, header }) => {
      const text = row.cells[index] ?? '';
      const unit = units.get(index) ?? 'g';
      return isMissing(text) ? [] : [{ mass: role as MassName, word: header, text, unit, index }];
    });
  }

  #take(photo: PhotoRows, cell: MassCell, row: GridRow, complain: Complain): void {
    const { mass, word, text, unit, index } = cell;
    if (mass === null) {
      warn(this.#problems, {
        code: 'unknown-target',
        where: rowName(this.#name, row.line),
        what: `"${word}" is none of ${MASS_NAMES.join(', ')} and left out`,
        remedy: 'call it one of these if it is',
      });
      return;
    }
    const before = photo.seen.get(mass);
    if (before !== undefined) {
      complain(
        'duplicate-row',
        `gives ${mass} a second time, as row ${before} has it`,
        'keep one of the rows',
      );
      return;
    }
    photo.seen.set(mass, row.line);
    const value = readNumber(text, this.#sign(index));
    if (!Number.isFinite(value)) {
      complain(
        'not-a-number',
        `${word} "${text}" is not a number`,
        'give the dry mass, or leave the cell empty',
      );
    } else if (value < 0) {
      complain('negative-mass', `${word} ${text} is negative`, 'give the dry mass, 0 or more');
    } else photo.masses[mass] = gramsOf(value, unit, this.#area);
  }

  #compareFacts(row: GridRow, first: GridRow, complain: Complain): void {
    const role = (['date', 'state', 'site', 'paddock'] as const).find((name) => {
      const [own, other] = [this.#cell(row, name), this.#cell(first, name)];
      return own.toLowerCase() !== other.toLowerCase();
    });
    if (role === undefined) return;
    const what = `${role} "${this.#cell(row, role)}" differs from "${this.#cell(first, role)}" in row ${first.line}`;
    complain('contradicting-row', what, 'give the same value in all rows of a photo');
  }

  #dates(photos: readonly PhotoRows[]): ReturnType<typeof readDates> {
    const column = this.#column('date');
    const read = readDates(
      photos.map(({ first }) => ({ text: this.#cell(first, 'date'), row: first.line })),
      { order: this.#source.dates },
    );
    for (const { kind, row, what, remedy } of read.faults) {
      const code = { unreadable: 'bad-date', mixed: 'mixed-dates', ambiguous: 'date-notation' } as const;
      this.#complain(row)(code[kind], `${column?.header}: ${what}`, remedy);
    }
    return read;
  }

  #labels(photos: readonly PhotoRows[], dates: readonly (string | null)[]): LabelledPhoto[] {
    const names = (role: ColumnRole): readonly (string | null)[] => {
      const cells = photos.map(({ first }) => this.#cell(first, role));
      const column = namedColumn(cells, role === 'state' ? 'States' : 'names');
      this.#problems.push(...spellingProblems(this.#name, this.#column(role)?.header ?? role, column));
      return column.names;
    };
    const [states, sites, paddocks, species] = [
      names('state'),
      names('site'),
      names('paddock'),
      names('species'),
    ] as const;
    const heights = this.#readings(photos, 'height', HEIGHT_UNITS[this.#heightUnit()]);
    const ndvis = this.#readings(photos, 'ndvi', 1);
    const ids = idsOf(photos.map(({ imagePath }) => imagePath));
    // Paddocks of one day are of one visit.
    const isDated = dates.some((date) => date !== null);
    this.#doubt(photos, ids, dates);
    this.#doubtNames('state', states, dates);
    if (states.every((state) => state === null)) {
      this.#doubtNames('site', sites, dates);
      if (!isDated) this.#doubtNames('paddock', paddocks, dates);
    }
    return photos.flatMap((photo, item) => {
      const targets = this.#targetsOf(photo, ids[item] ?? '');
      if (!targets) return [];
      return {
        imageId: ids[item] ?? '',
        imagePath: photo.imagePath,
        path: photo.path,
        targets,
        date: dates[item] ?? null,
        state: states[item] ?? null,
        site: sites[item] ?? (isDated ? null : (paddocks[item] ?? null)),
        species: species[item] ?? null,
        ndvi: ndvis[item] ?? null,
        heightCentimetres: heights[item] ?? null,
        row: photo.first.line,
      };
    });
  }

  #doubt(photos: readonly PhotoRows[], ids: readonly string[], dates: readonly (string | null)[]): void {
    const rows = photos.map(({ first, masses }, item) => ({
      imageId: ids[item] ?? '',
      row: first.line,
      date: dates[item] ?? null,
      masses,
    }));
    this.#problems.push(...doubtfulRows(this.#name, rows, this.#area));
  }

  #doubtNames(
    role: 'state' | 'site' | 'paddock',
    names: readonly (string | null)[],
    dates: readonly (string | null)[],
  ): void {
    const places = names.map((name, item) => ({ name, date: dates[item] ?? null }));
    const what = role === 'state' ? 'States' : 'names';
    this.#problems.push(...nearSpellings(this.#name, this.#column(role)?.header ?? role, places, what));
  }

  #heightUnit(): HeightUnit {
    const unit = this.#column('height')?.unit ?? 'cm';
    return unit in HEIGHT_UNITS ? (unit as HeightUnit) : 'cm';
  }

  /** The masses of a photo with those that follow; null where something of it is wrong. */
  #targetsOf({ masses, damaged, first }: PhotoRows, id: string): Targets | null {
    if (damaged) return null;
    const targets = completedTargets(masses as PartialTargets);
    // Sums may stray by as much on a large frame as on a small one, in kg/ha.
    const share = Math.min(1, QUADRAT_AREA_SQUARE_METRES / this.#area);
    const contradiction = contradictionIn(byMass((mass) => targets[mass] * share));
    if (contradiction !== null) {
      const what = `${id}: ${contradiction}`;
      this.#complain(first.line)('broken-identity', what, 'correct the masses, or leave one of them empty');
      return null;
    }
    if (MASS_NAMES.some((mass) => isKnown(targets, mass))) return targets;
    this.#leaveOut(first, `has no mass of ${id}`);
    return null;
  }

  #readings(photos: readonly PhotoRows[], role: 'height' | 'ndvi', factor: number): (number | null)[] {
    const column = this.#column(role);
    if (!column) return photos.map(() => null);
    const sign = this.#sign(column.index);
    const reading = { header: column.header, name: role, factor, method: column.method };
    const cells = photos.map(({ first }) => ({ row: first.line, text: this.#cell(first, role) }));
    this.#problems.push(...doubtfulReadings(this.#name, reading, cells, sign));
    return cells.map(({ text }) => readingIn(text, reading, sign));
  }
}

/** A cell that holds a mass. */
interface MassCell {
  /** Null: of a long table, a word that is no mass. */
  readonly mass: MassName | null;
  readonly word: string;
  readonly text: string;
  readonly unit: MassUnit;
  /** Place of the column. */
  readonly index: number;
}

const METHOD_UNSTATED = 'how it was measured is not said: train with --height-method, where it counts';

/** Notes in one; null where there is none. */
function notesOf(notes: readonly (string | null | undefined)[]): string | null {
  const said = notes.filter((note) => note !== null && note !== undefined);
  return said.length > 0 ? said.join('; ') : null;
}

/** What photos are called: their files without ending, or with their folders where names are repeated. */
function idsOf(paths: readonly string[]): string[] {
  const stem = (path: string): string => path.slice(0, path.length - extname(path).length);
  const names = paths.map((path) => basename(stem(path)));
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const ids = paths.map((path, item) =>
    (counts.get(names[item] ?? '') ?? 0) > 1 ? stem(path) : (names[item] ?? ''),
  );
  return new Set(ids).size === ids.length ? ids : [...paths];
}
