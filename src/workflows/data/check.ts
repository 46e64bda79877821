import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inspectTest, inspectTraining, type LabelledPhoto } from '../../data/folder.ts';
import { visitsSentence } from '../../data/folds/index.ts';
import type { TableReading } from '../../data/own-table/read.ts';
import type { Problem } from '../../data/problems.ts';
import { rowName, TableError } from '../../formats/csv.ts';
import { countOf } from '../../ground/counts.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { entriesOf, reasonOf } from '../../ground/whole-file.ts';
import { knownCounts, knownSentence } from '../../pasture/partial.ts';
import type { ByMass } from '../../pasture/targets.ts';
import { completePlan, planFolds, requireEnough } from '../../runs/fold-plan.ts';
import { namedSource } from '../../runs/named-source.ts';
import { copyKeys, photoCopies } from '../../runs/photo-copies.ts';
import { inspectTableWithDates } from '../../runs/table-dates.ts';
import type { PhotoSource, TrainingSource } from '../../runs/training-data.ts';
import { type Crop, framedPhotos, framingOf } from '../../vision/framing/index.ts';
import { inspectPhoto, isPhotoName, leftOutLine, listPhotos, type Photo } from '../../vision/photos/index.ts';

/** How photos are read while they are checked. */
export interface CheckOptions {
  /** What of photos is to count, null all of them: photos without a frame are named, and parts that lie in none refused. */
  readonly crop?: Crop | null;
  readonly progress?: Progress;
}

/** What `sward check` found. */
export interface CheckReport {
  readonly trainPhotos: number;
  readonly testPhotos: number;
  /** Of how many training photos each mass is known: measured, or derived from what was. */
  readonly measured: ByMass<number>;
  /** The same as a sentence; null where all masses of all photos are. */
  readonly gaps: string | null;
  /** Of how many visits training photos are, whose photos folds never split, and what tells them apart; null: not known. */
  readonly visits: string | null;
  readonly problems: readonly Problem[];
  /** How a table of one's own was understood; null of a data folder. */
  readonly reading: TableReading | null;
}

interface TablePhoto {
  readonly imageId: string;
  readonly imagePath: string;
  readonly path: string;
  readonly row: number;
}

/** A photo with the table that names it. */
interface NamedPhoto extends TablePhoto {
  readonly table: string;
}

/**
 * Looks for everything wrong with a data folder or a table of one's own: the tables, and every photo they name, which is
 * decoded. A table that cannot be read at all is one problem of the list; the other table is checked all the same.
 *
 * @throws InputError only when the folder itself is not there
 * @throws UsageError for features, and a sheet that is not there
 */
export async function checkFolder(
  given: string | TrainingSource,
  { crop = null, progress = SILENT }: CheckOptions = {},
): Promise<CheckReport> {
  const source = await namedSource(given);
  const reading = { crop, progress };
  if (source.kind === 'features')
    throw new UsageError('give a data folder or a table; features have no photos');
  return source.kind === 'table' ? checkTable(source, reading) : checkDataFolder(source, reading);
}

async function checkDataFolder(
  source: Extract<PhotoSource, { kind: 'folder' }>,
  reading: Required<CheckOptions>,
): Promise<CheckReport> {
  const { folder } = source;
  const entries = await entriesOf(folder).catch((error: unknown) => {
    throw new InputError(folder, reasonOf(error), 'name a data folder with train.csv, or a table');
  });
  const names = entries.map(({ name }) => name);
  const problems: Problem[] = [];
  const labels: LabelledPhoto[] = [];
  const inspect = async (): ReturnType<typeof inspectTraining> => {
    const found = await inspectTraining(folder, source);
    labels.push(...found.photos);
    return found;
  };
  const training = await inspectTable('train.csv', inspect, problems);
  const hasTest = names.includes('test.csv');
  const test = hasTest ? await inspectTable('test.csv', () => inspectTest(folder), problems) : [];
  const copies = await checkPhotos(
    [...inTable('train.csv', training), ...inTable('test.csv', test)],
    problems,
    reading,
  );
  problems.push(...(await refusedFolds('train.csv', labels, copies, problems)));
  for (const split of ['train', 'test']) {
    await tellLeftOut(join(folder, split), [...training, ...test], reading.progress);
  }
  const train = join(folder, 'train');
  if (existsSync(train)) problems.push(...(await unlabelledPhotos(train, 'train', 'train.csv', training)));
  return {
    trainPhotos: training.length,
    testPhotos: test.length,
    ...knownOf(labels, problems),
    problems,
    reading: null,
  };
}

async function checkTable(
  source: Extract<PhotoSource, { kind: 'table' }>,
  { crop, progress }: Required<CheckOptions>,
): Promise<CheckReport> {
  const problems: Problem[] = [];
  let reading: TableReading | null = null;
  const labels: LabelledPhoto[] = [];
  const photos = await inspectTable(
    source.table,
    async () => {
      const inspected = await inspectTableWithDates(source);
      reading = inspected.reading;
      labels.push(...inspected.photos);
      return inspected;
    },
    problems,
  );
  const copies = await checkPhotos(inTable(source.table, photos), problems, { crop, progress });
  problems.push(...(await refusedFolds(source.table, labels, copies, problems)));
  await tellLeftOut(source.photos, photos, progress);
  problems.push(...(await unlabelledPhotos(source.photos, source.photos, source.table, photos)));
  return { trainPhotos: photos.length, testPhotos: 0, ...knownOf(labels, problems), problems, reading };
}

