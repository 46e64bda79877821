import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writePredictions } from '../../../src/data/predictions.ts';
import { fittedModel, rowEstimator } from '../../../src/learning/estimator.ts';
import { weightedR2 } from '../../../src/pasture/metric.ts';
import { pairedBootstrap } from '../../../src/pasture/paired-bootstrap.ts';
import { TARGET_NAMES } from '../../../src/pasture/targets.ts';
import { learnBySessions } from '../../../src/runs/learning-by-sessions.ts';
import { featureRows, TrainingSamples, unknownSample } from '../../../src/samples/samples.ts';
import { compareFiles, compareRuns } from '../../../src/workflows/score/compare.ts';
import { trainRepeatedly } from '../../../src/workflows/train/repeated-training.ts';
import { type TrainOptions, trainRun } from '../../../src/workflows/train/train.ts';
import { inventedMembers } from '../../estimators/combination/invented-members.ts';
import { resultsOf } from '../../support/ask-run.ts';
import { type SmallFeatureFiles, writeSmallFeatures } from '../../support/small-feature-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolveRecipe } from '../../support/written-settings.ts';

const root = temporaryFolder('compare');
const settings = { draws: 400, seed: 1, confidence: 0.9 };
let files: SmallFeatureFiles;

async function options(out: string, penalty: number): Promise<TrainOptions> {
  const changes = [
    'estimator.kind=ridge',
    `estimator.penalties=${penalty}`,
    'evaluation.leaveOneStateOut=false',
  ];
  return {
    source: {
      kind: 'features',
      features: files.features.slice(0, 1),
      ids: files.ids,
      labels: files.labels,
    },
    recipe: await resolveRecipe('feature-ridge', changes),
    out: join(root, out),
    plan: { folds: 3 },
  };
}

beforeAll(async () => {
  files = await writeSmallFeatures(join(root, 'data'), 40, 1);
});

describe('the paired bootstrap', () => {
  const { members, observed, sessions } = inventedMembers(80, [4, 12], 3);
  const [good = [], bad = []] = members;

  it('finds nothing between a prediction and itself', () => {
    const same = pairedBootstrap({ observed, units: sessions, first: [good], second: [good] }, settings);
    expect(same.weightedR2).toEqual({ estimate: 0, low: 0, high: 0 });
    expect(same.probabilityFirstBetter).toBe(0.5);
  });

  it('tells good from bad, and the other way round with the sign changed', () => {
    const found = pairedBootstrap({ observed, units: sessions, first: [good], second: [bad] }, settings);
    expect(found.weightedR2.estimate).toBeCloseTo(weightedR2(observed, good) - weightedR2(observed, bad), 10);
    expect(found.weightedR2.low).toBeGreaterThan(0);
    expect(found.weightedR2.high).toBeGreaterThan(found.weightedR2.estimate);
    expect(found.probabilityFirstBetter).toBe(1);
    const turned = pairedBootstrap({ observed, units: sessions, first: [bad], second: [good] }, settings);
    expect(turned.weightedR2.high).toBeCloseTo(-found.weightedR2.low, 10);
    for (const name of TARGET_NAMES) expect(found.perTarget[name].estimate).toBeGreaterThan(0);
  });

  it('averages scores over repeats, and repeats itself for a seed', () => {
    const pairs = { observed, units: sessions, first: [good, bad], second: [bad, bad] };
    const found = pairedBootstrap(pairs, settings);
    const gap = weightedR2(observed, good) - weightedR2(observed, bad);
    expect(found.weightedR2.estimate).toBeCloseTo(gap / 2, 10);
    expect(pairedBootstrap(pairs, settings)).toEqual(found);
  });

  it('is less sure when photos come in few sessions', () => {
    const shifted = good.map((targets, photo) => {
      const shift = photo % 10 < 5 ? 12 : -2;
      return { ...targets, total: targets.total + shift };
    });
    const width = (units: readonly string[]): number => {
      const { low, high } = pairedBootstrap(
        { observed, units, first: [good], second: [shifted] },
        settings,
      ).weightedR2;
      return high - low;
    };
    expect(width(sessions)).toBeGreaterThan(1.2 * width(observed.map((_, photo) => `photo ${photo}`)));
  });

  it('leaves a target without spread undefined', () => {
    const bare = observed.map((targets) => ({ ...targets, clover: 0 }));
    const found = pairedBootstrap(
      { observed: bare, units: sessions, first: [good], second: [bad] },
      settings,
    );
    expect(found.perTarget.Dry_Clover_g.estimate).toBeNaN();
    expect(found.weightedR2.low).toBeGreaterThan(0);
  });
});

