import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SwardError, UsageError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import type { Progress } from '../../ground/progress.ts';
import { packageVersion } from '../../ground/version.ts';
import { isObjectLocation, openStore } from '../../storage/index.ts';
import { JobStore } from '../units/job-store.ts';
import type { JobList, StagedFile, Work } from '../units/spec.ts';
import { changedWork } from './changed-work.ts';
import type { DiskList } from './disk-list.ts';
import type { ListedPhoto } from './photos.ts';

/** A unit before it is written. */
export interface DraftUnit {
  /** What people call it: `fold 3`. */
  readonly name: string;
  readonly key: string;
  readonly work: Work;
}

/** Work that is laid out in a store, ready for whoever computes it. */
export interface PlannedJob {
  readonly jobs: JobStore;
  /** What a person is told goes on: `Training seed2`. */
  readonly title: string;
  readonly units: JobList['units'];
  /** Where the result goes. */
  readonly out: string;
  /** The files that it is about, as they were found. */
  readonly listed: DiskList<ListedPhoto> | null;
  /** The store's key of the note that this job writes its `--out`, where other commands work in that store, too. */
  readonly note?: string;
}

/** What makes units done. */
export interface Engine {
  /** Whether they are planned alone, to be computed and gathered later. */
  readonly plansAlone: boolean;
  /** The planned job that is gathered, and no other, with the file that keeps what it was {@link PlannedJob.listed} of. */
  readonly gathers?: { readonly job: string; readonly listFile: string };
  /**
   * Has units computed and waits for them; or writes down what does, where it {@link plansAlone}.
   *
   * @throws SwardError naming the units that failed, after the others are done
   */
  run(job: PlannedJob, progress: Progress): Promise<void>;
}

/** Where work is done, and where machines find it. */
export interface Cluster {
  readonly engine: Engine;
  /** A folder that all machines see, or `s3://bucket/prefix`; default one beside what is written. */
  readonly store?: string;
}

/** Specs that are written at once. */
const WRITTEN_AT_ONCE = 16;

/** How a place ends that is made for the work of one command. */
export const OWN_PLACE = '.work';

/** The place of work whose result goes to `out`. */
export const storeOf = ({ store }: Cluster, out: string): string =>
  store ?? `${out.replace(/\/+$/, '')}${OWN_PLACE}`;

interface PlanningOptions {
  /** Where the result goes. */
  readonly out: string;
  /** Puts files into the store that machines need and do not see; asked only where the store is one of objects. */
  readonly stage?: (jobs: JobStore) => Promise<readonly StagedFile[]>;
  /** Refuses where the result of this job cannot be written; asked before any of it is laid out. */
  readonly requireOut?: (job: string) => Promise<void>;
  /** Whether what is there already is never written over, so that of two jobs the first to end writes; default: the last. */
  readonly keepsFirst?: boolean;
  /** Hears of other work in a place that is one command's own. */
  readonly tell?: (line: string) => void;
  readonly listed?: DiskList<ListedPhoto> | null;
  /** As {@link Engine.gathers}: nothing is laid out then. */
  readonly gathers?: Engine['gathers'];
  /** Says which of the files it is about are not as they were planned; null: none. */
  readonly changed?: () => Promise<string | null>;
}

/**
 * Lays work out in a store. The same work is the same job: what is there of it is kept.
 *
 * @param drafts gives its units, as often as it is called
 * @throws SwardError where a job is gathered that is gone, or another than what is asked now
 */
