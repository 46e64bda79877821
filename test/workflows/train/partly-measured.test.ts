import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { massesIn } from '../../../src/pasture/partial.ts';
import { TARGET_NAMES, type TargetName } from '../../../src/pasture/targets.ts';
import type { FoldPlan } from '../../../src/runs/fold-plan.ts';
import { openRun } from '../../../src/runs/open-run.ts';
import type { RunResults } from '../../../src/runs/results.ts';
import type { TrainingSource } from '../../../src/runs/training-data.ts';
import { checkFolder } from '../../../src/workflows/data/check.ts';
import { makeEnsemble } from '../../../src/workflows/ensemble/ensemble.ts';
import { predictRun } from '../../../src/workflows/predict/predict.ts';
import { submitRun } from '../../../src/workflows/predict/submit.ts';
import { pseudoLabelRun } from '../../../src/workflows/pseudo/pseudo.ts';
import { compareRuns } from '../../../src/workflows/score/compare.ts';
import { scoreFiles } from '../../../src/workflows/score/score.ts';
import { makeFolds, trainRun } from '../../../src/workflows/train/train.ts';
import { writeSmallFolder } from '../../support/small-data-folder.ts';
import {
  featureSource,
  type SmallFeatureFiles,
  writeSmallFeatures,
} from '../../support/small-feature-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolveRecipe } from '../../support/written-settings.ts';

const root = temporaryFolder('partly-measured-runs');
const RIDGE = ['estimator.kind=ridge', 'estimator.penalties=0.1'];
let files: SmallFeatureFiles;
let folds: string;

/** The labels with those rows alone, and empty cells where `kept` says so. */
function labelled(name: string, kept: (target: TargetName, photo: number) => boolean, empty = false): string {
  const [head = '', ...lines] = readFileSync(files.labels, 'utf8').trimEnd().split('\n');
  const own = lines.flatMap((line, at) => {
    if (kept(TARGET_NAMES[at % 5] as TargetName, Math.floor(at / 5))) return [line];
    return empty ? [line.replace(/[^,]+$/, '')] : [];
  });
  const path = join(root, `${name}.csv`);
  writeFileSync(path, `${[head, ...own].join('\n')}\n`);
  return path;
}

async function train(
  name: string,
  labels: string,
  further: string[] = [],
  plan: Partial<FoldPlan> = { folds },
): Promise<RunResults> {
  return trainRun({
    source: { ...featureSource(files, 0), labels },
    recipe: await resolveRecipe('feature-ridge', [...RIDGE, ...further]),
    out: join(root, name),
    plan,
  });
}

const isTotal = (target: TargetName): boolean => target === 'Dry_Total_g';

beforeAll(async () => {
  files = await writeSmallFeatures(join(root, 'data'), 60, 1);
  folds = join(root, 'folds.csv');
  const drawn = await makeFolds(featureSource(files, 0) as TrainingSource);
  const lines = drawn.map(({ imageId, fold }) => `${imageId},${fold}`);
  writeFileSync(folds, `image_id,fold\n${lines.join('\n')}\n`);
});

