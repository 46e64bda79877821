import { readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep, win32 } from 'node:path';
import { readCsv, rowName } from '../formats/csv.ts';
import { InputError } from '../ground/errors.ts';
import { isInside } from '../ground/files.ts';
import type { TargetName } from '../pasture/targets.ts';
import { LABEL_COLUMNS, type Label, type LabelOptions, parseLabels } from './labels.ts';
import { ADD_PHOTO, complainTo, type Problem, throwOnError } from './problems.ts';
import { newSampleId } from './sample-id.ts';

/** A labelled photo of a data folder; `path` is absolute and inside the folder. */
export interface LabelledPhoto extends Label {
  readonly imagePath: string;
  readonly path: string;
}

/** A photo to predict, with the targets its table asks for, in the table's order. */
export interface TestPhoto {
  readonly imageId: string;
  readonly imagePath: string;
  readonly path: string;
  /** Row of the photo's first line in `test.csv`. */
  readonly row: number;
}

/** `test.csv`: its photos, and every (photo, target) row in order, as the submission must answer them. */
export interface TestTable {
  readonly photos: readonly TestPhoto[];
  readonly rows: readonly { readonly imageId: string; readonly target: TargetName }[];
}

/**
 * Reads `train.csv` of a data folder and lists every problem of the table and of the photos' paths; photos
 * are looked for but not decoded. Photos with an error are left out of `photos`.
 *
 * @throws InputError when the folder or the table cannot be read at all
 */
export async function inspectTraining(
  folder: string,
  options: LabelOptions = {},
): Promise<{ photos: LabelledPhoto[]; problems: Problem[]; dates: string | null }> {
  await requireFolder(folder);
  const table = await readCsv(join(folder, 'train.csv'), [...LABEL_COLUMNS, 'image_path']);
  const { labels, problems, dates } = parseLabels(table, 'train.csv', options);
  const photos: LabelledPhoto[] = [];
  for (const label of labels) {
    const located = await locatePhoto(folder, label.imagePath ?? '', rowName('train.csv', label.row));
    if ('problem' in located) problems.push(located.problem);
    else photos.push({ ...label, imagePath: label.imagePath ?? '', path: located.path });
  }
  return { photos, problems, dates };
}

/**
 * The labelled photos of a data folder.
 *
 * @throws InputError naming the first bad row and how many more there are
 */
export async function readTraining(folder: string, options: LabelOptions = {}): Promise<LabelledPhoto[]> {
  const { photos, problems } = await inspectTraining(folder, options);
  throwOnError(folder, problems);
  return photos;
}

/** Reads `test.csv` as {@link inspectTraining} reads `train.csv`. @throws InputError as there */
export async function inspectTest(folder: string): Promise<TestTable & { problems: Problem[] }> {
  await requireFolder(folder);
  const table = await readCsv(join(folder, 'test.csv'), ['sample_id', 'image_path']);
  const problems: Problem[] = [];
  const photos = new Map<string, TestPhoto>();
  const rows: TestTable['rows'][number][] = [];
  const seen = new Set<string>();
  for (const { line, cells } of table.rows) {
    const where = rowName('test.csv', line);
    const complain = complainTo(problems, where);
    const id = newSampleId(cells.sample_id ?? '', seen, complain);
    if (!id) continue;
    const { imageId } = id;
    const imagePath = cells.image_path ?? '';
    const known = photos.get(imageId);
    if (known && known.imagePath !== imagePath) {
      const what = `image_path "${imagePath}" differs from row ${known.row}`;
      complain('contradicting-row', what, 'correct the path');
      continue;
    }
    const located = known ?? (await locatePhoto(folder, imagePath, where));
    if ('problem' in located) {
      problems.push(located.problem);
      continue;
    }
    photos.set(imageId, { imageId, imagePath, path: located.path, row: known?.row ?? line });
    rows.push(id);
  }
  if (table.rows.length === 0) {
    const complain = complainTo(problems, rowName('test.csv', 1));
    complain('empty-file', 'has a header but no row', 'add the photos to predict');
  }
  return { photos: [...photos.values()], rows, problems };
}

/** The photos and rows of `test.csv`. @throws InputError naming the first bad row */
export async function readTest(folder: string): Promise<TestTable> {
  const { photos, rows, problems } = await inspectTest(folder);
  throwOnError(folder, problems);
  return { photos, rows };
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found?.isDirectory()) return;
  const what = found ? 'is not a folder' : 'does not exist';
  throw new InputError(folder, what, 'name a data folder with train.csv');
}

/**
 * Resolves a table's path of a photo and makes sure that it, and what a link leads to, stays inside the folder.
 * Backslashes separate folders where the file exists that way, and accents are the same however they are composed.
 *
 * @param column what the table calls the path
 */
export async function locatePhoto(
  folder: string,
  imagePath: string,
  where: string,
  column = 'image_path',
): Promise<{ path: string } | { problem: Problem }> {
  const problem = (code: Problem['code'], what: string, remedy: string): { problem: Problem } => ({
    problem: { severity: 'error', code, where, what, remedy },
  });
  const leaves = problem(
    'path-leaves-folder',
    `${column} "${imagePath}" leaves the data folder`,
    'give a path inside the folder, such as train/ID1.jpg',
  );
  if (imagePath === '') return problem('missing-photo', `${column} is empty`, 'give the path of the photo');
  const root = resolve(folder);
  const inside = [imagePath, imagePath.replaceAll('\\', '/')]
    .filter((name) => !/^[a-z]:/i.test(name) && !isAbsolute(name) && !win32.isAbsolute(name))
    .map((name) => resolve(root, name))
    .filter((path) => isInside(root, path));
  for (const path of new Set(inside)) {
    const found = (await isFile(path)) ? path : await composedOtherwise(root, path);
    if (found === null) continue;
    return isInside(await realpath(root), await realpath(found)) ? { path: found } : leaves;
  }
  if (inside.length === 0 || imagePath.split(/[\\/]/).includes('..')) return leaves;
  return problem('missing-photo', `photo ${imagePath} is not there`, ADD_PHOTO);
}

const isFile = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null))?.isFile() ?? false;

/** A file whose path has the same letters, composed in another way (NFC, NFD): null where there is none. */
async function composedOtherwise(root: string, path: string): Promise<string | null> {
  let found = root;
  for (const part of relative(root, path).split(sep)) {
    const names = await readdir(found).catch((): string[] => []);
    const name = names.includes(part) ? part : names.find((own) => own.normalize() === part.normalize());
    if (name === undefined) return null;
    found = join(found, name);
  }
  return (await isFile(found)) ? found : null;
}
