import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readFolds } from '../../../src/data/folds/index.ts';
import { writeNpyFloat32 } from '../../../src/formats/npy/npy.ts';
import { configure } from '../../../src/ground/environment.ts';
import { InputError, UsageError } from '../../../src/ground/errors.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { type Targets, targetsToArray } from '../../../src/pasture/targets.ts';
import type { FoldPlan } from '../../../src/runs/fold-plan.ts';
import { readTrainedManifest } from '../../../src/runs/manifest.ts';
import type { PhotoPrediction } from '../../../src/runs/prediction.ts';
import type { RunResults } from '../../../src/runs/results.ts';
import { findPhotos } from '../../../src/vision/photos/index.ts';
import { type EnsembleOptions, makeEnsemble } from '../../../src/workflows/ensemble/ensemble.ts';
import { readPhotoStates } from '../../../src/workflows/predict/predict.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import { predictFeatures, predictPhotos, reseal, resultsOf } from '../../support/ask-run.ts';
import { sharedCache } from '../../support/shared-cache.ts';
import { writeSmallFolder } from '../../support/small-data-folder.ts';
import { type SmallFeatureFiles, writeSmallFeatures } from '../../support/small-feature-files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { resolveRecipe } from '../../support/written-settings.ts';

const root = temporaryFolder('ensemble');
const runs = [0, 1, 2, 3].map((member) => join(root, `run-${member}`));
const [first = '', second = ''] = runs;
let files: SmallFeatureFiles;

async function train(
  out: string,
  features: string,
  plan: Partial<FoldPlan> = {},
  overwrite = false,
): Promise<void> {
  const changes = ['estimator.kind=ridge', 'estimator.penalties=0.1', 'evaluation.leaveOneStateOut=false'];
  await trainRun({
    source: { kind: 'features', features: [features], ids: files.ids, labels: files.labels },
    recipe: await resolveRecipe('feature-ridge', changes),
    out,
    plan,
    overwrite,
  });
}

function ensemble(out: string, options: Partial<EnsembleOptions> = {}): Promise<RunResults> {
  return makeEnsemble({ runs, out: join(root, out), method: 'nnls', ...options });
}

function masses(rows: readonly { readonly targets: Targets }[]): number[][] {
  return rows.map(({ targets }) => targetsToArray(targets));
}

beforeAll(async () => {
  files = await writeSmallFeatures(join(root, 'data'), 60, 4);
  for (const [member, run] of runs.entries()) await train(run, files.features[member] ?? '');
});