/** Faults that keep dates from telling which photos are of one visit. */
const OF_DATES = ['bad-date', 'mixed-dates', 'date-notation'];

function knownOf(
  labels: readonly LabelledPhoto[],
  problems: readonly Problem[],
): Pick<CheckReport, 'measured' | 'gaps' | 'visits'> {
  const targets = labels.map((label) => label.targets);
  const isUndated = problems.some(({ severity, code }) => severity === 'error' && OF_DATES.includes(code));
  return {
    measured: knownCounts(targets),
    gaps: knownSentence(targets),
    visits: isUndated ? null : visitsSentence(labels),
  };
}

const inTable = (table: string, photos: readonly TablePhoto[]): NamedPhoto[] =>
  photos.map(({ imageId, imagePath, path, row }) => ({ imageId, imagePath, path, row, table }));

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

/** @returns a key of each photo that can be read, which copies share */
async function checkPhotos(
  photos: readonly NamedPhoto[],
  problems: Problem[],
  { crop, progress }: Required<CheckOptions>,
): Promise<string[]> {
  progress.stage('Checking photos', photos.length, 'photos');
  const readable: NamedPhoto[] = [];
  for (const photo of photos) {
    const where = rowName(photo.table, photo.row);
    try {
      await inspectPhoto(photo.path);
      readable.push(photo);
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
  progress.done();
  const framed = await framedPhotos(
    readable.map(({ path }) => path),
    crop,
    { progress },
  );
  readable.forEach((photo, item) => {
    if (crop && framingOf(framed[item] as Photo) === 'whole') problems.push(withoutFrame(photo));
  });
  const copies = await photoCopies(
    readable.map(({ path }) => path),
    progress,
  );
  copies.forEach((copy, item) => {
    const [photo, twin] = [readable[item], copy && readable[copy.of]];
    if (photo && copy && twin) problems.push(copyOf(photo, twin, copy.isExact));
  });
  return copyKeys(copies);
}

/**
 * Why training would refuse to make folds of photos that have no other fault.
 *
 * @param copies a key of each photo, which copies share; those of training stand first
 */
async function refusedFolds(
  table: string,
  labels: readonly LabelledPhoto[],
  copies: readonly string[],
  problems: readonly Problem[],
): Promise<Problem[]> {
  if (problems.some(({ severity }) => severity === 'error')) return [];
  try {
    requireEnough(labels.length);
    await planFolds(labels, completePlan(), copies);
    return [];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const [what = '', ...remedies] = error.message.split('; ');
    return [{ severity: 'error', code: 'no-folds', where: table, what, remedy: remedies.join('; ') }];
  }
}

const withoutFrame = ({ table, row, imagePath }: NamedPhoto): Problem => ({
  severity: 'warning',
  code: 'no-frame',
  where: rowName(table, row),
  what: `no frame was found in photo ${imagePath}, of which the whole picture counts`,
  remedy: 'cut the photo to the inside of its frame by hand, or leave it out',
});

/** What is told of a photo that is the same as one before. */
function copyOf(photo: NamedPhoto, twin: NamedPhoto, isExact: boolean): Problem {
  const isTest = photo.table !== twin.table;
  const what = `${photo.imagePath} ${isExact ? 'is the same photo as' : 'shows the same as'} ${twin.imagePath} (${rowName(twin.table, twin.row)})`;
  return {
    severity: 'warning',
    code: 'duplicate-photo',
    where: rowName(photo.table, photo.row),
    what: isTest ? `${what}, which is trained on` : what,
    remedy: isTest
      ? 'take it out of one of the two: what is said of it is memory'
      : 'keep one; folds keep the two together, with all of their visits',
  };
}

/** Says what of the photos' usual folders is not named like a photo. */
async function tellLeftOut(inside: string, photos: readonly TablePhoto[], progress: Progress): Promise<void> {
  // What a row names is read, whatever it is called.
  if (!existsSync(inside) || photos.some(({ path }) => !isPhotoName(path))) return;
  const { leftOut } = await listPhotos(inside);
  if (leftOut !== null) progress.line?.(leftOutLine(inside, leftOut));
}

/** Photos that no row names: not wrong, but perhaps forgotten. */
async function unlabelledPhotos(
  folder: string,
  where: string,
  table: string,
  photos: readonly TablePhoto[],
): Promise<Problem[]> {
  if (photos.length === 0) return [];
  const named = new Set(photos.map(({ path }) => resolve(path)));
  const listed = await listPhotos(folder);
  const extra = listed.photos.filter((path) => !named.has(resolve(path)));
  const [first] = extra;
  if (first === undefined) return [];
  return [
    {
      severity: 'warning',
      code: 'missing-target',
      where,
      what: `${countOf(extra.length, 'photo')} ${extra.length === 1 ? 'has' : 'have'} no usable row in ${table}, ${first.slice(first.lastIndexOf('/') + 1)} for one`,
      remedy: `label ${extra.length === 1 ? 'it or move it' : 'them or move them'} away`,
    },
  ];
}
