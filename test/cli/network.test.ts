import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpyFloat32 } from '../../src/formats/npy/npy.ts';
import { randomStream } from '../../src/ground/random.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import { TARGET_NAMES, targetsToArray } from '../../src/pasture/targets.ts';
import { runContents } from '../support/run-contents.ts';
import { runSward } from '../support/run-sward.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('network-command');
const features = join(root, 'features.npy');
const idList = join(root, 'ids.txt');
const labels = join(root, 'train.csv');
const main = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');

beforeAll(async () => {
  const photos = Array.from({ length: 12 }, (_, photo) => photo);
  const random = randomStream(1);
  const values = Float64Array.from({ length: 12 * 32 }, () => random.normal());
  await writeNpyFloat32(features, { rows: 12, columns: 32, data: values });
  writeFileSync(idList, photos.map((photo) => `ID${photo}\n`).join(''));
  const rows = photos.flatMap((photo) => {
    const masses = targetsFromComponents({ green: 20 + 3 * photo, dead: 5, clover: photo % 3 });
    return targetsToArray(masses).map(
      (mass, at) =>
        `ID${photo}__${TARGET_NAMES[at]},2015/${1 + (photo % 6)}/4,Tas,${TARGET_NAMES[at]},${mass}`,
    );
  });
  const header = 'sample_id,Sampling_Date,State,target_name,target';
  writeFileSync(labels, `${[header, ...rows].join('\n')}\n`);
});

describe('training a network', () => {
  const from = ['train', '--features', features, '--ids', idList, '--labels', labels];

  it('killed at ten moments and resumed each time end with the files of an undisturbed run', async () => {
    const command = [
      ...[...from, '--recipe', 'feature-mlp', '--folds', '3', '--seed', '3'],
      ...['--set', 'estimator.members=2', '--set', 'estimator.epochs=120', '--set', 'estimator.batch=2'],
      ...['--set', 'evaluation.leaveOneStateOut=false', '--out'],
    ];
    const [whole, disturbed] = [join(root, 'whole'), join(root, 'disturbed')];
    expect((await runSward([...command, whole])).code).toBe(0);
    const random = randomStream(10);
    let kills = 0;
    for (; kills < 10; kills++) {
      const resuming = [...command, disturbed, '--resume'];
      if ((await killed(disturbed, resuming, random.integer(40))) !== 'SIGKILL') break;
    }
    expect(kills).toBe(10);
    expect((await runSward([...command, disturbed, '--resume'])).code).toBe(0);
    expect(runContents(disturbed)).toEqual(runContents(whole));
  }, 120_000);
});

/**
 * Runs a command, and kills it so many milliseconds after its first state was saved.
 *
 * @returns the signal it ended by
 */
async function killed(run: string, args: readonly string[], after: number): Promise<string | null> {
  const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' });
  const ended = new Promise<string | null>((settle) => child.on('close', (_, signal) => settle(signal)));
  const before = statesIn(run);
  let timer: NodeJS.Timeout | undefined;
  const watch = setInterval(() => {
    if (timer === undefined && statesIn(run) !== before)
      timer = setTimeout(() => child.kill('SIGKILL'), after);
  }, 2);
  const signal = await ended;
  clearInterval(watch);
  clearTimeout(timer);
  return signal;
}

/** Names of the training states and folds in a run folder. */
function statesIn(run: string): string {
  try {
    return readdirSync(run, { recursive: true }).sort().join();
  } catch {
    // A folder went while it was being read, or is not there yet.
    return '';
  }
}