describe('an ensemble of four backbones', () => {
  it('predicts the weighted mean of its members, each from its own features', async () => {
    const { ensemble: facts } = await ensemble('by-hand', { method: 'given', weights: [0.4, 0.3, 0.2, 0.1] });
    expect(facts?.nested_by).toBeNull();
    expect(facts?.members.map(({ weights }) => weights?.[4])).toEqual(
      [0.4, 0.3, 0.2, 0.1].map((weight) => expect.closeTo(weight, 12)),
    );
    const out = join(root, 'by-hand');
    const together = await predictFeatures(out, files.features, files.ids);
    const alone: number[][][] = [];
    for (const [member, run] of runs.entries()) {
      alone.push(masses(await predictFeatures(run, [files.features[member] ?? ''], files.ids)));
    }
    masses(together).forEach((row, photo) => {
      row.forEach((mass, target) => {
        const mean = [0.4, 0.3, 0.2, 0.1].reduce(
          (sum, weight, member) => sum + weight * (alone[member]?.[photo]?.[target] ?? 0),
          0,
        );
        expect(mass).toBeCloseTo(mean, 9);
      });
    });
    expect(together[0]?.folds).toHaveLength(5);
    await expect(predictFeatures(out, files.features.slice(1), files.ids)).rejects.toThrow(
      /needs 4 feature files, not 3/,
    );
  });

  it('scores nested, below its own fit and above its members', async () => {
    const results = await ensemble('nested');
    const { ensemble: facts } = results;
    if (!facts) throw new Error('an ensemble came back without its facts');
    const nested = results.outOfFold.weightedR2;
    expect(facts.nested_by).toBe('fold');
    expect(facts.stages).toEqual([{ step: 'combination', weighted_r2: expect.closeTo(nested, 12) }]);
    expect(facts.in_sample).toBeGreaterThan(nested);
    for (const member of facts.members) {
      expect(nested).toBeGreaterThan(member.weighted_r2);
      expect(member.without).not.toBeNull();
      expect(member.without).not.toBeCloseTo(nested, 6);
    }
    expect(facts.correlation).toHaveLength(4);
    expect(await resultsOf(join(root, 'nested'))).toEqual(results);
    expect(readFileSync(join(root, 'nested', 'folds.csv'), 'utf8')).toBe(
      readFileSync(join(first, 'folds.csv'), 'utf8'),
    );
    expect(readFileSync(join(root, 'nested', 'report.html'), 'utf8')).toMatch(
      /All scores on this page are nested/,
    );
  });

  it('of copies of one run is that run', async () => {
    const copy = join(root, 'copy');
    cpSync(first, copy, { recursive: true });
    const results = await ensemble('same', { runs: [first, copy] });
    const own = await resultsOf(first);
    expect(results.outOfFold.weightedR2).toBeCloseTo(own.outOfFold.weightedR2, 9);
    const [file = ''] = files.features;
    const predicted = masses(await predictFeatures(join(root, 'same'), file, files.ids));
    const alone = masses(await predictFeatures(first, file, files.ids));
    predicted.forEach((row, photo) => {
      row.forEach((mass, target) => {
        expect(mass).toBeCloseTo(alone[photo]?.[target] ?? Number.NaN, 6);
      });
    });
  });

  it('stacks, and predicts with the stack it wrote', async () => {
    const results = await ensemble('stacked', { method: 'stacking' });
    expect(results.ensemble?.members[0]?.weights).toBeNull();
    const predicted = await predictFeatures(join(root, 'stacked'), files.features, files.ids);
    expect(predicted).toHaveLength(60);
    expect(results.outOfFold.weightedR2).toBeGreaterThan(0.8);
  });
});

describe('an ensemble with a member that knows nothing', () => {
  const bad = join(root, 'bad');

  beforeAll(async () => {
    const random = randomStream(4);
    const data = Float64Array.from({ length: 60 * 6 }, () => random.normal());
    await writeNpyFloat32(join(root, 'noise.npy'), { rows: 60, columns: 6, data });
    await train(bad, join(root, 'noise.npy'));
  });

  it.each(['nnls', 'caruana', 'stacking'] as const)(
    'is never below its best member by %s, and predicts as it is scored',
    async (method) => {
      const name = `with-bad-${method}`;
      const results = await ensemble(name, { runs: [first, bad], method, shrink: 0.5 });
      const own = await resultsOf(first);
      const worse = await resultsOf(bad);
      const facts = results.ensemble;
      expect(results.outOfFold.weightedR2).toBeGreaterThanOrEqual(own.outOfFold.weightedR2 - 1e-9);
      // Without the one the ensemble is the other, which a regression may yet mend.
      const [bare, kept] = facts?.members.map(({ without }) => without ?? Number.NaN) ?? [];
      expect(bare).toBeGreaterThanOrEqual(worse.outOfFold.weightedR2 - 1e-9);
      expect(kept).toBeGreaterThanOrEqual(own.outOfFold.weightedR2 - 1e-9);
      if (method !== 'stacking') expect(bare).toBeCloseTo(worse.outOfFold.weightedR2, 9);
      const remade = await ensemble(`${name}-remade`, { runs: [first], method, shrink: 0.5 });
      expect(remade.outOfFold.weightedR2).toBe(kept);
      if (!facts?.alone) return;
      expect(facts.alone.run).toBe('../run-0');
      expect(facts.alone.fitted_weighted_r2).toBeLessThan(own.outOfFold.weightedR2 + 1e-9);
      expect(results.rows.map(({ predicted }) => predicted)).toEqual(
        own.rows.map(({ predicted }) => predicted),
      );
      const both = [files.features[0] ?? '', join(root, 'noise.npy')];
      const predicted = await predictFeatures(join(root, name), both, files.ids);
      expect(masses(predicted)).toEqual(masses(await predictFeatures(first, both.slice(0, 1), files.ids)));
      expect(readFileSync(join(root, name, 'report.html'), 'utf8')).toMatch(/so the ensemble is that run/);
    },
  );

  it('is that member by least squares that are pulled to equal weights', async () => {
    const results = await ensemble('pulled', { runs: [first, bad], shrink: 3 });
    expect(results.ensemble?.alone).toMatchObject({ run: '../run-0' });
    expect(results.ensemble?.members.map(({ weights }) => weights?.[0])).toEqual([1, 0]);
  });

  it('leaves what is given as it is, and says what would be better', async () => {
    const results = await ensemble('equal', { runs: [first, bad], method: 'mean' });
    expect(results.ensemble?.alone).toBeNull();
    expect(readFileSync(join(root, 'equal', 'report.html'), 'utf8')).toMatch(/scores below its member/);
  });
});

