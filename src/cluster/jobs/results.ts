import { createHash } from 'node:crypto';
import { rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SwardError } from '../../ground/errors.ts';
import { download, isObjectLocation, storedObject } from '../../storage/index.ts';
import { ANSWER, type ChunkAnswer, FEATURES, PICTURES, type PictureKind } from '../units/answer.ts';
import { GatheredElsewhere, type JobStore, type UnitResult } from '../units/job-store.ts';
import { parseExactJson } from '../units/spec.ts';
import { clearStaged, unitsFolder } from '../units/staged.ts';
import { isOwnFolder, type PlannedJob } from './planned-job.ts';

type ResultFile = UnitResult['files'][number];

/** The result of a unit. @throws SwardError where it is gone */
export async function resultOf(jobs: JobStore, key: string): Promise<UnitResult> {
  const result = await jobs.result(key);
  if (result) return result;
  if (!(await jobs.isThere())) throw new GatheredElsewhere(jobs);
  throw new SwardError(`${jobs.location}: the result of unit ${key} is gone; run the same command again`);
}

/** A file of a result as it was made. @throws SwardError where it is damaged */
export async function readResult(jobs: JobStore, { name, sha256 }: ResultFile): Promise<Uint8Array> {
  const bytes = await jobs.store.read(jobs.objectKey(sha256));
  if (bytes && createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
  if (!bytes && !(await jobs.isThere())) throw new GatheredElsewhere(jobs);
  throw new SwardError(
    `${jobs.location}/objects/${sha256}: ${name} is ${bytes ? 'damaged' : 'gone'}; remove ${jobs.location} and run the same command again`,
  );
}

/** Copies a file of a result. @throws InputError where it is damaged */
export const fetchResult = (jobs: JobStore, { sha256 }: ResultFile, path: string): Promise<void> =>
  download(jobs.store, jobs.objectKey(sha256), path, { sha256 });

/** What was made of some photos. */
export interface Answered {
  readonly answer: ChunkAnswer;
  /** The file of their features, where that was asked for. */
  readonly features: ResultFile | null;
  /** The place of their unit in the job. */
  readonly unit: number;
  readonly pictures: readonly Picture[];
}

/** What was drawn of a photo: `north/IMG_1.png` of the maps. */
export interface Picture {
  readonly kind: PictureKind;
  readonly name: string;
  readonly file: ResultFile;
}

/** What was made of the photos of a job, in their order. */
export async function* answersOf({ jobs, units }: PlannedJob): AsyncGenerator<Answered> {
  for (const [unit, { key }] of units.entries()) {
    const { files } = await resultOf(jobs, key);
    for (const file of files) {
      const under = partOf(file.name, ANSWER);
      if (under === null) continue;
      const answer = parseExactJson(Buffer.from(await readResult(jobs, file)).toString()) as ChunkAnswer;
      const features = files.find(({ name }) => name === `${under}${FEATURES}`) ?? null;
      yield { answer, features, unit, pictures: picturesOf(files, under) };
    }
  }
}

/** The folder of a file that each part of a unit has one of: none where the unit was computed as a whole, else `1/`. */
function partOf(name: string, file: string): string | null {
  const under = name.endsWith(file) ? name.slice(0, -file.length) : null;
  return under !== null && /^(\d+\/)?$/.test(under) ? under : null;
}

function picturesOf(files: readonly ResultFile[], under: string): Picture[] {
  return PICTURES.flatMap((kind) => {
    const folder = `${under}${kind}/`;
    return files.flatMap((file) =>
      file.name.startsWith(folder) ? [{ kind, name: file.name.slice(folder.length), file }] : [],
    );
  });
}

/** Changes when a file or an object does; null where there is none. */
export async function versionOf(location: string): Promise<string | null> {
  const { store, key } = storedObject(isObjectLocation(location) ? location : resolve(location));
  return (await store.facts(key))?.version ?? null;
}

/** Removes a job whose result has been gathered, a place that was there for it alone, and what this machine kept for it. */
export async function clearAway({ jobs, note }: PlannedJob): Promise<void> {
  await jobs.remove();
  if (note !== undefined) await jobs.store.remove(note);
  const { location } = jobs.store;
  if (isOwnFolder(location)) await rmdir(location).catch(() => {});
  await clearStaged(unitsFolder());
}
