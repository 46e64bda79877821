import { randomUUID } from 'node:crypto';
import { link, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InputError, UsageError } from '../../ground/errors.ts';
import { makeFolder, withTemporaryName, writeAtomically } from '../../ground/files.ts';
import { copyDatabase, type Database, withDatabase } from '../storage/database.ts';
import { flush } from '../storage/disk.ts';
import type { PhotoStore } from '../storage/photo-store.ts';
import { type TarEntry, writeTar } from './tar.ts';
import { verifyRuns } from './verify.ts';
import { withFarm } from './with-farm.ts';

/** The database in a backup. */
export const DATABASE_NAME = 'sward.db';

/** What a backup holds. */
export interface BackupOutcome {
  readonly photos: number;
  readonly runs: number;
  /** Runs of the farm whose files are not as they were kept, a sentence each. */
  readonly damagedRuns: readonly string[];
}

/** How often photos may come and go again while they are held, before a backup is given up. */
const MOST_TRIES = 20;

/**
 * Writes a farm's database, photos and runs into one tar file, while its server runs or not. The database is as it stood
 * at one moment, and every photo that it names is in the file. A run that is damaged is taken as it is, and told of.
 *
 * @throws UsageError when the file is there already
 * @throws InputError when the folder holds no farm, a photo's file is gone or the disk refuses
 */
export async function backupFarm(data: string, file: string): Promise<BackupOutcome> {
  return withFarm(data, async ({ folder, db, store }) => {
    if (await stat(file).catch(() => null))
      throw new UsageError(`${file} is there already; give another name`);
    if (!(await stat(dirname(resolve(file))).catch(() => null)))
      throw new UsageError(
        `${file} cannot be written: its folder is not there; make it, or give another name`,
      );
    const { damagedRuns } = await verifyRuns(db, folder);
    const outcome = { photos: 0, runs: 0, damagedRuns };
    await writeAtomically(file, (aside) =>
      // A folder: what SQLite writes beside the copy goes with it.
      withTemporaryName(file, async (place) => {
        // On the farm's own disk, and gone with the next start of its server where this process is killed.
        const held = join(folder.scratch, `backup-${randomUUID()}`);
        try {
          await makeFolder(place);
          await makeFolder(held);
          const copy = join(place, DATABASE_NAME);
          const { photos, runs } = await heldAsCopied(db, store, copy, held);
          async function* entries(): AsyncGenerator<TarEntry> {
            yield { name: DATABASE_NAME, path: copy };
            for (const { id } of runs) {
              const names = await filesBelow(join(folder.runs, id));
              for (const name of names)
                yield { name: `runs/${id}/${name}`, path: join(folder.runs, id, name) };
              if (names.length > 0) outcome.runs += 1;
            }
            for (const { sha256 } of photos) {
              const own = join(held, sha256);
              const isHeld = (await stat(own).catch(() => null)) !== null;
              yield { name: `photos/${sha256}`, path: isHeld ? own : store.pathOf(sha256) };
              outcome.photos += 1;
            }
          }
          await writeTar(aside, entries());
          await flush(aside);
        } finally {
          await rm(place, { recursive: true, force: true });
          await rm(held, { recursive: true, force: true });
        }
      }),
    );
    return outcome;
  });
}

/**
 * Copies the database, and holds all photos that the copy names under second names: those that are removed while they
 * are read stay. Photos that are there before the copy are held before it, so that few are left that could be gone.
 */
async function heldAsCopied(
  db: Database,
  store: PhotoStore,
  copy: string,
  held: string,
): Promise<Awaited<ReturnType<typeof namedIn>>> {
  await holdAll(await photosOf(db), store, held);
  for (let tries = 1; ; tries++) {
    await copyDatabase(db, copy);
    const named = await namedIn(copy);
    const gone = await holdAll(named.photos, store, held);
    const [first] = gone;
    if (first === undefined) return named;
    const stillNamed = new Set((await photosOf(db)).map(({ sha256 }) => sha256));
    if (tries === MOST_TRIES || stillNamed.has(first)) {
      throw new InputError(
        store.pathOf(first),
        'is not there, though a photo of the farm is in it',
        'sward serve verify names the photo; put its file back, or remove the photo',
      );
    }
    await rm(copy, { force: true });
  }
}

/** Gives photos second names in a folder, where the disk knows such. @returns hashes of those that are not there */
async function holdAll(
  photos: readonly { readonly sha256: string }[],
  store: PhotoStore,
  held: string,
): Promise<string[]> {
  const gone: string[] = [];
  for (const { sha256 } of photos) {
    await link(store.pathOf(sha256), join(held, sha256)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') gone.push(sha256);
    });
  }
  const isHeld = await Promise.all(gone.map((sha256) => stat(join(held, sha256)).catch(() => null)));
  return gone.filter((_, at) => isHeld[at] === null);
}

const photosOf = (db: Database) =>
  db.selectFrom('photos').select('sha256').distinct().orderBy('sha256').execute();

/** What a database names that lies beside it. It is closed then: with its log it is one file alone. */
const namedIn = (database: string) =>
  withDatabase(database, async (db) => ({
    photos: await photosOf(db),
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
