import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../src/ground/environment.ts';
import { SILENT } from '../../src/ground/progress.ts';
import { randomStream } from '../../src/ground/random.ts';
import { fittedModel, rowEstimator } from '../../src/learning/estimator.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import type { Targets } from '../../src/pasture/targets.ts';
import { fitFold } from '../../src/runs/cross-validation.ts';
import { DEFAULT_FOLD_PLAN } from '../../src/runs/fold-plan.ts';
import { readTrainingData, type TrainingData } from '../../src/runs/training-data.ts';
import type { Split } from '../../src/samples/samples.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writePhoto, writeSmallFolder } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';

const root = temporaryFolder('training-data');
const folder = join(root, 'data');
const PHOTOS = 12;
const total = (grams: number): Targets => targetsFromComponents({ green: grams, dead: 0, clover: 0 });
const pseudo = {
  paths: [join(root, 'x.jpg'), join(root, 'y.jpg')],
  byFold: [
    [total(50), total(51)],
    [total(60), total(61)],
  ],
  weight: 0.4,
};

let data: TrainingData;
/** Measured photos in folds 0 and 1; pseudo-labelled ones in none. */
let folds: readonly number[] = [];
beforeAll(async () => {
  configure({ cacheFolder: sharedCache() });
  await writeSmallFolder(folder, { photos: PHOTOS });
  for (const [index, path] of pseudo.paths.entries()) await writePhoto(path, 20 + index, 50 + index);
  data = await readTrainingData(
    { kind: 'folder', folder },
    await resolveRecipe('descriptor-ridge', []),
    { ...DEFAULT_FOLD_PLAN, folds: 2 },
    SILENT,
    pseudo,
  );
  folds = data.samples.facts.map((_, item) => data.rows[item]?.fold ?? -1);
});

/** What an estimator is given for a fold. */
async function givenFor(fold: number): Promise<Split> {
  const given: Split[] = [];
  const silent = fittedModel({ predict: async () => [], write: async () => {} });
  const estimator = rowEstimator({
    async fit(split) {
      given.push(split);
      return silent;
    },
    read: async () => silent,
  });
  await fitFold({ estimator, ...data }, folds, fold, randomStream(1));
  return given[0] as Split;
}

const measuredIn = (isWanted: (fold: number) => boolean): number[] =>
  data.rows.flatMap(({ fold }, item) => (isWanted(fold) ? [item] : []));
const totals = (targets: readonly Targets[]): number[] => targets.map((masses) => masses.total);

describe('training with pseudo-labelled photos', () => {
  it('tells each fold what its own teacher said', async () => {
    for (const [fold, said] of [
      [0, [50, 51]],
      [1, [60, 61]],
    ] as const) {
      const measured = measuredIn((other) => other !== fold).map((item) => data.labels[item]?.targets.total);
      expect(measured.length).toBeGreaterThan(0);
      expect(totals((await givenFor(fold)).train.targets)).toEqual([...measured, ...said]);
    }
  });

  it('lets them count less, each in a session of its own', async () => {
    const { train } = await givenFor(0);
    const kept = measuredIn((fold) => fold !== 0);
    expect(train.weights).toEqual([...kept.map(() => 1), 0.4, 0.4]);
    expect(train.measured).toEqual([...kept.map(() => true), false, false]);
    const groups = new Set(kept.map((item) => data.rows[item]?.group));
    expect(new Set(train.groups).size).toBe(groups.size + 2);
    expect(train.photos).toEqual([...kept.map((item) => data.photoPaths[item]), ...pseudo.paths]);
    expect((await train.features()).rows).toBe(kept.length + 2);
  });

  it('never validates on them', async () => {
    for (const fold of [0, 1]) {
      const { validation } = await givenFor(fold);
      const held = measuredIn((other) => other === fold).map((item) => data.labels[item]?.targets.total);
      expect(validation && totals(validation.targets)).toEqual(held);
    }
  });
});
