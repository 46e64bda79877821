import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { InputError } from '../../ground/errors.ts';

/**
 * The steps from an empty database to that of this version, in order. One that was released never changes: the next
 * change is the next step, and `test/server/schemas` keeps a database of every released one.
 */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '001-farm': { up: (db) => statements(db, FARM) },
  '002-edits': { up: (db) => statements(db, EDITS) },
  '003-devices-seen': { up: (db) => statements(db, DEVICES_SEEN) },
};

/** Names of all steps, in order. */
export const MIGRATION_NAMES: readonly string[] = Object.keys(MIGRATIONS);

const FARM = `
create table farm (id integer primary key check (id = 1), name text not null, run_id text not null references runs (id)) strict;
create table devices (id text primary key, name text not null, role text not null, token_hash text not null,
  created_at text not null, revoked_at text) strict;
create table pairings (id text primary key, name text not null, role text not null, secret_hash text not null,
  expires_at text not null, used_at text) strict;
create table paddocks (id text primary key, body text not null) strict;
create table visits (id text primary key, paddock_id text not null references paddocks (id), started_at text not null,
  body text not null) strict;
create index visits_of_paddock on visits (paddock_id, started_at);
create table photos (id text primary key, visit_id text references visits (id), sha256 text not null,
  captured_at text not null, stored_at text not null, file text not null, body text not null) strict;
create index photos_of_visit on photos (visit_id, captured_at);
create index photos_of_file on photos (sha256);
create table cuts (id text primary key, visit_id text not null references visits (id),
  photo_id text references photos (id)) strict;
create index cuts_of_visit on cuts (visit_id);
create index cuts_of_photo on cuts (photo_id);
create table cut_events (position integer primary key autoincrement, id text not null unique,
  cut_id text not null references cuts (id) on delete cascade, body text not null) strict;
create index events_of_cut on cut_events (cut_id, position);
create table runs (id text primary key, name text not null, hash text not null unique, origin text not null,
  added_at text not null, area_m2 real not null, errors text not null, folder text) strict;
create table estimates (id text primary key, photo_id text not null references photos (id) on delete cascade,
  run_hash text not null, estimated_at text not null, body text, problem text,
  unique (photo_id, run_hash)) strict;
create table jobs (id text primary key, kind text not null, state text not null, asked text not null,
  progress text not null, created_at text not null, finished_at text) strict;
create table calibrations (id text primary key, run_hash text not null, made_at text not null, body text not null) strict;
`;

const EDITS = `
alter table paddocks add column changed text not null default '{}';
alter table visits add column changed text not null default '{}';
alter table photos add column changed text not null default '{}';
create table removals (id text primary key, kind text not null, removed_at text not null) strict;
create table joined_visits (id text primary key, visit_id text not null references visits (id) on delete cascade,
  started_at text not null, joined_at text not null) strict;
create index visits_joined_to on joined_visits (visit_id);
`;

const DEVICES_SEEN = 'alter table devices add column seen_at text';

async function statements(db: Kysely<unknown>, text: string): Promise<void> {
  for (const statement of text.split(';').filter((part) => part.trim() !== ''))
    await sql.raw(statement).execute(db);
}

const migratorOf = (db: Kysely<unknown>): Migrator =>
  new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });

/** Steps that a database has yet to take. @throws InputError for the database of a later version of sward */
export async function stepsAhead(path: string, db: Kysely<unknown>): Promise<number> {
  const { rows } = await sql<{
    name: string;
  }>`select name from sqlite_master where name = 'kysely_migration'`.execute(db);
  if (rows.length === 0) return MIGRATION_NAMES.length;
  const taken = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  const unknown = taken.rows.find(({ name }) => !MIGRATION_NAMES.includes(name));
  if (unknown) {
    throw new InputError(
      path,
      `is of a later version of sward (${unknown.name})`,
      'start the version that wrote it, or a newer one',
    );
  }
  return MIGRATION_NAMES.length - taken.rows.length;
}

/** Takes all steps that a database has yet to take. @throws what a step threw; the database is then as it was */
export async function migrate(db: Kysely<unknown>): Promise<void> {
  const { error } = await migratorOf(db).migrateToLatest();
  if (error !== undefined) throw error;
}
