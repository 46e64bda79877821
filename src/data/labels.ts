import { type CsvRow, type CsvTable, rowName } from '../formats/csv.ts';
import { completedTargets, contradictionIn } from '../pasture/partial.ts';
import { IDENTITY_TOLERANCE_GRAMS } from '../pasture/physics.ts';
import {
  isTargetName,
  TARGET_NAMES,
  type TargetName,
  type Targets,
  targetsFromArray,
} from '../pasture/targets.ts';
import { parseSamplingDate } from './dates.ts';
import { type Complain, complainTo, type Problem } from './problems.ts';
import { splitSampleId } from './sample-id.ts';

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
}

/** Rows of one photo. */
interface Group {
  readonly first: CsvRow;
  readonly masses: Map<TargetName, number>;
  damaged: boolean;
}

/** What all rows of a photo must say alike. */
const METADATA = 'image_path Sampling_Date State Species Pre_GSHH_NDVI Height_Ave_cm'.split(' ');

/**
 * Reads a long table of labels (one row a photo and target, in any order) into one {@link Label} a photo, in
 * order of first appearance, and lists every problem met. Photos with an error are left out of `labels`. A mass may be
 * missing, as a row or as an empty cell; a photo of which nothing was measured is left out with a warning.
 *
 * @param name how messages call the file
 */
export function parseLabels(table: CsvTable, name: string): ParsedLabels {
  const problems: Problem[] = [];
  const complainAt = (line: number): Complain => complainTo(problems, rowName(name, line));
  const groups = new Map<string, Group>();
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
    readMass(row, id.target, group, complain);
    compareMetadata(row, group.first, complain);
  }
  const warnAt = (line: number): Complain => complainTo(problems, rowName(name, line), 'warning');
  const unmeasured: string[] = [];
  const labels = [...groups].flatMap(([imageId, group]) => {
    const { line } = group.first;
    const warn: Complain = (...fault) => {
      unmeasured.push(imageId);
      warnAt(line)(...fault);
    };
    return labelOf(imageId, group, complainAt(line), warn) ?? [];
  });
  if (table.rows.length === 0)
    complainAt(1)('empty-file', 'has a header but no row', 'add the labelled photos');
  return { labels, problems, unmeasured };
}

function readMass({ cells }: CsvRow, target: string, { masses }: Group, complain: Complain): void {
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
  const mass = text === '' ? Number.NaN : Number(text);
  if (text !== '' && !Number.isFinite(mass)) {
    complain('not-a-number', `target "${text}" is not a number of grams`, 'give the dry mass in grams');
  } else if (mass < 0) {
    complain('negative-mass', `target ${text} g is negative`, 'give the dry mass in grams, 0 or more');
  }
  masses.set(target, mass);
}

function compareMetadata(row: CsvRow, first: CsvRow, complain: Complain): void {
  const column = METADATA.find((name) => row.cells[name] !== first.cells[name]);
  if (column === undefined) return;
  const what = `${column} "${row.cells[column]}" differs from "${first.cells[column]}" in row ${first.line}`;
  complain('contradicting-row', what, 'give the same value in all rows of a photo');
}

function labelOf(
  imageId: string,
  { first, masses, damaged }: Group,
  complain: Complain,
  warn: Complain,
): Label | null {
  const { cells, line } = first;
  const measured = targetsFromArray(TARGET_NAMES.map((target) => masses.get(target) ?? Number.NaN));
  const targets = completedTargets(measured);
  const dateText = cells.Sampling_Date;
  const date = dateText ? parseSamplingDate(dateText) : null;
  const badDate = Boolean(dateText) && date === null;
  if (badDate) complain('bad-date', `Sampling_Date "${dateText}" cannot be read`, 'write it as 2015/9/4');
  // A bad mass would break the sums as well and be told of twice.
  if (damaged || badDate || !isUsable(imageId, targets, complain, warn)) return null;
  return {
    imageId,
    imagePath: cells.image_path ?? null,
    targets,
    date,
    state: cells.State || null,
    species: cells.Species || null,
    ndvi: optionalNumber(cells.Pre_GSHH_NDVI),
    heightCentimetres: optionalNumber(cells.Height_Ave_cm),
    row: line,
  };
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

function optionalNumber(text: string | undefined): number | null {
  const value = text ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}
