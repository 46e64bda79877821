import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readCsv, rowName, writeCsv } from '../formats/csv.ts';
import { InputError } from '../ground/errors.ts';
import { fileVersion } from '../ground/positioned-file.ts';
import { type Photo, photoHash } from '../vision/photos/index.ts';

/** File of a run folder with the photos it was trained on, by content. */
export const TRAINING_PHOTOS = 'training-photos.csv';
const COLUMNS = ['image_id', 'sha256'] as const;

/** A photo as it was when a training began. */
export interface TrainingPhoto {
  readonly imageId: string;
  readonly path: string;
  readonly sha256: string;
  /** Changes when the file is replaced or written to. */
  readonly version: string;
}

/** Photos as they are now, to be trained on. @throws InputError for one that cannot be read */
export async function beginTrainingPhotos(
  photos: readonly { readonly imageId: string; readonly path: string }[],
): Promise<TrainingPhoto[]> {
  const begun: TrainingPhoto[] = [];
  for (const { imageId, path } of photos) {
    const version = await versionOf(path);
    begun.push({ imageId, path, sha256: await photoHash(path), version });
  }
  return begun;
}

/** @throws InputError for a photo that has been written to or replaced since the training began, also by the same again */
export async function requirePhotosUnchanged(photos: readonly TrainingPhoto[]): Promise<void> {
  for (const { path, version } of photos) {
    if ((await versionOf(path)) === version) continue;
    throw new InputError(
      path,
      'the photo changed while it was trained on',
      'put back the one that is meant and train again, with --resume to keep the folds that are done',
    );
  }
}

const versionOf = async (path: string): Promise<string> => {
  const stats = await stat(path, { bigint: true }).catch(() => null);
  return stats === null ? '' : fileVersion(stats);
};

/** Writes `training-photos.csv`, of photos as the training found them; nothing where there are none. */
export async function writeTrainingPhotos(run: string, photos: readonly TrainingPhoto[]): Promise<void> {
  if (photos.length === 0) return;
  const rows = photos.map(({ imageId, sha256 }) => [imageId, sha256]);
  await writeCsv(join(run, TRAINING_PHOTOS), COLUMNS, rows);
}

/** Writes the `training-photos.csv` of a run into another folder with numbers for names; nothing where there is none. */
export async function copyTrainingPhotos(run: string, to: string): Promise<void> {
  const known = await readTrainingPhotos(run);
  if (!known) return;
  const rows = [...known].sort().map((sha256, index) => [String(index + 1), sha256]);
  await writeCsv(join(to, TRAINING_PHOTOS), COLUMNS, rows);
}

/**
 * SHA-256 of the photos a run was trained on; null where it does not know them: trained on features, or before runs
 * remembered them.
 *
 * @throws InputError when the file is damaged
 */
export async function readTrainingPhotos(run: string): Promise<ReadonlySet<string> | null> {
  const path = join(run, TRAINING_PHOTOS);
  if (!(await stat(path).catch(() => null))) return null;
  const { rows } = await readCsv(path, COLUMNS);
  return new Set(
    rows.map(({ line, cells: { sha256 = '' } }) => {
      if (/^[0-9a-f]{64}$/.test(sha256)) return sha256;
      throw new InputError(rowName(path, line), 'is damaged', 'train the run again');
    }),
  );
}

/** Whether each photo is one that a run was trained on, by its content. */
export async function areTrainedOn(known: ReadonlySet<string>, photos: readonly Photo[]): Promise<boolean[]> {
  const found: boolean[] = [];
  for (const photo of photos) found.push(known.has(await photoHash(photo)));
  return found;
}
