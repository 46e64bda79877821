import { type CsvRow, type CsvTable, rowName } from '../formats/csv.ts';
import { HEIGHT, NDVI } from '../pasture/covariates.ts';
import { completedTargets, contradictionIn } from '../pasture/partial.ts';
import { IDENTITY_TOLERANCE_GRAMS } from '../pasture/physics.ts';
import {
  isTargetName,
  TARGET_NAMES,
  type TargetName,
  type Targets,
  targetsFromArray,
} from '../pasture/targets.ts';
import { type DateOrder, readDates } from './dates.ts';
import { knownDecimals } from './decimals.ts';
import { doubtfulReadings, readingIn } from './doubtful-readings.ts';
import { doubtfulRows } from './doubtful-rows.ts';
import { isMissing } from './missing.ts';
import { nearSpellings } from './near-spellings.ts';
import { type DecimalSign, readNumber } from './numbers.ts';
import { type Complain, complainTo, type Problem, warn } from './problems.ts';
import { splitSampleId } from './sample-id.ts';
import { namedColumn, spellingKey, spellingsText, stateName } from './spellings.ts';
import { isUsualHeight, isUsualMass, isUsualNdvi } from './usual-sizes.ts';

/** What was measured on one quadrat, and where and when. Unknown metadata is null. */
export interface Label {
  readonly imageId: string;
  /** As written in `image_path`; null where the table has no such column. */
  readonly imagePath: string | null;
  /** Grams; of masses that were not measured what follows from those that were, NaN where nothing does. */
  readonly targets: Targets;
  /** ISO date. */
  readonly date: string | null;
  readonly state: string | null;
  /** Site, which tells visits apart where States do not; the paddock where dates tell nothing apart. */
  readonly site?: string | null;
  readonly species: string | null;
  /** Pre-grazing GreenSeeker NDVI. */
  readonly ndvi: number | null;
  /** Mean falling-plate height, cm. */
  readonly heightCentimetres: number | null;
  /** Row of the photo's first line in the table. */
  readonly row: number;
}

/** Columns without which a table of labels cannot be read. */
export const LABEL_COLUMNS = ['sample_id', 'target'] as const;

/** What a table of labels says. */
export interface ParsedLabels {
  readonly labels: Label[];
  readonly problems: Problem[];
  /** Ids of photos of which nothing was measured. */
  readonly unmeasured: readonly string[];
  /** How dates are written; null where there are none. */
  readonly dates: string | null;
}

/** Rows of one photo. */
interface Group {
  readonly first: CsvRow;
  readonly masses: Map<TargetName, number>;
  damaged: boolean;
}

/** What all rows of a photo must say alike. */
const METADATA = 'image_path Sampling_Date State Paddock Species Pre_GSHH_NDVI Height_Ave_cm'.split(' ');
/** Columns of numbers that labels have beside the masses. */
const READINGS = ['Pre_GSHH_NDVI', 'Height_Ave_cm'] as const;

/** How labels are read where a table does not tell. */
export interface LabelOptions {
  /** Whether dates of numbers have the day or the month first; default what the column shows, or else the month. */
  readonly dates?: DateOrder | undefined;
  /** Area of the frame; default that of the competition's quadrat. */
  readonly areaSquareMetres?: number | undefined;
}

/**
 * Reads a long table of labels (one row a photo and target, in any order) into one {@link Label} a photo, in
 * order of first appearance, and lists every problem met. Photos with an error are left out of `labels`. A mass may be
 * missing, as a row or as an empty cell; a photo of which nothing was measured is left out with a warning.
 *
 * @param name how messages call the file
 */
