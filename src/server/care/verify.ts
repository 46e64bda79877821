import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Cut, Estimate, Paddock, PhotoRecord, Visit } from '../../farm/index.ts';
import { InputError, messageOf } from '../../ground/errors.ts';
import { fileFingerprint } from '../../ground/fingerprint.ts';
import { bundledRunFolder, STARTER } from '../../runs/bundled-runs.ts';
import { manifestFile } from '../../runs/manifest.ts';
import { listCuts } from '../cuts/stored-cut.ts';
import { PhotoFile } from '../photos/stored-photo.ts';
import { type Database, openDatabase } from '../storage/database.ts';
import { farmFolder } from '../storage/farm-folder.ts';
import { photoStore } from '../storage/photo-store.ts';

/** What was found of a farm's data. */
export interface VerifiedFarm {
  readonly photos: number;
  readonly cuts: number;
  readonly estimates: number;
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[];
  /** Photo files that no row names: of uploads that were broken off, harmless. */
  readonly unnamedPhotos: number;
}

/**
 * Looks at everything that a farm keeps: the database itself, that every record is one, that every photo's file is there
 * with the hash that its row says, and every run's. Changes nothing; its server may run meanwhile.
 *
 * @throws InputError when the folder holds no farm, or one of a later version
 */
export async function verifyFarm(data: string): Promise<VerifiedFarm> {
  const folder = farmFolder(data);
  if (!(await stat(folder.database).catch(() => null))) {
    throw new InputError(
      data,
      'holds no farm (sward.db is not there)',
      'name the folder that sward serve --data names',
    );
  }
  const db = await openDatabase(folder.database, { asItIs: true });
  try {
    const problems: string[] = [];
    const store = photoStore(folder.photos);
    await verifyDatabase(db, problems);
    const photos = await db.selectFrom('photos').selectAll().execute();
    const named = new Set(photos.map(({ sha256 }) => sha256));
    for (const sha256 of named) {
      const path = store.pathOf(sha256);
      const found = await fileFingerprint(path).catch(() => null);
      const ids = photos.filter((photo) => photo.sha256 === sha256).map(({ id }) => id);
      if (found === null) problems.push(`photo ${ids.join(', ')}: its file ${path} is not there`);
      else if (found !== sha256)
        problems.push(`photo ${ids.join(', ')}: its file ${path} has another SHA-256`);
    }
    const count = await verifyRecords(db, problems);
    await verifyRuns(db, folder.runs, problems);
    const files = await readdir(folder.photos, { recursive: true, withFileTypes: true }).catch(() => []);
    const unnamed = files.filter((file) => file.isFile() && !named.has(file.name));
    return { photos: photos.length, ...count, problems, unnamedPhotos: unnamed.length };
  } finally {
    await db.destroy();
  }
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

async function verifyRecords(db: Database, problems: string[]): Promise<{ cuts: number; estimates: number }> {
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
  for (const { id, body, file, sha256 } of await db.selectFrom('photos').selectAll().execute()) {
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

async function verifyRuns(db: Database, folder: string, problems: string[]): Promise<void> {
  for (const { id, hash, folder: given } of await db.selectFrom('runs').selectAll().execute()) {
    const place = id === STARTER ? bundledRunFolder(STARTER) : (given ?? join(folder, id));
    const found = await fileFingerprint(join(place, manifestFile('trained'))).catch(() => null);
    // The starter of another version of sward takes its place at the next start.
    if (id !== STARTER && found !== hash) problems.push(`run ${id}: ${place} is not the run that was kept`);
  }
}
