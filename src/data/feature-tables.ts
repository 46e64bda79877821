import { basename, extname } from 'node:path';
import { rowName } from '../formats/csv.ts';
import { readNpyMatrix } from '../formats/npy/npy.ts';
import { countOf } from '../ground/counts.ts';
import { InputError, UsageError } from '../ground/errors.ts';
import { joinFeatureSets, type Matrix } from '../ground/matrix.ts';
import { readWhole, reasonOf } from '../ground/whole-file.ts';

/** Features of photos: row r of the matrix belongs to `ids[r]`. */
export interface FeatureTable {
  readonly ids: readonly string[];
  readonly matrix: Matrix;
}

/**
 * Reads a two-dimensional `.npy` and the text file that names its rows, one photo id a line.
 *
 * @throws InputError when either cannot be read, an id is empty or repeated, or the counts differ
 */
export async function readFeatureTable(npyPath: string, idsPath: string): Promise<FeatureTable> {
  const matrix = await readNpyMatrix(npyPath);
  const ids = await readIds(idsPath);
  requireRowPerId(npyPath, matrix.rows, idsPath, ids.length);
  return { ids, matrix };
}

/** @throws InputError where a feature file has other rows than its list names */
export function requireRowPerId(npyPath: string, rows: number, idsPath: string, ids: number): void {
  if (ids === rows) return;
  const what = `names ${countOf(ids, 'photo')} but ${npyPath} has ${countOf(rows, 'row')}`;
  throw new InputError(idsPath, what, 'give the id list that was written with the features');
}

/**
 * Reads several `.npy` of the same photos side by side, as {@link readFeatureTable} reads one. Each is a feature
 * set, called what its file is called without the ending.
 *
 * @throws InputError as there, and UsageError when no file is given
 */
export async function readFeatureTables(npyPaths: readonly string[], idsPath: string): Promise<FeatureTable> {
  const tables: FeatureTable[] = [];
  for (const path of npyPaths) tables.push(await readFeatureTable(path, idsPath));
  const [first] = tables;
  if (!first) throw new UsageError('name a feature file');
  const parts = tables.map(({ matrix }, index) => {
    const file = npyPaths[index] ?? '';
    return { name: basename(file, extname(file)), matrix, file };
  });
  return { ids: first.ids, matrix: joinFeatureSets(parts) };
}

/** The ids that a list names, one a line. @throws InputError when one is empty or repeated */
export async function readIds(path: string): Promise<string[]> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readWhole(path));
  } catch (error) {
    throw new InputError(path, `cannot be read as text (${reasonOf(error)})`, 'give one photo id a line');
  }
  const lines = text.split(/\r\n|\n|\r/);
  while (lines.at(-1)?.trim() === '') lines.pop();
  const seen = new Map<string, number>();
  return lines.map((line, index) => {
    const id = line.trim();
    const where = rowName(path, index + 1);
    if (id === '') throw new InputError(where, 'is empty', 'give one photo id a line');
    const earlier = seen.get(id);
    if (earlier !== undefined)
      throw new InputError(where, `repeats ${id} of row ${earlier}`, 'list every photo once');
    seen.set(id, index + 1);
    return id;
  });
}