describe('comparing runs and files', () => {
  it('pairs repeated runs by seed, and refuses other seeds and other photos', async () => {
    const seeds = await trainRepeatedly(await options('weak', 100), [0, 1]);
    const scores = seeds.runs.map(({ results }) => results.outOfFold.weightedR2);
    expect(seeds.weightedR2.mean).toBeCloseTo(((scores[0] ?? 0) + (scores[1] ?? 0)) / 2, 12);
    expect(seeds.weightedR2.deviation).toBeCloseTo(
      Math.abs((scores[0] ?? 0) - (scores[1] ?? 0)) / Math.SQRT2,
      12,
    );
    await trainRepeatedly(await options('strong', 0.1), [0, 1]);
    const found = await compareRuns(join(root, 'strong'), join(root, 'weak'), { draws: 200 });
    expect(found.first.repeats).toHaveLength(2);
    expect(found.second.repeats).toEqual(scores);
    expect(found.units).toEqual({ kind: 'sessions', count: 10 });
    expect(found.difference.weightedR2.estimate).toBeGreaterThan(0);

    const single = join(root, 'weak', 'seed-0');
    await expect(compareRuns(join(root, 'strong'), single)).rejects.toThrow(
      /has seeds none, but .* has 0, 1/,
    );
    await expect(compareRuns(join(root, 'data'), single)).rejects.toThrow(
      /is no run and holds no runs by seed/,
    );
    await expect(trainRepeatedly(await options('weak/seed-0', 1), [3])).rejects.toThrow(/is a run itself/);
    await expect(trainRepeatedly(await options('twice', 1), [3, 3])).rejects.toThrow(/different seeds/);
  });

  it('compares files of predictions on a truth', async () => {
    const { rows } = await resultsOf(join(root, 'strong', 'seed-0'));
    const good = join(root, 'good.csv');
    const worse = join(root, 'worse.csv');
    await writePredictions(
      good,
      rows.map(({ imageId, predicted }) => ({ imageId, targets: predicted })),
    );
    await writePredictions(
      worse,
      rows.map(({ imageId, predicted }, row) => ({
        imageId,
        targets: { ...predicted, total: predicted.total + (row % 2 === 0 ? 15 : -15) },
      })),
    );
    const found = await compareFiles(files.labels, good, worse, { draws: 200 });
    expect(found.units.kind).toBe('sessions');
    expect(found.difference.probabilityFirstBetter).toBeGreaterThan(0.95);
    expect(found.difference.perTarget.Dry_Green_g.estimate).toBe(0);
    writeFileSync(join(root, 'empty.csv'), 'sample_id,target\n');
    await expect(compareFiles(files.labels, good, join(root, 'empty.csv'))).rejects.toThrow(
      /lacks the photo ID100/,
    );
  });
});

describe('the learning curve by sessions', () => {
  it('rises, ends at the score of the run, and is kept with it', async () => {
    const training = { ...(await options('curve', 0.1)), learningCurve: true };
    const results = await trainRun(training);
    const points = results.bySessions ?? [];
    expect(points.map(({ share }) => share)).toEqual([0.25, 0.5, 0.75, 1]);
    expect(points.map(({ weighted_r2 }) => weighted_r2.length)).toEqual([3, 3, 3, 1]);
    const [quarter, , , whole] = points;
    expect(whole?.weighted_r2[0]).toBeCloseTo(results.outOfFold.weightedR2, 9);
    expect(Math.max(...(quarter?.weighted_r2 ?? []))).toBeLessThan(whole?.weighted_r2[0] ?? 0);
    expect(quarter?.sessions).toBeLessThan(whole?.sessions ?? 0);
    expect((await resultsOf(training.out)).bySessions).toEqual(points);
    expect(await trainRun(training)).toEqual(results);
  });

  it('learns from whole sessions outside the fold only', async () => {
    const groups = Array.from({ length: 24 }, (_, photo) => `session ${photo % 8}`);
    const rows = groups.map((group, photo) => ({
      imageId: `${photo}`,
      fold: photo % 2,
      group,
      stratum: 0,
    }));
    const seen: number[][] = [];
    const masses = groups.map((_, photo) => ({ green: photo, dead: 0, clover: 0, gdm: photo, total: photo }));
    const facts = groups.map((group, photo) => ({ ...unknownSample(`${photo}`), group, measured: true }));
    const estimator = rowEstimator({
      async fit({ train }) {
        seen.push(train.facts.map(({ id }) => Number(id)));
        return fittedModel({
          predict: async (held) => held.facts.map(() => train.targets[0] as never),
          write: async () => {},
        });
      },
      read: () => Promise.reject(new Error('nothing is read')),
    });
    await learnBySessions(
      {
        samples: new TrainingSamples(
          facts,
          featureRows({ rows: 24, columns: 0, data: new Float64Array() }),
          masses,
        ),
        estimator,
      },
      rows,
      1,
      { stage: () => {}, advance: () => {}, done: () => {} },
    );
    // Folds are even and odd photos, so that each fold leaves four sessions of three photos.
    expect(seen.map((photos) => photos.length)).toEqual([
      ...Array.from({ length: 12 }, () => 6),
      ...Array.from({ length: 6 }, () => 9),
      12,
      12,
    ]);
    for (const photos of seen) {
      expect(new Set(photos.map((photo) => photo % 2)).size).toBe(1);
      expect(new Set(photos.map((photo) => photo % 8)).size).toBe(photos.length / 3);
    }
  });
});