export async function planJob(
  kind: Work['kind'],
  title: string,
  location: string,
  drafts: () => Iterable<DraftUnit> | AsyncIterable<DraftUnit>,
  options: PlanningOptions,
): Promise<PlannedJob> {
  const {
    out,
    stage = async () => [],
    requireOut,
    keepsFirst = false,
    tell = () => {},
    listed = null,
    gathers,
  } = options;
  const store = openStore(location);
  const units: { readonly key: string; readonly name: string }[] = [];
  for await (const { key, name } of drafts()) units.push({ key, name });
  const job = jobNameOf(kind, units);
  const jobs = new JobStore(store, job);
  const note = isOwnFolder(store.location) ? null : `${notesOf(out)}${job}`;
  const planned = { jobs, title, units, out, listed, ...(note !== null && { note }) };
  if (gathers) {
    // Of a training that has finished nothing is left to gather.
    if (units.length > 0) await requirePlanned(planned, gathers.job, drafts, options);
    return planned;
  }
  await requireOut?.(job);
  if (note === null ? await hasOthers(store.location, job) : await noteOut(jobs, out)) {
    tell(
      `warning: ${store.location} also holds other work for the same --out, begun before or by another command now; ` +
        `${keepsFirst ? 'the first to end writes it, and others are refused then' : 'whichever ends last writes it'}. ${note === null ? 'Remove that folder, or choose' : 'Choose'} another --out`,
    );
  }
  if (await jobs.isThere()) return planned;
  await requireConditionalWrites(jobs);
  const shared = {
    format: 1,
    sward: packageVersion(),
    store: store.location,
    job,
    folder: process.cwd(),
    staged: isObjectLocation(store.location) ? await stage(jobs) : [],
  } as const;
  const waiting = (async function* () {
    yield* drafts();
  })();
  const write = async (): Promise<void> => {
    for await (const draft of waiting) await jobs.putSpec({ ...shared, ...draft });
  };
  await Promise.all(Array.from({ length: WRITTEN_AT_ONCE }, write));
  const { format, sward } = shared;
  await jobs.putList({ format, sward, store: store.location, job, units });
  return planned;
}

/** What a job of these units is called. */
export const jobNameOf = (kind: Work['kind'], units: readonly Pick<DraftUnit, 'key'>[]): string =>
  `${kind}-${valueFingerprint(units.map(({ key }) => key)).slice(0, 16)}`;

/** @throws SwardError where the job that was planned is gone, or what is asked has become another */
async function requirePlanned(
  { jobs, out }: PlannedJob,
  job: string,
  drafts: () => Iterable<DraftUnit> | AsyncIterable<DraftUnit>,
  { changed = async () => null }: PlanningOptions,
): Promise<void> {
  const own = new JobStore(jobs.store, job);
  if (!(await own.isThere())) {
    throw new SwardError(
      `${own.location} is not there any more: it was removed, or gathered by the same command, whose result is ${out} then; ` +
        'else plan the work again',
    );
  }
  if (job === jobs.job) return;
  let now: DraftUnit | undefined;
  for await (now of drafts()) break;
  const what = now && changedWork(await own.firstSpec(), now.work, await changed());
  throw new SwardError(
    `the work is not what was planned, since this has changed: ${what}; put it back as it was and gather again, or plan ` +
      'the work again',
  );
}

/** Whether a place is a folder that is there for one command's work. */
export const isOwnFolder = (location: string): boolean =>
  location.endsWith(OWN_PLACE) && !isObjectLocation(location);

/** Where in a store jobs are noted that write an `--out`. */
const notesOf = (out: string): string => {
  const place = isObjectLocation(out) ? out.replace(/\/+$/, '') : resolve(out);
  return `outs/${valueFingerprint(place).slice(0, 16)}/`;
};

/** Notes in the store that a job writes an `--out`. @returns whether other jobs that are there write it, too */
async function noteOut({ store, job }: JobStore, out: string): Promise<boolean> {
  const folder = notesOf(out);
  let hasOthers = false;
  for await (const { key } of store.list(folder)) {
    const other = key.slice(folder.length);
    if (other === job) continue;
    if (await new JobStore(store, other).isThere()) hasOthers = true;
    else await store.remove(key);
  }
  await store.put(`${folder}${job}`, out);
  return hasOthers;
}

/** Whether a place that is there for one command's work holds more than that. */
async function hasOthers(location: string, job: string): Promise<boolean> {
  const names = await readdir(location).catch((): string[] => []);
  return names.some((name) => name !== job);
}

/** @throws UsageError for a store in which two could publish the same result */
async function requireConditionalWrites({ store, job }: JobStore): Promise<void> {
  const key = `${job}/trial`;
  await store.remove(key);
  const [first, second] = [await store.create(key, 'first'), await store.create(key, 'second')];
  await store.remove(key);
  if (first && !second) return;
  throw new UsageError(
    `${store.location}: the store writes over what is there although it is told not to (If-None-Match: *); use one that ` +
      'does not, as Amazon S3, MinIO or Cloudflare R2, or a folder that all machines see',
  );
}
