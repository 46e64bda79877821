import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpyFloat32 } from '../../src/formats/npy/npy.ts';
import { randomStream } from '../../src/ground/random.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import { TARGET_NAMES, targetsToArray } from '../../src/pasture/targets.ts';
import { predictRun } from '../../src/workflows/predict/predict.ts';
import { trainRun } from '../../src/workflows/train/train.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';

const folder = temporaryFolder('several-features');
const path = (name: string): string => join(folder, name);
const PHOTOS = 36;

/** The green mass is in file `a`, the dead mass in file `b`. */
async function writeFiles(): Promise<void> {
  const random = randomStream(4);
  const a = Float32Array.from({ length: PHOTOS * 3 }, () => random.normal());
  const b = Float32Array.from({ length: PHOTOS * 2 }, () => random.normal());
  await writeNpyFloat32(path('a.npy'), { rows: PHOTOS, columns: 3, data: a });
  await writeNpyFloat32(path('b.npy'), { rows: PHOTOS, columns: 2, data: b });
  const ids = Array.from({ length: PHOTOS }, (_, photo) => `ID${photo}`);
  writeFileSync(path('ids.txt'), ids.join('\n'));
  const lines = ids.flatMap((id, photo) => {
    const green = 50 + 10 * (a[photo * 3] ?? 0);
    const dead = 20 + 5 * (b[photo * 2] ?? 0);
    const masses = targetsToArray(targetsFromComponents({ green, dead, clover: photo % 3 }));
    return TARGET_NAMES.map((target, column) =>
      [`${id}__${target}`, `2015/${1 + (photo % 6)}/4`, 'Tas', target, masses[column]].join(','),
    );
  });
  writeFileSync(path('train.csv'), `sample_id,Sampling_Date,State,target_name,target\n${lines.join('\n')}\n`);
}

async function train(out: string, files: readonly string[], ...changes: string[]) {
  return trainRun({
    source: { kind: 'features', features: files.map(path), ids: path('ids.txt'), labels: path('train.csv') },
    recipe: await resolveRecipe('feature-stack', [
      'estimator.members=[{"input":"each","estimator":{"kind":"ridge","penalties":[0.01]}}]',
      ...changes,
    ]),
    out: path(out),
    plan: { folds: 3 },
  });
}

const predict = async (run: string, files: readonly string[]) =>
  (
    await predictRun({
      run: path(run),
      source: { features: files.map(path), ids: path('ids.txt') },
    })
  ).predictions;

describe('a run on several feature files', () => {
  beforeAll(writeFiles);

  it('learns from each, remembers their names, and predicts from the same list', async () => {
    const both = await train(
      'both',
      ['a.npy', 'b.npy'],
      'estimator.members=[{"estimator":{"kind":"ridge","penalties":[0.01]}}]',
    );
    const one = await train(
      'one',
      ['a.npy'],
      'estimator.members=[{"estimator":{"kind":"ridge","penalties":[0.01]}}]',
    );
    expect(both.outOfFold.weightedR2).toBeGreaterThan(one.outOfFold.weightedR2);
    expect(JSON.parse(readFileSync(path('both/run.json'), 'utf8'))).toMatchObject({
      data: {
        source: { features: ['../a.npy', '../b.npy'] },
        sets: [
          { name: 'a', columns: 3, weights: null },
          { name: 'b', columns: 2, weights: null },
        ],
      },
    });
    expect(await predict('both', ['a.npy', 'b.npy'])).toHaveLength(PHOTOS);
  });

  it('refuses another list of files', async () => {
    await train('list', ['a.npy', 'b.npy']);
    await expect(predict('list', ['a.npy'])).rejects.toThrow(
      /was trained on 2 feature files \(a, b\); give as many, not 1/,
    );
    await expect(predict('list', ['b.npy', 'a.npy'])).rejects.toThrow(
      /b.npy: has 2 columns, but .* trained on 3 \(a\)/,
    );
  });

  it('says which feature sets there are when a member asks for another', async () => {
    const members = 'estimator.members=[{"input":"c","estimator":{"kind":"ridge"}}]';
    await expect(train('other', ['a.npy', 'b.npy'], members)).rejects.toThrow(
      /a member reads c, but the feature sets are: 0 a, 1 b/,
    );
  });
});