describe('post-processing', () => {
  it('of a single run reports each step, and predicts with what was fitted to all rows', async () => {
    const results = await ensemble('calibrated', {
      runs: [first],
      post: 'calibration,clip,projection=plain',
    });
    expect(results.ensemble?.stages.map(({ step }) => step)).toEqual([
      'combination',
      'calibration',
      'clip',
      'projection=plain',
    ]);
    expect(results.ensemble?.members[0]?.without).toBeNull();
    const [file = ''] = files.features;
    const predicted = await predictFeatures(join(root, 'calibrated'), file, files.ids);
    const plain = await predictFeatures(first, file, files.ids);
    expect(masses(predicted)).not.toEqual(masses(plain));
  });

  it('with wa-dead needs the States, from the command or a table', async () => {
    const out = join(root, 'states');
    await ensemble('states', { runs: [first], post: 'wa-dead' });
    const [file = ''] = files.features;
    await expect(predictFeatures(out, file, files.ids)).rejects.toThrow(/--state/);
    const table = join(root, 'states.csv');
    writeFileSync(table, 'image_id,State\nID100,WA\nID101,Vic\n');
    const states = await readPhotoStates(table);
    const [wa, vic, unknown] = await predictFeatures(out, file, files.ids, { states });
    expect(wa?.targets.dead).toBe(0);
    expect(wa?.targets.total).toBe(wa?.targets.gdm);
    expect(vic?.targets.dead).toBeGreaterThan(0);
    expect(unknown?.targets.dead).toBeGreaterThan(0);
    const everywhere = await predictFeatures(out, file, files.ids, { states: await readPhotoStates('WA') });
    expect(everywhere.every(({ targets }) => targets.dead === 0)).toBe(true);
    await expect(predictFeatures(first, file, files.ids, { states })).rejects.toThrow(
      /no rule that needs the State/,
    );
  });
});

describe('an ensemble on photos', () => {
  it('shows the photos, predicts them with every member and tells of a bad one once', async () => {
    configure({ cacheFolder: sharedCache() });
    const data = join(root, 'photos');
    await writeSmallFolder(data, { photos: 6 });
    const members = ['linear', 'rbf'].map((kernel) => join(root, `photos-${kernel}`));
    for (const [index, out] of members.entries()) {
      const changes = [
        'estimator.kind=kernel-ridge',
        `estimator.kernels=${index === 0 ? 'linear' : 'rbf'}`,
        'evaluation.leaveOneStateOut=false',
      ];
      const recipe = await resolveRecipe('descriptor-ridge', changes);
      await trainRun({ source: { kind: 'folder', folder: data }, recipe, out, plan: { folds: 2 } });
    }
    const results = await ensemble('on-photos', { runs: members, method: 'mean' });
    expect(results.rows[0]?.photoPath).toBe(join(data, 'train', 'ID1000.jpg'));
    const broken = join(data, 'test', 'broken.jpg');
    writeFileSync(broken, 'no photo');
    const photos = await findPhotos([join(data, 'test')]);
    const told: string[] = [];
    const predicted = await predictPhotos(join(root, 'on-photos'), photos, {
      onUnusable: (error) => told.push(error.message),
    });
    expect(told).toEqual([expect.stringContaining('broken.jpg')]);
    const usable = photos.filter(({ path }) => path !== broken);
    const alone: PhotoPrediction[][] = [];
    for (const run of members) alone.push(await predictPhotos(run, usable));
    expect(predicted.map(({ imageId }) => imageId)).toEqual(['ID1']);
    expect(predicted[0]?.targets.total).toBeCloseTo(
      ((alone[0]?.[0]?.targets.total ?? 0) + (alone[1]?.[0]?.targets.total ?? 0)) / 2,
      9,
    );
    await expect(predictFeatures(join(root, 'on-photos'), 'x.npy', 'ids.txt')).rejects.toThrow(
      /was trained on photos/,
    );
  });
});

