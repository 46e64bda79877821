import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { csvLines } from '../../formats/csv.ts';
import { environment } from '../../ground/environment.ts';
import { makeFolder, withTemporaryName } from '../../ground/files.ts';
import { openStore, type Store } from '../../storage/index.ts';
import type { PhotoProblem } from '../units/answer.ts';
import type { DiskList } from './disk-list.ts';

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

/** Photos that could not be used as a table in a store, a row each, however many. */
export async function storeProblems(
  store: Store,
  key: string,
  problems: DiskList<PhotoProblem>,
): Promise<void> {
  await withTemporaryName(join(environment().cacheFolder, 'problems'), async (aside) => {
    await makeFolder(dirname(aside));
    const hash = createHash('sha256');
    const file = await open(aside, 'wx');
    try {
      const write = async (rows: readonly string[][]): Promise<void> => {
        const text = csvLines(rows);
        hash.update(text);
        await file.writeFile(text);
      };
      await write([HEAD]);
      for await (const { imageId, photo, problem } of problems) await write([[imageId, photo, problem]]);
    } finally {
      await file.close();
    }
    try {
      await store.upload(key, aside, hash.digest('hex'));
    } finally {
      await rm(aside, { force: true });
    }
  });
}
