import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SILENT } from '../src/ground/progress.ts';
import { renderSample } from '../src/sample/index.ts';
import { computeDescriptors } from '../src/vision/descriptors/index.ts';
import type { PhotoContent } from '../src/vision/photos/index.ts';

const PHOTOS = 258;
/** What comes first is not counted: threads start, and with them the compilers of TypeScript and of Node. */
const UNCOUNTED = 86;
const THREADS = 2;

interface Figures {
  readonly photos: number;
  readonly photosPerSecond: number;
  /** Seconds of processor time a photo, decoding included. */
  readonly processorSeconds: number;
  /** Memory of the process, MiB, when counting began, and at the end. */
  readonly memoryEarly: number;
  readonly memoryLate: number;
}

/**
 * What describing photos of 2000×1000 pixels costs on two threads, nothing remembered: the real photos of
 * `SWARD_SHARED` (default ../shared), or rendered ones, each several times with another byte at its end.
 */
export async function run(): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'sward-bench-'));
  try {
    const files = await photoFiles(folder);
    const photos = Array.from({ length: PHOTOS }, (_, index): PhotoContent => {
      const path = files[index % files.length] as string;
      const copy = Math.floor(index / files.length);
      const bytes = async (): Promise<Uint8Array> =>
        Buffer.concat([await readFile(path), Buffer.from([copy])]);
      return { name: `${path} ${copy}`, bytes };
    });
    const memory = (): number => process.memoryUsage().rss / 2 ** 20;
    let done = 0;
    let memoryEarly = 0;
    let before = process.cpuUsage();
    let start = performance.now();
    const progress = {
      ...SILENT,
      advance: () => {
        done++;
        if (done !== UNCOUNTED) return;
        memoryEarly = memory();
        before = process.cpuUsage();
        start = performance.now();
      },
    };
    await computeDescriptors(photos, { cacheFolder: join(folder, 'cache'), threads: THREADS, progress });
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(before);
    const counted = PHOTOS - UNCOUNTED;
    const figures = {
      photos: counted,
      photosPerSecond: counted / seconds,
      processorSeconds: (user + system) / 1e6 / counted,
      memoryEarly,
      memoryLate: memory(),
    };
    console.error(
      `describe: ${figures.photosPerSecond.toFixed(1)} photos/s on ${THREADS} threads, ` +
        `${figures.processorSeconds.toFixed(3)} s of processor time a photo, ` +
        `${memoryEarly.toFixed(0)} MiB after ${UNCOUNTED} photos, ${figures.memoryLate.toFixed(0)} MiB at the end`,
    );
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function photoFiles(folder: string): Promise<string[]> {
  const shared = process.env.SWARD_SHARED ?? resolve(import.meta.dirname, '..', '..', 'shared');
  const real = join(shared, 'csiro', 'train');
  if (existsSync(real)) return jpegsIn(real);
  await renderSample({ out: join(folder, 'sample'), count: 12, width: 2000 });
  return jpegsIn(join(folder, 'sample', 'train'));
}

function jpegsIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.jpg'));
  return names.sort().map((name) => join(folder, name));
}