export function parseLabels(
  table: CsvTable,
  name: string,
  { dates: order, areaSquareMetres }: LabelOptions = {},
): ParsedLabels {
  const problems: Problem[] = [];
  const complainAt = (line: number): Complain => complainTo(problems, rowName(name, line));
  const groups = new Map<string, Group>();
  const sign = signsOf(table, name, problems);
  for (const row of table.rows) {
    const text = row.cells.sample_id ?? '';
    const id = splitSampleId(text);
    if (!id) {
      const what = `sample_id "${text}" is not <image id>__<target>`;
      complainAt(row.line)('malformed-id', what, 'correct the id');
      continue;
    }
    const group: Group = groups.get(id.imageId) ?? { first: row, masses: new Map(), damaged: false };
    groups.set(id.imageId, group);
    const complain: Complain = (...fault) => {
      group.damaged = true;
      complainAt(row.line)(...fault);
    };
    readMass(row, id.target, group, sign('target'), complain);
    compareMetadata(row, group.first, complain);
  }
  const photos = [...groups].map(([imageId, group]) => ({ imageId, group, cells: group.first.cells }));
  const dates = readDates(
    photos.map(({ cells, group }) => ({ text: cells.Sampling_Date ?? '', row: group.first.line })),
    { order, unlessShown: 'mdy' },
  );
  for (const { kind, row, what, remedy } of dates.faults) {
    complainAt(row)(kind === 'mixed' ? 'mixed-dates' : 'bad-date', `Sampling_Date: ${what}`, remedy);
  }
  if (dates.order !== null && order === undefined && (dates.order === 'dmy' || !dates.isShown)) {
    warn(problems, {
      code: 'date-notation',
      where: name,
      what: `Sampling_Date is read as ${dates.notation}`,
      remedy: 'write dates as 2015/9/4, or say --dates dmy or --dates mdy',
    });
  }
  const places = new Map(table.rows.map((row, place) => [row, place]));
  const states = namedColumn(
    table.rows.map(({ cells }) => cells.State),
    'States',
  );
  const species = namedColumn(
    table.rows.map(({ cells }) => cells.Species),
    'names',
  );
  const paddocks = namedColumn(
    table.rows.map(({ cells }) => cells.Paddock),
    'names',
  );
  // Paddocks walked on one day share its light and weather, and are visits of their own only where no other day is left.
  const isOneDay = new Set(dates.dates).size <= 1;
  problems.push(...spellingProblems(name, 'State', states), ...spellingProblems(name, 'Species', species));
  for (const column of READINGS) {
    const cells = photos.map(({ cells: own, group }) => ({ row: group.first.line, text: own[column] ?? '' }));
    problems.push(...doubtfulReadings(name, COLUMN_OF[column], cells, sign(column)));
  }
  problems.push(...commaProblems(table, name, sign));
  const isMixed = dates.faults.some(({ kind }) => kind === 'mixed');
  const unmeasured: string[] = [];
  const labels = photos.flatMap(({ imageId, group }, photo) => {
    const isBad = isMixed || dates.faults.some(({ row }) => row === group.first.line);
    const tell: Complain = (...fault) => {
      unmeasured.push(imageId);
      complainTo(problems, rowName(name, group.first.line), 'warning')(...fault);
    };
    const masses = massesOf(imageId, group, isBad, complainAt(group.first.line), tell);
    if (!masses) return [];
    const { cells, line } = group.first;
    const place = places.get(group.first) ?? 0;
    return {
      imageId,
      imagePath: cells.image_path ?? null,
      targets: masses,
      date: dates.dates[photo] ?? null,
      state: states.names[place] ?? null,
      ...(isOneDay && { site: paddocks.names[place] ?? null }),
      species: species.names[place] ?? null,
      ndvi: readingIn(cells.Pre_GSHH_NDVI ?? '', COLUMN_OF.Pre_GSHH_NDVI, sign('Pre_GSHH_NDVI')),
      heightCentimetres: readingIn(cells.Height_Ave_cm ?? '', COLUMN_OF.Height_Ave_cm, sign('Height_Ave_cm')),
      row: line,
    };
  });
  problems.push(
    ...nearSpellings(
      name,
      'State',
      labels.map(({ state, date }) => ({ name: state, date })),
      'States',
    ),
    ...doubtfulRows(
      name,
      labels.map((label) => ({ ...label, masses: label.targets })),
      areaSquareMetres,
    ),
  );
  if (table.rows.length === 0)
    complainAt(1)('empty-file', 'has a header but no row', 'add the labelled photos');
  return { labels, problems, unmeasured, dates: dates.notation };
}

/** What the target column and the readings hold. */
const USUAL = {
  target: (grams: number) => isUsualMass(grams),
  Pre_GSHH_NDVI: isUsualNdvi,
  Height_Ave_cm: isUsualHeight,
} as const;

/** The sign before decimals of each column of numbers. @throws InputError where nothing tells it */
function signsOf(
  { rows, columns, commasAreFree }: CsvTable,
  table: string,
  problems: Problem[],
): (column: string) => DecimalSign {
  const names = (['target', ...READINGS] as const).filter((column) => columns.includes(column));
  const numbers = names.map((header) => ({
    header,
    cells: rows.map(({ cells }) => cells[header] ?? ''),
    isUsual: USUAL[header],
  }));
  const rowOf = (item: number): string => rowName(table, rows[item]?.line ?? 1);
  const { signs, warnings } = knownDecimals(numbers, rowOf, { commasAreFree });
  problems.push(...warnings);
  const known = new Map<string, DecimalSign>(names.map((name, place) => [name, signs[place] ?? '.']));
  return (column) => known.get(column) ?? '.';
}

