import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Paddock, settledResult, type Visit } from '../../farm/index.ts';
import { csvLines } from '../../formats/csv.ts';
import { replaceFolder } from '../../ground/files.ts';
import { TARGET_NAMES, targetsToArray } from '../../pasture/targets.ts';
import { QUADRAT_AREA_SQUARE_METRES } from '../../pasture/units.ts';
import { Refusal } from '../answers/refusal.ts';
import { listCuts } from '../cuts/stored-cut.ts';
import { FILE_ENDINGS } from '../inference/media-types.ts';
import { photoOf } from '../photos/stored-photo.ts';
import type { Database } from '../storage/database.ts';
import { copyApart } from '../storage/disk.ts';
import type { PhotoStore } from '../storage/photo-store.ts';
import { stored } from '../storage/stored.ts';
import { textCell } from './text-cell.ts';

/** A photo of a data folder: its path there, and the content it has. */
interface LabelledFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** What a data folder that `sward train` takes consists of. */
export interface TrainingFolder {
  /** `train.csv`. */
  readonly table: string;
  readonly photos: readonly LabelledFile[];
}

const HEADER = [
  ...['sample_id', 'image_path', 'Sampling_Date', 'Paddock', 'Height_Ave_cm', 'target_name', 'target'],
];

/** Cuts read at a time. */
const TOGETHER = 500;

/**
 * The farm's own labels: photos whose frames were cut and weighed dry until the weight stayed, with the five masses where
 * the cut was sorted and the total alone where it was not. Frames differ in size, so masses are of 0.21 m² of each. Only
 * a falling plate's height stands in `Height_Ave_cm`, which is what that column is of.
 *
 * @throws Refusal where no photo has such a cut
 */
export async function trainingFolder(db: Database): Promise<TrainingFolder> {
  const rows: (string | number)[][] = [];
  const photos: LabelledFile[] = [];
  const seen = new Set<string>();
  for (let after = ''; ; ) {
    const cuts = await listCuts(db, (some) =>
      some.where('id', '>', after).where('photo_id', 'is not', null).limit(TOGETHER),
    );
    for (const cut of cuts) {
      const result = settledResult(cut);
      const labelled =
        result && cut.photoId !== null && !seen.has(cut.photoId)
          ? await photoAndVisit(db, cut.photoId, cut.visitId)
          : null;
      if (!result || !labelled) continue;
      const { photo, day, paddock } = labelled;
      seen.add(photo.id);
      const path = `train/${photo.id}.${FILE_ENDINGS[photo.file.mediaType] ?? 'jpg'}`;
      photos.push({ path, sha256: photo.sha256, bytes: photo.file.bytes });
      const scale = QUADRAT_AREA_SQUARE_METRES / result.frameAreaSquareMetres;
      const total = TARGET_NAMES.length - 1;
      const masses = result.masses ? targetsToArray(result.masses) : null;
      const height = photo.height?.method === 'falling-plate' ? photo.height.centimetres : '';
      for (const [at, target] of TARGET_NAMES.entries()) {
        const grams = masses?.[at] ?? (at === total ? result.dryGrams : null);
        if (grams !== null)
          rows.push([`${photo.id}__${target}`, path, day, paddock, height, target, grams * scale]);
      }
    }
    if (cuts.length < TOGETHER) break;
    after = cuts.at(-1)?.id ?? '';
  }
  if (photos.length === 0) {
    throw new Refusal(
      422,
      'no-labels',
      'no photo has a cut that is weighed dry until its weight stays; finish some cuts first',
    );
  }
  return { table: csvLines([HEADER, ...rows]), photos };
}

/** A photo with its visit's paddock, and its day where that lies. */
async function photoAndVisit(db: Database, photoId: string, visitId: string) {
  const row = await db.selectFrom('photos').selectAll().where('id', '=', photoId).executeTakeFirstOrThrow();
  const { visit, paddock } = await db
    .selectFrom('visits')
    .innerJoin('paddocks', 'paddocks.id', 'visits.paddock_id')
    .select(['visits.body as visit', 'paddocks.body as paddock'])
    .where('visits.id', '=', visitId)
    .executeTakeFirstOrThrow();
  const { startedAt } = stored<Visit>(visit);
  return {
    photo: photoOf(row),
    day: startedAt.slice(0, 10),
    paddock: textCell(stored<Paddock>(paddock).name),
  };
}

/** Writes the farm's own labels as a data folder, photos as copies, which may be changed. @throws as {@link trainingFolder} */
export async function writeTrainingFolder(db: Database, store: PhotoStore, folder: string): Promise<number> {
  const { table, photos } = await trainingFolder(db);
  await replaceFolder(folder, async (aside) => {
    await mkdir(join(aside, 'train'));
    for (const { path, sha256 } of photos) await copyApart(store.pathOf(sha256), join(aside, path));
    await writeFile(join(aside, 'train.csv'), table);
  });
  return photos.length;
}
