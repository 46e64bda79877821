import { rm } from 'node:fs/promises';
import { extname } from 'node:path';
import { csvLines } from '../../formats/csv.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import type { PhotoProblem } from '../units/answer.ts';

/** The table of photos that could not be used beside a result: `masses.csv`, `masses.problems.csv`. */
export const problemPath = (out: string): string =>
  `${out.slice(0, out.length - extname(out).length)}.problems.csv`;

/** Photos that could not be used as a table, a row each. */
export const problemText = (problems: readonly PhotoProblem[]): string =>
  csvLines([
    ['image_id', 'photo', 'problem'],
    ...problems.map(({ imageId, photo, problem }) => [imageId, photo, problem]),
  ]);

/** Writes the table where there is something to tell; else what an earlier start has told goes. */
export async function writeProblems(path: string, problems: readonly PhotoProblem[]): Promise<string | null> {
  if (problems.length === 0) {
    await rm(path, { force: true });
    return null;
  }
  await writeFileAtomically(path, problemText(problems));
  return path;
}