describe('training on partly measured photos', () => {
  it('is training on all of it where the rest follows', async () => {
    const whole = await train('whole', files.labels);
    const sums = await train(
      'fractions',
      labelled('fractions', (target) => target.includes('Dry_') && !isTotal(target)),
    );
    expect(sums.outOfFold.weightedR2).toBeCloseTo(whole.outOfFold.weightedR2, 9);
    expect(sums.outOfFold.perTarget.GDM_g.photos).toBe(60);
  });

  it('learns totals alone, as well as a run on all masses does, and says so', async () => {
    const told: string[] = [];
    const totals = await trainRun({
      source: { ...featureSource(files, 0), labels: labelled('totals', isTotal) },
      recipe: await resolveRecipe('feature-ridge', RIDGE),
      out: join(root, 'totals'),
      plan: { folds },
      progress: { stage() {}, advance() {}, done() {}, line: (text) => told.push(text) },
    });
    expect(told).toContain('measured: total of 60 photos; total alone can be learnt');
    const whole = await train('whole-again', files.labels);
    const [own, other] = [totals, whole].map(({ outOfFold }) => outOfFold.perTarget.Dry_Total_g.r2);
    expect(own).toBeCloseTo(other ?? 0, 2);
    expect(totals.outOfFold.weightedR2).toBe(own);
    expect(totals.outOfFold.perTarget.Dry_Dead_g).toMatchObject({ photos: 0, r2: Number.NaN });
    const page = readFileSync(join(root, 'totals', 'report.html'), 'utf8');
    expect(page).toContain('Measured: total of 60 photos');
    expect(page).not.toMatch(/data-target="(Dry_Green_g|GDM_g)"/);
    const scores = JSON.parse(readFileSync(join(root, 'totals', 'scores.json'), 'utf8'));
    expect(scores.out_of_fold.per_target.GDM_g).toMatchObject({ r2: null, n_images: 0 });
  });

  it('answers with the masses it was taught, and empty cells', async () => {
    await using run = await openRun(join(root, 'totals'));
    expect(massesIn((await run.capabilities()).masses)).toEqual(['total']);
    await expect(run.graph()).rejects.toThrow(
      /was taught total alone, and an ONNX model answers all five masses/,
    );
    const out = join(root, 'said.csv');
    const { predictions, paddock } = await predictRun({
      run,
      source: { features: [files.features[0] ?? ''], ids: files.ids },
      coverage: 0.9,
      out,
    });
    expect(predictions[0]?.targets).toMatchObject({ green: Number.NaN, gdm: Number.NaN });
    expect(predictions[0]?.intervals?.total.high).toBeGreaterThan(predictions[0]?.targets.total ?? 0);
    expect(paddock.intervals.green.low).toBeNaN();
    expect(readFileSync(out, 'utf8')).toMatch(/ID100__Dry_Green_g,,,\n/);
    const { score } = await scoreFiles(join(root, 'totals.csv'), out);
    expect(score.perTarget.Dry_Total_g.photos).toBe(60);
    await expect(scoreFiles(files.labels, out)).rejects.toThrow(/has no Dry_Green_g of ID100/);
  });

  it('scores what was measured where cells are missing at random, in runs, ensembles and comparisons', async () => {
    const holes = labelled('holes', (_, photo) => (photo * 7 + 3) % 10 > 2 || photo % 3 === 0, true);
    const some = labelled('some', (target, photo) => isTotal(target) || photo % 3 > 0, true);
    const whole = await train('whole-third', files.labels);
    const first = await train('some-0', some);
    const second = await train('some-1', some, ['estimator.penalties=1']);
    expect(first.outOfFold.perTarget.Dry_Green_g.photos).toBe(40);
    expect(first.outOfFold.weightedR2).toBeGreaterThan(whole.outOfFold.weightedR2 - 0.05);
    expect(Number.isFinite(second.leaveOneStateOut?.pooled.weightedR2)).toBe(true);
    const runs = [join(root, 'some-0'), join(root, 'some-1')];
    for (const method of ['nnls', 'stacking'] as const) {
      const out = join(root, `ensemble-${method}`);
      const { outOfFold } = await makeEnsemble({
        runs,
        out,
        method,
        ...(method === 'nnls' && { post: 'calibration' }),
      });
      expect(outOfFold.perTarget.Dry_Green_g.photos).toBe(40);
      expect(outOfFold.weightedR2).toBeGreaterThan(0.5);
    }
    const { difference } = await compareRuns(runs[0] ?? '', runs[1] ?? '', { draws: 100 });
    expect(difference.weightedR2.estimate).toBeCloseTo(
      first.outOfFold.weightedR2 - second.outOfFold.weightedR2,
      9,
    );
    const left = await train('holes', holes, [], {});
    expect(left.rows.length).toBeLessThan(60);
  });

  it('refuses a mass that one fold alone would tell', async () => {
    const lines = readFileSync(folds, 'utf8').trimEnd().split('\n').slice(1);
    const inFirst = new Set(lines.flatMap((line, photo) => (line.endsWith(',0') ? [photo] : [])));
    const labels = labelled('one-fold', (target, photo) => isTotal(target) || inFirst.has(photo));
    await expect(train('one-fold', labels)).rejects.toThrow(
      /green, dead, clover and GDM can be learnt from photos of fold 0 alone.*learn total alone \(--learn total\)/,
    );
    // As that says: the others are left, as if their cells were empty.
    const source = { ...featureSource(files, 0), labels, learn: ['total'] } as const;
    const recipe = await resolveRecipe('feature-ridge', RIDGE);
    const alone = await trainRun({ source, recipe, out: join(root, 'one-fold-total'), plan: { folds } });
    const same = await train('totals-alone', labelled('totals-alone', isTotal));
    expect(alone.outOfFold).toEqual(same.outOfFold);
    expect(alone.outOfFold.perTarget.Dry_Green_g.photos).toBe(0);
  });
});

describe('photos of which the total was weighed', () => {
  const folder = join(root, 'photos');

  beforeAll(async () => {
    await writeSmallFolder(folder, {
      photos: 24,
      alter: (lines) =>
        lines
          .filter((line, at) => at === 0 || line.includes('__Dry_Total_g'))
          .map((line) => (line.startsWith('ID1003__') ? line.replace(/[^,]+$/, '') : line)),
    });
  });

  it('are checked, trained on, predicted and labelled further, but not submitted', async () => {
    const report = await checkFolder(folder);
    expect(report).toMatchObject({ trainPhotos: 23, gaps: 'total of 23 photos' });
    expect(report.problems.map(({ severity }) => severity)).toEqual(['warning', 'warning']);
    const run = join(root, 'photo-run');
    const results = await trainRun({
      source: folder,
      recipe: await resolveRecipe('descriptor-ridge', ['evaluation.leaveOneStateOut=false']),
      out: run,
    });
    expect(results.rows).toHaveLength(23);
    await expect(submitRun(run, folder, join(root, 'submission.csv'))).rejects.toThrow(
      /was taught total alone, and a submission needs all five masses/,
    );
    const out = join(root, 'pseudo');
    const unlabelled = [{ imageId: 'new', path: join(folder, 'test', 'ID1.jpg') }];
    const labelledRun = await pseudoLabelRun({ run, folder, unlabelled, out, rounds: 1, keep: 1 });
    expect(labelledRun.outOfFold.perTarget.Dry_Total_g.photos).toBe(23);
    expect(labelledRun.pseudo?.rounds[1]?.labels?.meanKept.green).toBeNaN();
  });
});
