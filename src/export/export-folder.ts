import { readdir, stat } from 'node:fs/promises';
import { UsageError } from '../ground/errors.ts';

/**
 * Refuses a folder that holds anything, unless it may be replaced and is an export.
 *
 * @param marks names of which an export has one
 * @throws UsageError naming the folder
 */
export async function requireExportFolder(
  folder: string,
  marks: readonly string[],
  overwrite: boolean,
): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (!found) return;
  const names = found.isDirectory() ? await readdir(folder) : [folder];
  if (names.length === 0) return;
  const isExport = marks.some((mark) => names.includes(mark));
  if (!isExport) throw new UsageError(`${folder} is there and is no export; choose another --out`);
  if (!overwrite) throw new UsageError(`${folder} holds an export; choose another --out or pass --overwrite`);
}
