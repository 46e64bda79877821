import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, UsageError } from '../../ground/errors.ts';
import { temporaryNameBeside, writeFailure } from '../../ground/files.ts';
import { copyDatabase, openDatabase } from '../storage/database.ts';
import { flush } from '../storage/disk.ts';
import { farmFolder } from '../storage/farm-folder.ts';
import { photoStore } from '../storage/photo-store.ts';
import { type TarEntry, writeTar } from './tar.ts';

/** The database in a backup. */
export const DATABASE_NAME = 'sward.db';

/** What a backup holds. */
export interface BackupOutcome {
  readonly photos: number;
  readonly runs: number;
}

/**
 * Writes a farm's database, photos and runs into one tar file, while its server runs or not. The database is as it stood
 * at one moment, and every photo that it names is in the file.
 *
 * @throws UsageError when the file is there already, InputError when the folder holds no farm or the disk refuses
 */
export async function backupFarm(data: string, file: string): Promise<BackupOutcome> {
  const folder = farmFolder(data);
  if (!(await exists(folder.database))) {
    throw new InputError(
      data,
      `holds no farm (${DATABASE_NAME} is not there)`,
      'name the folder that sward serve --data names',
    );
  }
  if (await exists(file)) throw new UsageError(`${file} is there already; give another name`);
  const aside = temporaryNameBeside(file);
  const copy = `${aside}.db`;
  try {
    const db = await openDatabase(folder.database, { asItIs: true });
    const outcome = { photos: 0, runs: 0 };
    try {
      await copyDatabase(db, copy);
    } finally {
      await db.destroy();
    }
    const snapshot = await openDatabase(copy, { asItIs: true });
    try {
      const photos = await snapshot
        .selectFrom('photos')
        .select('sha256')
        .distinct()
        .orderBy('sha256')
        .execute();
      const runs = await snapshot.selectFrom('runs').select('id').execute();
      const store = photoStore(folder.photos);
      async function* entries(): AsyncGenerator<TarEntry> {
        yield { name: DATABASE_NAME, path: copy };
        for (const { id } of runs) {
          const names = await filesBelow(join(folder.runs, id));
          for (const name of names) yield { name: `runs/${id}/${name}`, path: join(folder.runs, id, name) };
          if (names.length > 0) outcome.runs += 1;
        }
        for (const { sha256 } of photos) {
          yield { name: `photos/${sha256}`, path: store.pathOf(sha256) };
          outcome.photos += 1;
        }
      }
      // Closed first: with its log it is one file alone.
      await snapshot.destroy();
      await writeTar(aside, entries());
    } finally {
      await snapshot.destroy();
    }
    await flush(aside);
    await rename(aside, file);
    return outcome;
  } catch (error) {
    throw writeFailure(file, error);
  } finally {
    for (const path of [aside, copy, `${copy}-wal`, `${copy}-shm`]) await rm(path, { force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Files of a folder and below, by their paths in it; none where it is not there. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}
