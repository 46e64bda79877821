import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBackbone } from '../src/vision/backbones/index.ts';
import { startRedis } from '../test/support/redis-server.ts';
import { writePhoto, writeSmallFolder } from '../test/support/small-data-folder.ts';
import { noisyWeights, writeWeights } from '../test/vision/backbones/tiny.ts';
import { type Command, residentMebibytes, start } from './cluster/command.ts';

const PHOTOS = Number(process.env.SWARD_BENCH_PHOTOS ?? 20_000);
/** Photos beyond these are links to them, which show memory alone: what is computed of a file is known. */
const OWN_PHOTOS = Math.min(20_000, PHOTOS);
/** Photos of which the rate of one process is taken. */
const SAMPLE = Math.min(2_000, PHOTOS / 4);
const BROKEN = 20;
const WORKERS = 2;
const SECONDS_A_LOOK = 0.5;
/** Places of the curve of memory that are told. */
const TOLD = 10;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/**
 * Small photos by one process on one processor, and by as many workers as there are processors to spare, one on each:
 * photos a second, and memory of the coordinator while photos come in. Everything is computed anew, by a small backbone of
 * random weights.
 */
export async function run(): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'sward-bench-photos-'));
  const at = (name: string): string => join(folder, name);
  const redis = await startRedis(at('redis'));
  const workers: Command[] = [];
  try {
    await writeSmallFolder(at('data'), { photos: 12 });
    for (const name of ['flight', 'sample']) mkdirSync(at(name));
    for (let photo = 0; photo < PHOTOS; photo++) {
      const name = `P${String(photo).padStart(6, '0')}.jpg`;
      if (photo >= OWN_PHOTOS) {
        const own = `P${String(photo % OWN_PHOTOS).padStart(6, '0')}.jpg`;
        linkSync(join(at('flight'), own), join(at('flight'), name));
        continue;
      }
      await writePhoto(join(at('flight'), name), photo % 80, photo);
      if (photo < SAMPLE) writeFileSync(join(at('sample'), name), readFileSync(join(at('flight'), name)));
    }
    for (let photo = 0; photo < BROKEN; photo++)
      writeFileSync(join(at('flight'), `broken ${photo}.jpg`), 'x');
    say(`${PHOTOS} photos of 64 x 32 pixels`);
    const config = { dim: 24, depth: 2, heads: 3, imgSize: [42, 42] };
    await writeWeights(at('model.safetensors'), noisyWeights(makeBackbone('dinov2', config)));
    const stated = { arch: 'dinov2', config, preprocessing: { inputSize: [42, 42] } };
    writeFileSync(at('model.json'), JSON.stringify(stated));
    const recipe = ['--recipe', 'feature-ridge', '--set', `backbone=${at('model.safetensors')}`];
    await start(['train', at('data'), ...recipe, '--out', at('run')], at('cache-t')).ended;
    const lone = async (): Promise<number> => {
      const began = performance.now();
      const one = start(
        ['predict', at('run'), at('sample'), '--out', at('one.csv')],
        at(`cache-${began}`),
        0,
      );
      await one.ended;
      return SAMPLE / ((performance.now() - began) / 1000);
    };
    const before = await lone();
    say(`one process, one processor: ${before.toFixed(1)} photos a second`);
    for (let worker = 0; worker < WORKERS; worker++) {
      workers.push(start(['work', '--on', redis.url, '--threads', '1'], at(`cache-${worker}`), worker));
    }
    const began = performance.now();
    const coordinator = start(
      ['predict', at('run'), at('flight'), '--out', `${at('parts')}/`, '--on', redis.url],
      at('cache-c'),
    );
    const looks: number[] = [];
    const looking = setInterval(() => {
      const mebibytes = residentMebibytes(coordinator.child);
      if (mebibytes !== null) looks.push(mebibytes);
    }, 1000 * SECONDS_A_LOOK);
    await coordinator.ended;
    clearInterval(looking);
    const rate = PHOTOS / ((performance.now() - began) / 1000);
    const after = await lone();
    const single = (before + after) / 2;
    const summary = JSON.parse(readFileSync(join(at('parts'), 'summary.json'), 'utf8'));
    // The first seconds load the program.
    const settled = looks.slice(Math.min(20, Math.floor(looks.length / 4)));
    const curve = Array.from({ length: TOLD }, (_, place) =>
      Math.round(looks[Math.floor(((place + 1) * looks.length) / TOLD) - 1] ?? Number.NaN),
    );
    const share = rate / (WORKERS * single);
    say(
      `${WORKERS} workers: ${rate.toFixed(1)} photos a second, ${share.toFixed(2)} of ${WORKERS} x one process ` +
        `(${before.toFixed(1)} before, ${after.toFixed(1)} after); ${summary.problems} problems`,
    );
    say(
      `coordinator: ${Math.min(...settled).toFixed(0)} to ${Math.max(...settled).toFixed(0)} MiB, ${settled.at(-1)?.toFixed(0)} at the end; along the way ${curve.join(', ')}`,
    );
    return {
      photos: summary.photos,
      problems: summary.problems,
      singleBefore: before,
      singleAfter: after,
      rate,
      share,
      coordinatorMebibytes: { least: Math.min(...settled), most: Math.max(...settled), curve },
    };
  } finally {
    for (const { child } of workers) child.kill('SIGKILL');
    await redis.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
