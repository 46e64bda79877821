import { type CsvRow, type CsvTable, rowName } from '../formats/csv.ts';
import { IDENTITY_TOLERANCE_GRAMS, identityErrors } from '../pasture/physics.ts';
import {
  isTargetName,
  TARGET_NAMES,
  type TargetName,
  type Targets,
  targetsFromArray,
} from '../pasture/targets.ts';
import { parseSamplingDate } from './dates.ts';
import type { Problem, ProblemCode } from './problems.ts';
import { splitSampleId } from './sample-id.ts';

/** What was measured on one quadrat, and where and when. Unknown metadata is null. */
export interface Label {
  readonly imageId: string;
  /** As written in `image_path`; null where the table has no such column. */
  readonly imagePath: string | null;
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

interface Group {
  readonly first: CsvRow;
  readonly masses: Map<TargetName, number>;
  damaged: boolean;
}

const METADATA = [
  'image_path',
  'Sampling_Date',
  'State',
  'Species',
  'Pre_GSHH_NDVI',
  'Height_Ave_cm',
] as const;

/**
 * Reads a long table of labels (one row a photo and target, in any order) into one {@link Label} a photo, in
 * order of first appearance, and lists every problem met. Photos with an error are left out of `labels`.
 *
 * @param name how messages call the file
 */
export function parseLabels(table: CsvTable, name: string): { labels: Label[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const report = (line: number, code: ProblemCode, what: string, remedy: string): void => {
    problems.push({ severity: 'error', code, where: rowName(name, line), what, remedy });
  };
  const groups = groupRows(table, report);
  const labels: Label[] = [];
  for (const [imageId, group] of groups) {
    const label = labelOf(imageId, group, report);
    if (label) labels.push(label);
  }
  if (table.rows.length === 0) report(1, 'empty-file', 'has a header but no row', 'add the labelled photos');
  return { labels, problems };
}

type Report = (line: number, code: ProblemCode, what: string, remedy: string) => void;

function groupRows(table: CsvTable, report: Report): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const row of table.rows) {
    const id = splitSampleId(row.cells.sample_id ?? '');
    if (!id) {
      const text = row.cells.sample_id ?? '';
      report(row.line, 'malformed-id', `sample_id "${text}" is not <image id>__<target>`, 'correct the id');
      continue;
    }
    const group: Group = groups.get(id.imageId) ?? { first: row, masses: new Map(), damaged: false };
    groups.set(id.imageId, group);
    const complain: Report = (line, code, what, remedy) => {
      group.damaged = true;
      report(line, code, what, remedy);
    };
    readMass(row, id.target, group, complain);
    compareMetadata(row, group.first, complain);
  }
  return groups;
}

function readMass(row: CsvRow, target: string, group: Group, report: Report): void {
  const named = row.cells.target_name ?? target;
  if (!isTargetName(target) || named !== target) {
    const what =
      named === target ? `unknown target ${target}` : `sample_id says ${target}, target_name ${named}`;
    report(row.line, 'unknown-target', what, `use one of ${TARGET_NAMES.join(', ')}`);
    return;
  }
  if (group.masses.has(target)) {
    report(row.line, 'duplicate-row', `gives ${row.cells.sample_id} a second time`, 'keep one of the rows');
    return;
  }
  const text = row.cells.target ?? '';
  const mass = text === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(mass)) {
    report(
      row.line,
      'not-a-number',
      `target "${text}" is not a number of grams`,
      'give the dry mass in grams',
    );
  } else if (mass < 0) {
    report(
      row.line,
      'negative-mass',
      `target ${text} g is negative`,
      'give the dry mass in grams, 0 or more',
    );
  }
  group.masses.set(target, mass);
}

function compareMetadata(row: CsvRow, first: CsvRow, report: Report): void {
  const differing = METADATA.find((column) => row.cells[column] !== first.cells[column]);
  if (differing === undefined) return;
  report(
    row.line,
    'contradicting-row',
    `${differing} "${row.cells[differing]}" differs from "${first.cells[differing]}" in row ${first.line}`,
    'give the same value in all rows of a photo',
  );
}

function labelOf(imageId: string, group: Group, report: Report): Label | null {
  const { first, masses } = group;
  const missing = TARGET_NAMES.filter((target) => !masses.has(target));
  if (missing.length > 0) {
    if (!group.damaged) {
      report(first.line, 'missing-target', `${imageId} lacks ${missing.join(', ')}`, 'add the missing rows');
    }
    return null;
  }
  const targets = targetsFromArray(TARGET_NAMES.map((target) => masses.get(target) ?? Number.NaN));
  const date = dateOf(first, report);
  // A bad mass would break the sums as well and be told of twice.
  if (group.damaged || date === undefined || !identitiesHold(imageId, targets, first, report)) return null;
  return {
    imageId,
    imagePath: first.cells.image_path ?? null,
    targets,
    date,
    state: first.cells.State || null,
    species: first.cells.Species || null,
    ndvi: optionalNumber(first.cells.Pre_GSHH_NDVI),
    heightCentimetres: optionalNumber(first.cells.Height_Ave_cm),
    row: first.line,
  };
}

/** @returns undefined when a date is given that cannot be read */
function dateOf(row: CsvRow, report: Report): string | null | undefined {
  const text = row.cells.Sampling_Date;
  if (!text) return null;
  const date = parseSamplingDate(text);
  if (date !== null) return date;
  report(row.line, 'bad-date', `Sampling_Date "${text}" cannot be read`, 'write it as 2015/9/4');
  return undefined;
}

function identitiesHold(imageId: string, targets: Targets, row: CsvRow, report: Report): boolean {
  const errors = identityErrors(targets);
  const broken = (
    [
      ['GDM_g', 'Dry_Green_g + Dry_Clover_g', errors.gdm],
      ['Dry_Total_g', 'GDM_g + Dry_Dead_g', errors.total],
    ] as const
  ).find(([, , error]) => !(Math.abs(error) <= IDENTITY_TOLERANCE_GRAMS));
  if (!broken || broken.some((part) => Number.isNaN(part))) return true;
  const [sum, parts, error] = broken;
  report(
    row.line,
    'broken-identity',
    `${imageId}: ${sum} is ${error.toFixed(2)} g away from ${parts}`,
    `correct the masses (up to ${IDENTITY_TOLERANCE_GRAMS} g is accepted)`,
  );
  return false;
}

function optionalNumber(text: string | undefined): number | null {
  const value = text ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}
