import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { inspectTest, inspectTraining } from '../../data/folder.ts';
import type { Problem } from '../../data/problems.ts';
import { rowName, TableError } from '../../formats/csv.ts';
import { InputError, messageOf } from '../../ground/errors.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { knownCounts, knownSentence } from '../../pasture/partial.ts';
import type { ByMass, Targets } from '../../pasture/targets.ts';
import { inspectPhoto, isPhotoName, leftOutLine, listPhotos, photoHash } from '../../vision/photos/index.ts';

/** What `sward check` found. */
export interface CheckReport {
  readonly trainPhotos: number;
  readonly testPhotos: number;
  /** Of how many training photos each mass is known: measured, or derived from what was. */
  readonly measured: ByMass<number>;
  /** The same as a sentence; null where all masses of all photos are. */
  readonly gaps: string | null;
  readonly problems: readonly Problem[];
}

interface TablePhoto {
  readonly imageId: string;
  readonly imagePath: string;
  readonly path: string;
  readonly row: number;
}

/**
 * Looks for everything wrong with a data folder: the tables, and every photo they name, which is decoded.
 * A table that cannot be read at all is one problem of the list; the other table is checked all the same.
 *
 * @throws InputError only when the folder itself is not there
 */
export async function checkFolder(
  folder: string,
  { progress = SILENT }: { readonly progress?: Progress } = {},
): Promise<CheckReport> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new InputError(folder, `cannot be read (${messageOf(error)})`, 'name a data folder with train.csv');
  });
  const problems: Problem[] = [];
  let targets: readonly Targets[] = [];
  const inspect = async (): ReturnType<typeof inspectTraining> => {
    const found = await inspectTraining(folder);
    targets = found.photos.map((photo) => photo.targets);
    return found;
  };
  const training = await inspectTable('train.csv', inspect, problems);
  const hasTest = names.includes('test.csv');
  const test = hasTest ? await inspectTable('test.csv', () => inspectTest(folder), problems) : [];
  progress.stage('Checking photos', training.length + test.length, 'photos');
  await checkPhotos('train.csv', training, problems, progress);
  await checkPhotos('test.csv', test, problems, progress);
  progress.done();
  for (const split of ['train', 'test']) await tellLeftOut(folder, split, [...training, ...test], progress);
  problems.push(...(await unlabelledPhotos(folder, training)));
  return {
    trainPhotos: training.length,
    testPhotos: test.length,
    measured: knownCounts(targets),
    gaps: knownSentence(targets),
    problems,
  };
}

async function inspectTable<Photo extends TablePhoto>(
  name: string,
  inspect: () => Promise<{ photos: readonly Photo[]; problems: readonly Problem[] }>,
  problems: Problem[],
): Promise<readonly TablePhoto[]> {
  try {
    const found = await inspect();
    problems.push(...found.problems);
    return found.photos;
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    const { fault, where, what, remedy } = error;
    // Messages name the file with its folder; the list is about one folder.
    problems.push({
      severity: 'error',
      code: fault,
      where: where.slice(where.lastIndexOf(name)),
      what,
      remedy,
    });
    return [];
  }
}

async function checkPhotos(
  table: string,
  photos: readonly TablePhoto[],
  problems: Problem[],
  progress: Progress,
): Promise<void> {
  const seen = new Map<string, TablePhoto>();
  for (const photo of photos) {
    const where = rowName(table, photo.row);
    try {
      await inspectPhoto(photo.path);
      const hash = await photoHash(photo.path);
      const twin = seen.get(hash);
      if (twin) {
        problems.push({
          severity: 'warning',
          code: 'duplicate-photo',
          where,
          what: `${photo.imagePath} is the same file as ${twin.imagePath}`,
          remedy: 'keep one, or the score will be too good',
        });
      }
      seen.set(hash, photo);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push({
        severity: 'error',
        code: 'unreadable-photo',
        where,
        what: `photo ${photo.imagePath} ${error.what}`,
        remedy: error.remedy,
      });
    }
    progress.advance();
  }
}

/** Says what of the photos' usual folders is not named like a photo. */
async function tellLeftOut(
  folder: string,
  split: string,
  photos: readonly TablePhoto[],
  progress: Progress,
): Promise<void> {
  const inside = join(folder, split);
  // What a row names is read, whatever it is called.
  if (!existsSync(inside) || photos.some(({ path }) => !isPhotoName(path))) return;
  const { leftOut } = await listPhotos(inside);
  if (leftOut !== null) progress.line?.(leftOutLine(inside, leftOut));
}

/** Photos in `train/` that no row names: not wrong, but perhaps forgotten. */
async function unlabelledPhotos(folder: string, photos: readonly TablePhoto[]): Promise<Problem[]> {
  const train = resolve(folder, 'train');
  if (!existsSync(train) || photos.length === 0) return [];
  const named = new Set(photos.map((photo) => photo.path));
  const extra = (await readdir(train)).filter((name) => isPhotoName(name) && !named.has(join(train, name)));
  if (extra.length === 0) return [];
  return [
    {
      severity: 'warning',
      code: 'missing-target',
      where: 'train',
      what: `${extra.length} photos have no usable row in train.csv, ${extra.sort()[0]} for one`,
      remedy: 'label them or move them away',
    },
  ];
}