describe('members that do not fit together', () => {
  it('with other folds of the same sessions are weighed by session', async () => {
    const other = join(root, 'other-seed');
    await train(other, files.features[1] ?? '', { seed: 7 });
    const results = await ensemble('by-session', { runs: [first, other] });
    expect(results.ensemble?.nested_by).toBe('session');
    expect(results.perFold).toHaveLength(10);
    const ids = results.rows.map(({ imageId }) => imageId);
    const sessions = results.rows.map(({ date, state }) => `${date} ${state}`);
    expect(new Set(await readFolds(join(root, 'by-session', 'folds.csv'), ids, sessions)).size).toBe(10);
  });

  it('are refused where one splits sessions that another keeps whole', async () => {
    const split = join(root, 'split');
    await train(split, files.features[1] ?? '', { grouping: 'none' });
    await expect(ensemble('leak', { runs: [first, split] })).rejects.toThrow(
      /split: has photos of the session .* leak into a nested score; train all members with the same --group/,
    );
  });

  it('are of the same cuts where one has them rounded', async () => {
    const rounded = join(root, 'rounded');
    cpSync(second, rounded, { recursive: true });
    const [head = '', ...oof] = readFileSync(join(rounded, 'oof.csv'), 'utf8').trim().split('\n');
    const observed = head.split(',').indexOf('observed');
    const lines = oof.map((line) =>
      line
        .split(',')
        .map((cell, column) => (column === observed ? Number(cell).toFixed(2) : cell))
        .join(','),
    );
    expect(lines).not.toEqual(oof);
    writeFileSync(join(rounded, 'oof.csv'), `${[head, ...lines].join('\n')}\n`);
    reseal(rounded);
    const both = await ensemble('with-rounded', { runs: [first, rounded] });
    const exact = await ensemble('with-exact', { runs: [first, second] });
    const weightsOf = (results: RunResults) => results.ensemble?.members.map(({ weights }) => weights);
    weightsOf(both)?.forEach((weights, member) => {
      expect(weights?.[4]).toBeCloseTo(weightsOf(exact)?.[member]?.[4] ?? 0, 2);
    });
    expect(both.outOfFold.weightedR2).toBeCloseTo(exact.outOfFold.weightedR2, 4);
    const linked = join(root, 'linked');
    symlinkSync(first, linked);
    await expect(ensemble('x', { runs: [first, linked] })).rejects.toThrow(/linked is given twice/);
  });

  it('are refused with other photos, other masses, twice, or as ensembles themselves', async () => {
    const fewer = await writeSmallFeatures(join(root, 'fewer'), 50, 1);
    const short = join(root, 'short');
    await trainRun({
      source: { kind: 'features', features: fewer.features, ids: fewer.ids, labels: fewer.labels },
      recipe: await resolveRecipe('feature-ridge', [
        'estimator.kind=ridge',
        'estimator.penalties=0.1',
        'evaluation.leaveOneStateOut=false',
      ]),
      out: short,
    });
    await expect(ensemble('x', { runs: [first, short] })).rejects.toThrow(/short: has 50 photos/);
    const altered = join(root, 'altered');
    cpSync(second, altered, { recursive: true });
    const oof = readFileSync(join(altered, 'oof.csv'), 'utf8').split('\n');
    const cells = (oof[1] ?? '').split(',');
    cells[2] = '1';
    writeFileSync(join(altered, 'oof.csv'), [oof[0], cells.join(','), ...oof.slice(2)].join('\n'));
    reseal(altered);
    const strange = join(root, 'strange');
    cpSync(second, strange, { recursive: true });
    const lines = readFileSync(join(strange, 'oof.csv'), 'utf8').split('\n');
    writeFileSync(
      join(strange, 'oof.csv'),
      lines.map((line, row) => (row > 0 && line !== '' ? `other-${line}` : line)).join('\n'),
    );
    reseal(strange);
    await expect(ensemble('x', { runs: [first, strange] })).rejects.toThrow(
      /strange: has no photo in common/,
    );
    await expect(ensemble('x', { runs: [first, altered] })).rejects.toThrow(
      /altered: has other masses of ID100/,
    );
    await expect(ensemble('x', { runs: [first, first] })).rejects.toThrow(UsageError);
    await expect(ensemble('x', { runs: [first, join(root, 'nested')] })).rejects.toThrow(InputError);
    await expect(readTrainedManifest(join(root, 'nested'))).rejects.toThrow(/is an ensemble/);
  });

  it('are refused when they change after the ensemble was made', async () => {
    const member = join(root, 'member');
    cpSync(first, member, { recursive: true });
    await ensemble('stale', { runs: [member], post: 'clip' });
    const changes = ['estimator.kind=ridge', 'estimator.penalties=10', 'evaluation.leaveOneStateOut=false'];
    await trainRun({
      source: {
        kind: 'features',
        features: files.features.slice(0, 1),
        ids: files.ids,
        labels: files.labels,
      },
      recipe: await resolveRecipe('feature-ridge', changes),
      out: member,
      overwrite: true,
    });
    await expect(predictFeatures(join(root, 'stale'), files.features[0] ?? '', files.ids)).rejects.toThrow(
      /was trained again since/,
    );
  });
});

