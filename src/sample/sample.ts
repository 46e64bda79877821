import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../ground/errors.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { type RandomStream, randomStream } from '../ground/random.ts';
import { claimFolder } from './folder.ts';
import { writeTables } from './layout.ts';
import { planQuadrat } from './photo.ts';
import { renderPhotos } from './render-photos.ts';
import { planSessions } from './session.ts';

/** What is rendered, and where to. */
export interface SampleOptions {
  /** Folder to write; made when missing. */
  readonly out: string;
  /** Training photos; default 60. */
  readonly count?: number;
  /** Default 1. The same seed gives the same files, whatever the number of threads. */
  readonly seed?: number;
  /** Pixels; default 1000. */
  readonly width?: number;
  /** Pixels; default half the width. */
  readonly height?: number;
  /** Test photos, taken on dates of their own; default one for every seven or eight training photos. */
  readonly testCount?: number;
  /** Worker threads; default one for each core, 8 at most; 0 or 1 renders in this thread. */
  readonly threads?: number;
  readonly progress?: Progress;
}

/** What was rendered. */
export interface SampleSummary {
  readonly trainImages: number;
  readonly testImages: number;
  /** Visits (date and State) over both sets. */
  readonly sessions: number;
}

/**
 * Renders a data folder in the competition's layout: photos of quadrats drawn leaf by leaf, with the mass of
 * each fraction following from what was drawn, in sessions with a look of their own. `test_truth.csv` holds
 * the masses of the test photos.
 *
 * @throws UsageError when a number is out of range
 * @throws InputError when `out` is a file, or a folder with other things in it
 */
export async function renderSample(options: SampleOptions): Promise<SampleSummary> {
  const settings = resolve(options);
  const { count, testCount, seed, width, height } = settings;
  await claimFolder(options.out, { sample: 1, seed, count, testCount, width, height });

  const random = randomStream(seed).fork('sample');
  const trainSizes = sessionSizes(count, TRAIN_SESSIONS, random.fork('train sizes'));
  const testSizes = sessionSizes(testCount, TEST_SESSIONS, random.fork('test sizes'));
  const sessions = planSessions(trainSizes.length + testSizes.length, random.fork('sessions'));
  const sizes = [...trainSizes, ...testSizes];
  const visits = sessions.flatMap((session, index) =>
    Array.from({ length: sizes[index] ?? 0 }, () => session),
  );
  const ids = photoIds(visits.length, random.fork('ids'));
  const photos = visits.map((session, index) => {
    const plan = planQuadrat(session, randomStream(seed).fork(`plan ${index}`));
    const id = ids[index] ?? '';
    const path = join(options.out, index < count ? 'train' : 'test', `${id}.jpg`);
    return { id, session, path, task: { plan, width, height, seed, stream: `photo ${index}` } };
  });

  const progress = options.progress ?? SILENT;
  progress.stage('rendering the sample', photos.length, 'photos');
  const rows = await renderPhotos(photos, settings.threads, () => progress.advance());
  progress.done();
  await writeTables(options.out, rows.slice(0, count), rows.slice(count));
  return { trainImages: count, testImages: testCount, sessions: sessions.length };
}

type Settings = Required<Omit<SampleOptions, 'out' | 'progress'>>;

function resolve(options: SampleOptions): Settings {
  const count = options.count ?? 60;
  requireWhole('the number of photos', count, 1, 100_000);
  const width = options.width ?? 1000;
  requireWhole('the width', width, 64, 8000);
  const settings = {
    count,
    width,
    height: options.height ?? Math.round(width / 2),
    seed: options.seed ?? 1,
    testCount: options.testCount ?? Math.max(1, Math.round(count / 7.5)),
    threads: options.threads ?? Math.min(8, availableParallelism()),
  };
  requireWhole('the height', settings.height, 32, 8000);
  requireWhole('the seed', settings.seed, -(2 ** 31), 2 ** 32 - 1);
  requireWhole('the number of test photos', settings.testCount, 1, 100_000);
  requireWhole('the number of threads', settings.threads, 0, 256);
  return settings;
}

function requireWhole(name: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new UsageError(`${name} is ${value}; give a whole number from ${low} to ${high}`);
}

/** Sessions that a set should have at least, as far as it has photos: enough for five folds, or for a test. */
const TRAIN_SESSIONS = 6;
const TEST_SESSIONS = 2;

/** Four to eight photos a session, mostly few; smaller sessions where that leaves too few of them. */
function sessionSizes(count: number, sessions: number, random: RandomStream): number[] {
  const most = Math.min(8, Math.max(1, Math.floor(count / sessions)));
  const least = Math.max(1, Math.floor(most / 2));
  const sizes: number[] = [];
  let left = count;
  while (left > most) {
    const range = most - least + 1;
    const drawn = least + Math.min(random.integer(range), random.integer(range));
    // Leave enough for one more full session.
    const size = left - drawn < least ? left - least : drawn;
    sizes.push(size);
    left -= size;
  }
  return [...sizes, left];
}

/** Different ids of nine or ten digits, like the competition's, that tell nothing of the session. */
function photoIds(count: number, random: RandomStream): string[] {
  const ids = new Set<string>();
  while (ids.size < count) ids.add(`ID${100_000_000 + random.integer(2_000_000_000)}`);
  return [...ids];
}
