import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpyFloat32 } from '../../../src/formats/npy/npy.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { readTrainedManifest } from '../../../src/runs/manifest.ts';
import { readMetrics } from '../../../src/runs/run-folder.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import { predictFeatures } from '../../support/ask-run.ts';
import { writeSmallFolder } from '../../support/small-data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolveRecipe } from '../../support/written-settings.ts';

const root = temporaryFolder('teacher-runs');
const data = join(root, 'data');
const features = join(root, 'features.npy');
const ids = join(root, 'ids.txt');

beforeAll(async () => {
  const photos = await writeSmallFolder(data, { photos: 12 });
  const random = randomStream(1);
  const values = Float64Array.from({ length: 12 * 4 }, () => random.normal());
  await writeNpyFloat32(features, { rows: 12, columns: 4, data: values });
  writeFileSync(ids, `${photos.join('\n')}\n`);
});

/** The labels with another NDVI, or with the column left empty. */
function labelsWith(ndvi: string): string {
  const path = join(root, `labels ${ndvi}.csv`);
  const text = readFileSync(join(data, 'train.csv'), 'utf8');
  writeFileSync(path, text.replaceAll(',Ryegrass,0.6,', `,Ryegrass,${ndvi},`));
  return path;
}

/** Trains two folds and gives back the run's folder. */
async function train(name: string, labels: string, changes: readonly string[]): Promise<string> {
  const out = join(root, name);
  const few = ['estimator.epochs=2', 'estimator.members=1', 'evaluation.leaveOneStateOut=false'];
  await trainRun({
    source: { kind: 'features', features: [features], ids, labels },
    recipe: await resolveRecipe('feature-mlp', [...few, ...changes]),
    out,
    plan: { folds: 2 },
  });
  return out;
}

const TAUGHT = ['estimator.teacher.weight=0.5', 'estimator.teacher.innerFolds=3'];

describe('a run with a teacher', () => {
  it('keeps what the teacher of each fold is worth, and predicts photos that have no metadata', async () => {
    const run = await train('taught', join(data, 'train.csv'), TAUGHT);
    const scores = await Promise.all(
      [0, 1].map(async (fold) => {
        const lines = await readMetrics(run, fold);
        expect(lines.map(({ epoch }) => epoch)).toEqual([1, 2]);
        const [first, last] = lines.map((line) => line['teacher weighted R²']);
        expect(last).toBe(first);
        return first;
      }),
    );
    expect(scores.every((score) => Number.isFinite(score))).toBe(true);
    expect(scores[0]).not.toBe(scores[1]);
    expect(await predictFeatures(run, features, ids)).toHaveLength(12);
    const { recipe } = await readTrainedManifest(run);
    expect(recipe.estimator).toMatchObject({
      teacher: { weight: 0.5, innerFolds: 3, features: true, sees: ['ndvi', 'height', 'state', 'species'] },
    });
  });

  it('is another run where a reading that only the teacher sees is another', async () => {
    const [first, second] = await Promise.all(
      ['0.61', '0.62'].map(async (ndvi) => readTrainedManifest(await train(ndvi, labelsWith(ndvi), TAUGHT))),
    );
    expect(second?.data.fingerprint).not.toBe(first?.data.fingerprint);
  });

  it('of weight 0 is the very run without one', async () => {
    const plain = await readTrainedManifest(await train('plain', labelsWith('0.7'), []));
    const zero = await readTrainedManifest(
      await train('zero', labelsWith('0.8'), ['estimator.teacher.weight=0']),
    );
    expect(zero).toEqual({ ...plain, data: { ...plain.data, source: zero.data.source } });
    expect(readFileSync(join(root, 'zero', 'oof.csv'))).toEqual(readFileSync(join(root, 'plain', 'oof.csv')));
  });

  it('says which labels are lacking', async () => {
    await expect(train('lacking', labelsWith(''), TAUGHT)).rejects.toThrow(
      /no label says the ndvi of a photo; leave ndvi out of estimator\.teacher\.sees or add it to train\.csv/,
    );
    const run = await train('without', labelsWith(''), [...TAUGHT, 'estimator.teacher.sees=height,state']);
    expect(await readMetrics(run, 0)).toHaveLength(2);
    await expect(resolveRecipe('feature-mlp', ['estimator.teacher.weight=2'])).rejects.toThrow(
      /estimator\.teacher\.weight/,
    );
  });
});
