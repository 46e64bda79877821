import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The files of a run folder that predictions may need: all but what people read. */
export async function runFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !/\.(html|md|lock)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}
