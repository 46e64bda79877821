import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../ground/errors.ts';
import { makeFolder, withTemporaryName, writeAtomically } from '../../ground/files.ts';
import { copyDatabase, withDatabase } from '../storage/database.ts';
import { flush } from '../storage/disk.ts';
import { type TarEntry, writeTar } from './tar.ts';
import { withFarm } from './with-farm.ts';

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
  return withFarm(data, async ({ folder, db, store }) => {
    if (await stat(file).catch(() => null))
      throw new UsageError(`${file} is there already; give another name`);
    const outcome = { photos: 0, runs: 0 };
    await writeAtomically(file, (aside) =>
      // A folder: what SQLite writes beside the copy goes with it.
      withTemporaryName(file, async (place) => {
        try {
          await makeFolder(place);
          const copy = join(place, DATABASE_NAME);
          await copyDatabase(db, copy);
          const { photos, runs } = await namedIn(copy);
          async function* entries(): AsyncGenerator<TarEntry> {
            yield { name: DATABASE_NAME, path: copy };
            for (const { id } of runs) {
              const names = await filesBelow(join(folder.runs, id));
              for (const name of names)
                yield { name: `runs/${id}/${name}`, path: join(folder.runs, id, name) };
              if (names.length > 0) outcome.runs += 1;
            }
            for (const { sha256 } of photos) {
              yield { name: `photos/${sha256}`, path: store.pathOf(sha256) };
              outcome.photos += 1;
            }
          }
          await writeTar(aside, entries());
          await flush(aside);
        } finally {
          await rm(place, { recursive: true, force: true });
        }
      }),
    );
    return outcome;
  });
}

/** What a database names that lies beside it. It is closed then: with its log it is one file alone. */
const namedIn = (database: string) =>
  withDatabase(database, async (db) => ({
    photos: await db.selectFrom('photos').select('sha256').distinct().orderBy('sha256').execute(),
    runs: await db.selectFrom('runs').select('id').execute(),
  }));

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
