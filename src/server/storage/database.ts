import { chmod, stat, writeFile } from 'node:fs/promises';
import { Kysely, SqliteAdapter, SqliteDialect, sql } from 'kysely';
import Libsql from 'libsql';
import { InputError, messageOf } from '../../ground/errors.ts';
import { storageFailure } from './disk.ts';
import { migrate, stepsAhead } from './migrations.ts';
import type { Tables } from './tables.ts';

/** The farm's database. */
export type Database = Kysely<Tables>;

/** How long a statement waits for another process, a backup say, that has the database. */
const WAIT_MS = 10_000;

/** libsql is called as better-sqlite3 is. Tables are made in transactions too, which kysely does not expect of SQLite. */
class LibsqlDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new (class extends SqliteAdapter {
      override get supportsTransactionalDdl(): boolean {
        return true;
      }
    })();
  }
}

/** How a database is opened. */
interface OpenDatabase {
  /** Only looked at: neither made nor brought up to this version. */
  readonly asItIs?: boolean;
}

/**
 * Opens `sward.db`, made where it is not there, and brings it up to this version; before that a copy is kept beside it.
 * What a statement has written is on the disk when it returns.
 *
 * @throws InputError for the database of a later version
 */
export async function openDatabase(path: string, { asItIs = false }: OpenDatabase = {}): Promise<Database> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (!asItIs) {
    // What SQLite writes beside it gets the same rights.
    if (!isThere) await writeFile(path, '', { mode: 0o600 });
    await chmod(path, 0o600);
  }
  const database = openedFile(path);
  const db = new Kysely<Tables>({ dialect: new LibsqlDialect({ database }) });
  try {
    const ahead = await stepsAhead(path, db as Kysely<unknown>);
    if (ahead > 0 && !asItIs) {
      if (isThere) await copyDatabase(db, `${path}.before-${new Date().toISOString().replaceAll(':', '-')}`);
      await migrate(db as Kysely<unknown>);
    }
    return db;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

/** @throws InputError for what is no database, or cannot be read or written */
function openedFile(path: string): Libsql.Database {
  try {
    const database = new Libsql(path, { timeout: WAIT_MS });
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    return database;
  } catch (error) {
    throw new InputError(
      path,
      `is no database that can be opened (${messageOf(error)})`,
      'restore a backup into a new folder, or have the file opened to you',
    );
  }
}

/** Opens a database as it is for the time of `use`. */
export async function withDatabase<Result>(
  path: string,
  use: (db: Database) => Promise<Result>,
): Promise<Result> {
  const db = await openDatabase(path, { asItIs: true });
  try {
    return await use(db);
  } finally {
    await db.destroy();
  }
}

/** Writes the database as it stands now into a new file, while others go on using it. */
export async function copyDatabase(db: Database, path: string): Promise<void> {
  await sql`vacuum into ${path}`.execute(db).catch((error: unknown) => {
    throw storageFailure(error);
  });
}
