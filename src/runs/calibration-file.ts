import { join } from 'node:path';
import { InputError } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import { readText, reasonOf } from '../ground/whole-file.ts';
import { calibrationSchema, type StoredCalibration } from './calibration.ts';

/** Intervals of a run that is passed on without its data. */
export const CALIBRATION = 'calibration.json';

/** Writes `calibration.json` into a run folder. */
export async function writeCalibration(folder: string, calibration: StoredCalibration): Promise<void> {
  await writeFileAtomically(join(folder, CALIBRATION), `${JSON.stringify(calibration)}\n`);
}

/** Reads what {@link writeCalibration} wrote. @throws InputError when it is missing or damaged */
export async function readCalibration(folder: string): Promise<StoredCalibration> {
  const path = join(folder, CALIBRATION);
  const again = 'put the run back as it was written';
  let value: unknown;
  try {
    value = JSON.parse(await readText(path));
  } catch (error) {
    throw new InputError(path, `cannot be read (${reasonOf(error)})`, again);
  }
  const parsed = calibrationSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InputError(path, 'is damaged', again);
}
