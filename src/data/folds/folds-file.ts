import { readCsv, rowName, writeCsv } from '../../formats/csv.ts';
import { InputError } from '../../ground/errors.ts';

const COLUMNS = ['image_id', 'fold', 'group', 'stratum'] as const;

/** Which fold each photo is validated in. */
export interface FoldRow {
  readonly imageId: string;
  readonly fold: number;
  readonly group: string;
  readonly stratum: number;
}

/** Writes `image_id,fold,group,stratum`. */
export async function writeFolds(path: string, rows: readonly FoldRow[]): Promise<void> {
  await writeCsv(
    path,
    COLUMNS,
    rows.map((row) => [row.imageId, row.fold, row.group, row.stratum]),
  );
}

/**
 * Reads folds back: `image_id,fold` of every photo of `imageIds`, in that order. Other columns are ignored,
 * since groups are taken from the data.
 *
 * @param groups group of each photo, which no two folds may share
 * @throws InputError when a photo is missing, unknown or repeated, a fold is no number from 0 up, a fold has
 *   no photo, or a group is in two folds
 */
export async function readFolds(
  path: string,
  imageIds: readonly string[],
  groups: readonly string[],
): Promise<number[]> {
  const table = await readCsv(path, ['image_id', 'fold']);
  const known = new Set(imageIds);
  const folds = new Map<string, number>();
  for (const { line, cells } of table.rows) {
    const where = rowName(path, line);
    const id = cells.image_id ?? '';
    const fold = cells.fold ? Number(cells.fold) : Number.NaN;
    if (!known.has(id))
      throw new InputError(where, `${id} is not in the data`, 'make the folds from this data');
    if (folds.has(id)) throw new InputError(where, `gives ${id} a second time`, 'keep one of the rows');
    if (!Number.isInteger(fold) || fold < 0) {
      throw new InputError(where, `fold "${cells.fold ?? ''}" is not a whole number from 0 up`, 'correct it');
    }
    folds.set(id, fold);
  }
  const result = imageIds.map((id) => {
    const fold = folds.get(id);
    if (fold === undefined) throw new InputError(path, `lacks ${id}`, 'make the folds from this data');
    return fold;
  });
  requireWhole(path, result);
  requireSeparate(path, result, groups);
  return result;
}

function requireWhole(path: string, folds: readonly number[]): void {
  const taken = new Set(folds);
  const empty = Array.from(taken, (_, fold) => fold).find((fold) => !taken.has(fold));
  if (taken.size >= 2 && empty === undefined) return;
  const what = empty === undefined ? 'has a single fold' : `has no photo in fold ${empty}`;
  throw new InputError(path, what, 'number the folds 0, 1, 2 … without a gap');
}

function requireSeparate(path: string, folds: readonly number[], groups: readonly string[]): void {
  const foldOfGroup = new Map<string, number>();
  groups.forEach((group, item) => {
    const fold = folds[item] ?? 0;
    const other = foldOfGroup.get(group) ?? fold;
    foldOfGroup.set(group, fold);
    if (other === fold) return;
    throw new InputError(
      path,
      `puts the group ${group} into folds ${other} and ${fold}`,
      'keep a group in one fold, or pass the --group the folds were made with',
    );
  });
}