function readMass(
  { cells }: CsvRow,
  target: string,
  { masses }: Group,
  sign: DecimalSign,
  complain: Complain,
): void {
  const named = cells.target_name ?? target;
  if (!isTargetName(target) || named !== target) {
    const what =
      named === target ? `unknown target ${target}` : `sample_id says ${target}, target_name ${named}`;
    complain('unknown-target', what, `use one of ${TARGET_NAMES.join(', ')}`);
    return;
  }
  if (masses.has(target)) {
    complain('duplicate-row', `gives ${cells.sample_id} a second time`, 'keep one of the rows');
    return;
  }
  const text = cells.target ?? '';
  const mass = isMissing(text) ? Number.NaN : readNumber(text, sign);
  if (!isMissing(text) && !Number.isFinite(mass)) {
    complain('not-a-number', `target "${text}" is not a number of grams`, 'give the dry mass in grams');
  } else if (mass < 0) {
    complain('negative-mass', `target ${text} g is negative`, 'give the dry mass in grams, 0 or more');
  }
  masses.set(target, mass);
}

/** Names are the same however they are spelt. */
const comparable: Readonly<Record<string, (text: string) => string>> = {
  State: (text) => spellingKey(stateName(text)),
  Species: spellingKey,
};

function compareMetadata(row: CsvRow, first: CsvRow, complain: Complain): void {
  const column = METADATA.find((name) => {
    const [own, other] = [row.cells[name], first.cells[name]];
    const plain = comparable[name];
    return own !== other && (!plain || plain(own ?? '') !== plain(other ?? ''));
  });
  if (column === undefined) return;
  const what = `${column} "${row.cells[column]}" differs from "${first.cells[column]}" in row ${first.line}`;
  complain('contradicting-row', what, 'give the same value in all rows of a photo');
}

/** The masses of a photo with those that follow; null where something of it is wrong or none is known, which has been told. */
function massesOf(
  imageId: string,
  { masses, damaged }: Group,
  isBad: boolean,
  complain: Complain,
  tell: Complain,
): Targets | null {
  const measured = targetsFromArray(TARGET_NAMES.map((target) => masses.get(target) ?? Number.NaN));
  const targets = completedTargets(measured);
  // A bad mass would break the sums as well and be told of twice.
  return damaged || isBad || !isUsable(imageId, targets, complain, tell) ? null : targets;
}

/** Warnings about names that are written in several ways. */
export function spellingProblems(
  where: string,
  column: string,
  { varied }: ReturnType<typeof namedColumn>,
): Problem[] {
  return varied.map((spellings) => ({
    severity: 'warning',
    code: 'varied-spelling',
    where,
    what: `${column} ${spellings.name} is written in ${spellings.written.length} ways: ${spellingsText(spellings)}; they are taken for one`,
    remedy: 'write it in one way',
  }));
}

/** What the columns of readings hold; the competition's heights are a falling plate's. */
const COLUMN_OF = {
  Pre_GSHH_NDVI: { header: 'Pre_GSHH_NDVI', name: NDVI, factor: 1, method: null },
  Height_Ave_cm: { header: 'Height_Ave_cm', name: HEIGHT, factor: 1, method: 'falling-plate' },
} as const;

/** Warnings about columns with decimal commas in a file that separates cells by commas, as where Excel wrote one column. */
function commaProblems(
  { rows, commasAreFree }: CsvTable,
  name: string,
  sign: (column: string) => DecimalSign,
): Problem[] {
  if (commasAreFree) return [];
  return ['target', ...READINGS].flatMap((column) => {
    const first = rows.find(({ cells }) => cells[column]?.includes(','));
    const text = first?.cells[column];
    if (!first || text === undefined || sign(column) !== ',') return [];
    const value = readNumber(text, ',');
    if (Number.isNaN(value)) return [];
    return {
      severity: 'warning',
      code: 'decimal-comma',
      where: rowName(name, first.line),
      what: `${column} "${text}" is read with a decimal comma, as ${value}`,
      remedy: 'write decimal points if that is not meant',
    };
  });
}

function isUsable(imageId: string, targets: Targets, complain: Complain, warn: Complain): boolean {
  if (Object.values(targets).every(Number.isNaN)) {
    warn('missing-target', `${imageId} has no mass and is left out`, 'give those that were measured');
    return false;
  }
  const contradiction = contradictionIn(targets);
  if (contradiction === null) return true;
  const remedy = `correct the masses (up to ${IDENTITY_TOLERANCE_GRAMS} g is accepted)`;
  complain('broken-identity', `${imageId}: ${contradiction}`, remedy);
  return false;
}
