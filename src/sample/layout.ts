import { join } from 'node:path';
import { KAGGLE_ORDER } from '../data/predictions.ts';
import { sampleId } from '../data/sample-id.ts';
import { writeCsv } from '../formats/csv.ts';
import { targetsFromComponents } from '../pasture/physics.ts';
import { type Components, TARGET_NAMES, targetsToArray } from '../pasture/targets.ts';
import type { FieldReadings } from './readings.ts';
import type { Session } from './session.ts';

/** One photo of a sample as the tables tell it. */
export interface SampleRow extends FieldReadings {
  /** `ID` and digits. */
  readonly id: string;
  readonly session: Pick<Session, 'date' | 'state' | 'species'>;
  readonly components: Components;
}

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
  const trainRows = longRows(train).map(({ row, id, target, mass }) => {
    const height = decimal(Math.round(row.heightCm * 10_000) / 10_000);
    const { date, state, species } = row.session;
    return [id, `train/${row.id}.jpg`, date, state, species, decimal(row.ndvi), height, target, mass];
  });
  const testRows = longRows(test);
  const write = (name: string, header: string, rows: readonly string[][]): Promise<void> =>
    writeCsv(join(folder, name), header.split(','), rows);
  await write(
    'test.csv',
    'sample_id,image_path,target_name',
    testRows.map(({ row, id, target }) => [id, `test/${row.id}.jpg`, target]),
  );
  await write(
    'sample_submission.csv',
    'sample_id,target',
    testRows.map(({ id }) => [id, '0.0']),
  );
  await write(
    'test_truth.csv',
    'sample_id,target',
    testRows.map(({ id, mass }) => [id, mass]),
  );
  await write(
    'train.csv',
    'sample_id,image_path,Sampling_Date,State,Species,Pre_GSHH_NDVI,Height_Ave_cm,target_name,target',
    trainRows,
  );
}

/**
 * A row for each photo and target, photos by id. Sums of masses are taken in whole units, so that the printed
 * identities hold exactly.
 */
function longRows(rows: readonly SampleRow[]) {
  const units = (grams: number): number => Math.round(grams * UNITS_PER_GRAM);
  return rows
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap((row) => {
      const { green, dead, clover } = row.components;
      const masses = targetsToArray(
        targetsFromComponents({ green: units(green), dead: units(dead), clover: units(clover) }),
      );
      return KAGGLE_ORDER.map((target) => ({
        row,
        id: sampleId(row.id, target),
        target,
        mass: decimal((masses[TARGET_NAMES.indexOf(target)] ?? 0) / UNITS_PER_GRAM),
      }));
    });
}

/** A number with at least one decimal, as the competition's tables have them. */
function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
