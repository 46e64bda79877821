import { join } from 'node:path';
import { writeFileAtomically } from '../ground/files.ts';
import { type Components, TARGET_NAMES, type TargetName } from '../pasture/targets.ts';
import type { FieldReadings } from './readings.ts';

/** One photo of a sample as the tables tell it. */
export interface SampleRow {
  /** `ID` and digits. */
  readonly id: string;
  readonly date: string;
  readonly state: string;
  readonly species: string;
  readonly components: Components;
  readonly readings: FieldReadings;
}

/** Row order within a photo: alphabetical, as the competition has it. */
const ROW_ORDER: readonly TargetName[] = [...TARGET_NAMES].sort();

/** Masses are tabled to 0.1 mg. */
const UNITS_PER_GRAM = 10_000;

/**
 * Writes `train.csv`, `test.csv`, `sample_submission.csv` with the competition's columns and orders, and
 * `test_truth.csv`, which the competition keeps to itself. Photos are listed by id.
 */
export async function writeTables(
  folder: string,
  train: readonly SampleRow[],
  test: readonly SampleRow[],
): Promise<void> {
  const header =
    'sample_id,image_path,Sampling_Date,State,Species,Pre_GSHH_NDVI,Height_Ave_cm,target_name,target';
  const trainLines = byId(train).flatMap((row) => {
    const masses = targetTexts(row.components);
    const height = decimal(Math.round(row.readings.heightCm * 10_000) / 10_000);
    const site = [row.date, row.state, row.species, decimal(row.readings.ndvi), height].join(',');
    return ROW_ORDER.map((name) => `${row.id}__${name},train/${row.id}.jpg,${site},${name},${masses[name]}`);
  });
  const testRows = byId(test).flatMap((row) => {
    const masses = targetTexts(row.components);
    return ROW_ORDER.map((name) => ({ id: row.id, name, mass: masses[name] }));
  });
  const write = (name: string, lines: readonly string[]): Promise<void> =>
    writeFileAtomically(join(folder, name), `${lines.join('\n')}\n`);
  await write('test.csv', [
    'sample_id,image_path,target_name',
    ...testRows.map(({ id, name }) => `${id}__${name},test/${id}.jpg,${name}`),
  ]);
  await write('sample_submission.csv', [
    'sample_id,target',
    ...testRows.map(({ id, name }) => `${id}__${name},0.0`),
  ]);
  await write('test_truth.csv', [
    'sample_id,target',
    ...testRows.map(({ id, name, mass }) => `${id}__${name},${mass}`),
  ]);
  await write('train.csv', [header, ...trainLines]);
}

function byId(rows: readonly SampleRow[]): SampleRow[] {
  return [...rows].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

/** The five masses as decimals. Sums are taken in whole units, so that the printed identities hold exactly. */
function targetTexts(components: Components): Record<TargetName, string> {
  const units = (grams: number): number => Math.round(grams * UNITS_PER_GRAM);
  const green = units(components.green);
  const dead = units(components.dead);
  const clover = units(components.clover);
  const text = (value: number): string => decimal(value / UNITS_PER_GRAM);
  return {
    Dry_Green_g: text(green),
    Dry_Dead_g: text(dead),
    Dry_Clover_g: text(clover),
    GDM_g: text(green + clover),
    Dry_Total_g: text(green + clover + dead),
  };
}

/** A number with at least one decimal, as the competition's tables have them. */
function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
