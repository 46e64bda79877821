import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { group } from 'd3-array';
import { type Selectable, sql } from 'kysely';
import { Cut, Estimate, Paddock, PhotoRecord, Visit } from '../../farm/index.ts';
import { messageOf } from '../../ground/errors.ts';
import { fileFingerprint } from '../../ground/fingerprint.ts';
import { STARTER } from '../../runs/bundled-runs.ts';
import { manifestFile, readCompleteManifest } from '../../runs/manifest.ts';
import { requireUnchanged } from '../../runs/run-folder.ts';
import { listCuts } from '../cuts/stored-cut.ts';
import { PhotoFile } from '../photos/stored-photo.ts';
import { runPlace } from '../runs/library.ts';
import type { Database } from '../storage/database.ts';
import type { FarmFolder } from '../storage/farm-folder.ts';
import type { Tables } from '../storage/tables.ts';
import { withFarm } from './with-farm.ts';

/** What was found of a farm's data. */
export interface VerifiedFarm {
  readonly photos: number;
  readonly cuts: number;
  readonly estimates: number;
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[];
  /** Runs of the farm whose files are not as they were kept, a sentence each. */
  readonly damagedRuns: readonly string[];
  /** Runs given by a folder outside the farm that is not there or holds another run now, a sentence each. */
  readonly runsElsewhere: readonly string[];
  /** Photo files that no row names: of uploads that were broken off, harmless. */
  readonly unnamedPhotos: number;
}

/**
 * Looks at everything that a farm keeps: the database itself, that every record is one, that every photo's file is there
 * with the hash that its row says, and every file of its runs. Changes nothing; its server may run meanwhile.
 *
 * @throws InputError when the folder holds no farm, or one of a later version
 */
export async function verifyFarm(data: string): Promise<VerifiedFarm> {
  return withFarm(data, async ({ folder, db, store }) => {
    const problems: string[] = [];
    await verifyDatabase(db, problems);
    const photos = await db.selectFrom('photos').selectAll().execute();
    const byHash = group(photos, ({ sha256 }) => sha256);
    for (const [sha256, named] of byHash) {
      const path = store.pathOf(sha256);
      const found = await fileFingerprint(path).catch(() => null);
      const ids = named.map(({ id }) => id).join(', ');
      if (found === null) problems.push(`photo ${ids}: its file ${path} is not there`);
      else if (found !== sha256) problems.push(`photo ${ids}: its file ${path} has another SHA-256`);
    }
    const count = await verifyRecords(db, photos, problems);
    const runs = await verifyRuns(db, folder);
    const files = await readdir(folder.photos, { recursive: true, withFileTypes: true }).catch(() => []);
    const unnamed = files.filter((file) => file.isFile() && !byHash.has(file.name));
    return { photos: photos.length, ...count, problems, ...runs, unnamedPhotos: unnamed.length };
  });
}

async function verifyDatabase(db: Database, problems: string[]): Promise<void> {
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db);
  for (const { integrity_check } of rows) {
    if (integrity_check !== 'ok') problems.push(`database: ${integrity_check}`);
  }
  const broken = await sql<{ table: string; parent: string }>`pragma foreign_key_check`.execute(db);
  for (const { table, parent } of broken.rows)
    problems.push(`database: a row of ${table} names one of ${parent} that is not there`);
}

async function verifyRecords(
  db: Database,
  photos: readonly Selectable<Tables['photos']>[],
  problems: string[],
): Promise<{ cuts: number; estimates: number }> {
  const check = (what: string, id: string, parse: () => unknown): void => {
    try {
      parse();
    } catch (error) {
      problems.push(`${what} ${id}: ${messageOf(error).replaceAll(/\s+/g, ' ').slice(0, 200)}`);
    }
  };
  for (const { id, body } of await db.selectFrom('paddocks').selectAll().execute()) {
    check('paddock', id, () => Paddock.parse(JSON.parse(body)));
  }
  for (const { id, body } of await db.selectFrom('visits').selectAll().execute()) {
    check('visit', id, () => Visit.parse(JSON.parse(body)));
  }
  for (const { id, body, file, sha256 } of photos) {
    check('photo', id, () => {
      PhotoFile.parse(JSON.parse(file));
      if (PhotoRecord.parse(JSON.parse(body)).sha256 !== sha256)
        throw new Error('its record has another SHA-256 than its row');
    });
  }
  const estimates = await db.selectFrom('estimates').selectAll().execute();
  for (const { id, body } of estimates)
    if (body !== null) check('estimate', id, () => Estimate.parse(JSON.parse(body)));
  const cuts = await listCuts(db, (rows) => rows);
  for (const cut of cuts) check('cut', cut.id, () => Cut.parse(cut));
  return { cuts: cuts.length, estimates: estimates.length };
}

/** What is wrong with runs: those in the farm's folder, and those that were given by theirs, which is no part of it. */
export async function verifyRuns(
  db: Database,
  farm: FarmFolder,
): Promise<{ readonly damagedRuns: string[]; readonly runsElsewhere: string[] }> {
  const damagedRuns: string[] = [];
  const runsElsewhere: string[] = [];
  for (const run of await db.selectFrom('runs').selectAll().execute()) {
    const { id, name, hash, folder } = run;
    const place = runPlace(run, farm);
    const found = await fileFingerprint(join(place, manifestFile('trained'))).catch(() => null);
    // The starter of another version of sward takes its place at the next start.
    if (id === STARTER && found !== hash) continue;
    const damage =
      found === hash
        ? await readCompleteManifest(place)
            .then((manifest) => requireUnchanged(place, manifest))
            .then(() => null, messageOf)
        : null;
    if (found === hash && damage === null) continue;
    if (folder === null) {
      damagedRuns.push(`run ${name} (${id}): ${damage ?? `${place} is not the run that was kept`}`);
    } else {
      const what = found === null ? 'is not there' : damage === null ? 'is another run now' : 'is damaged';
      runsElsewhere.push(
        `run ${name} (${id}) was given as ${place}, which ${what}; put it back, or let another run answer`,
      );
    }
  }
  return { damagedRuns, runsElsewhere };
}