describe('settings', () => {
  it.each([
    [{ method: 'given' as const, weights: [1, 2] }, /give 4 numbers/],
    [{ method: 'given' as const, weights: [0, 0, 0, 0] }, /give 4 numbers/],
    [{ method: 'mean' as const, perTarget: true }, /--per-target goes with/],
    [{ post: 'magic' }, /no such step/],
    [{ shrink: -1 }, /--shrink -1/],
  ])('%j are refused', async (options, message) => {
    await expect(ensemble('wrong', options)).rejects.toThrow(message);
  });

  it('never write over a member', async () => {
    await expect(makeEnsemble({ runs, out: first, method: 'nnls', overwrite: true })).rejects.toThrow(
      /is one of the runs to combine/,
    );
  });

  it('leave a run of other members alone unless told to replace it', async () => {
    await ensemble('kept', { runs: [first, second] });
    await expect(ensemble('kept', { runs: [first] })).rejects.toThrow(/holds another run/);
    const again = await ensemble('kept', { runs: [first, second] });
    expect(again.ensemble?.members).toHaveLength(2);
    const replaced = await ensemble('kept', { runs: [first], overwrite: true });
    expect(replaced.ensemble?.members).toHaveLength(1);
  });

  it('leaves nothing of what it was where a run takes its place, nor of a run in whose place it stands', async () => {
    const out = join(root, 'replaced');
    await ensemble('replaced', { method: 'stacking' });
    // As one with covariates has them.
    cpSync(join(out, 'stack'), join(out, 'stack-with-height'), { recursive: true });
    cpSync(join(out, 'oof.csv'), join(out, 'oof-with-height.csv'));
    await train(out, files.features[0] ?? '', {}, true);
    const known = readdirSync(first).sort();
    expect(readdirSync(out).sort()).toEqual(known);
    mkdirSync(join(out, 'fold-9.checkpoint'));
    await ensemble('replaced', { overwrite: true });
    await ensemble('unreplaced');
    expect(readdirSync(out).sort()).toEqual(readdirSync(join(root, 'unreplaced')).sort());
  });
});
