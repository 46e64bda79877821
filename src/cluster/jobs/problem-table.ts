import { rm } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { csvLines } from '../../formats/csv.ts';
import { NoUsablePhotos } from '../../samples/photo-reader.ts';
import { openStore, type Store } from '../../storage/index.ts';
import type { PhotoProblem } from '../units/answer.ts';
import type { DiskList } from './disk-list.ts';
import { StoredText } from './stored-text.ts';

/** The table of photos that could not be used beside a result: `masses.csv`, `masses.problems.csv`. */
export const problemPath = (out: string): string =>
  `${out.slice(0, out.length - extname(out).length)}.problems.csv`;

const HEAD = ['image_id', 'photo', 'problem'];

/** Writes the table where there is something to tell; else what an earlier start has told goes. */
export async function writeProblems(path: string, problems: DiskList<PhotoProblem>): Promise<string | null> {
  if (problems.count === 0) {
    await rm(path, { force: true });
    return null;
  }
  await storeProblems(openStore(dirname(path)), basename(path), problems);
  return path;
}

/**
 * That no photo could be used, and why the first could not.
 *
 * @param file the table that tells of all
 */
export async function noneUsable(
  asked: number,
  problems: DiskList<PhotoProblem>,
  file: string | null,
): Promise<NoUsablePhotos> {
  const [first] = await problems.read(0, 1);
  const table = file === null ? '' : ` (${file} names all)`;
  return new NoUsablePhotos(asked, first && `${first.photo}: ${first.problem}${table}`);
}

/** Photos that could not be used as a table in a store, a row each, however many. */
export async function storeProblems(
  store: Store,
  key: string,
  problems: DiskList<PhotoProblem>,
): Promise<void> {
  await using text = await StoredText.open();
  await text.write(csvLines([HEAD]));
  for await (const { imageId, photo, problem } of problems) {
    await text.write(csvLines([[imageId, photo, problem]]));
  }
  await text.storeAs(store, key);
}
