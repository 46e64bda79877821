import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpyFloat32 } from '../../../src/formats/npy/npy.ts';
import { InputError, UsageError } from '../../../src/ground/errors.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';
import { TARGET_NAMES, targetsToArray } from '../../../src/pasture/targets.ts';
import { trainingReadings } from '../../../src/runs/covariates.ts';
import { readStatesOut } from '../../../src/runs/leave-one-state-out.ts';
import type { RunResults } from '../../../src/runs/results.ts';
import type { TrainingSource } from '../../../src/runs/training-data.ts';
import { makeEnsemble } from '../../../src/workflows/ensemble/ensemble.ts';
import { type PredictRunOptions, predictRun } from '../../../src/workflows/predict/predict.ts';
import { shareRun } from '../../../src/workflows/share/share.ts';
import { trainRepeatedly } from '../../../src/workflows/train/repeated-training.ts';
import { type TrainOptions, trainRun } from '../../../src/workflows/train/train.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('covariate-runs');
const PHOTOS = 90;
const METHODS = {
  'falling-plate': 'Height_Ave_cm',
  ruler: '"Height (ruler, cm)"',
  unstated: 'Height',
} as const;

/** Photos of nine visits in two States whose features tell half of the masses, and heights the rest. */
async function writeFarm(
  name: string,
  { method = 'falling-plate', lacking = 0, lackingState, further = '' }: FarmOptions = {},
): Promise<Extract<TrainingSource, { kind: 'features' }>> {
  const folder = join(root, name);
  mkdirSync(folder);
  const random = randomStream(4);
  const heights = Array.from({ length: PHOTOS }, () => 3 + 25 * random.uniform());
  const cover = Array.from({ length: PHOTOS }, () => random.uniform());
  const masses = heights.map((cm, photo) =>
    targetsFromComponents({
      green: Math.max(0, 2 * cm * (cover[photo] ?? 0) + 4 * random.normal()),
      dead: Math.abs(3 + random.normal()),
      clover: Math.abs(random.normal()),
    }),
  );
  const lines = heights.flatMap((cm, photo) => {
    const visit = photo % 9;
    const state = visit % 2 === 0 ? 'WA' : 'Vic';
    const reading = photo < lacking || state === lackingState ? '' : cm.toFixed(2);
    const facts = `2015/${visit + 1}/4,${state},${reading}${further && `,${cm * 2}`}`;
    return TARGET_NAMES.map(
      (target, at) =>
        `P${100 + photo}__${target},${facts},${targetsToArray(masses[photo] ?? ({} as never))[at]}`,
    );
  });
  const labels = join(folder, 'train.csv');
  const head = `sample_id,Sampling_Date,State,${METHODS[method]}${further && `,${further}`},target`;
  writeFileSync(labels, `${[head, ...lines].join('\n')}\n`);
  const ids = join(folder, 'ids.txt');
  writeFileSync(ids, `${heights.map((_, photo) => `P${100 + photo}`).join('\n')}\n`);
  const features = join(folder, 'features.npy');
  const noisy = cover.flatMap((share) => Array.from({ length: 6 }, () => share + 0.2 * random.normal()));
  await writeNpyFloat32(features, { rows: PHOTOS, columns: 6, data: Float64Array.from(noisy) });
  return { kind: 'features', features: [features], ids, labels };
}

interface FarmOptions {
  readonly method?: keyof typeof METHODS;
  /** First photos without a height. */
  readonly lacking?: number;
  /** State none of whose photos has a height. */
  readonly lackingState?: 'WA' | 'Vic';
  /** Another column of heights, twice as high. */
  readonly further?: string;
}

/** An estimator that is fitted at once, where it does not matter which it is. */
const QUICK = { kind: 'ridge' as const, penalties: [0.1] };

const train = (
  name: string,
  source: TrainingSource,
  options: Partial<TrainOptions> = {},
): Promise<RunResults> =>
  trainRun({
    ...{ source, out: join(root, name), settings: { covariates: ['height'], estimator: QUICK } },
    ...options,
  });

/** A table that gives a moisture of the first photos. */
function writeMoisture({ labels }: { readonly labels: string }, photos = PHOTOS): string {
  const rows = readFileSync(labels, 'utf8').trimEnd().split('\n').slice(1);
  const moist = new Map(rows.map((row) => [row.split('__')[0] ?? '', (row.length % 7) / 10]));
  const table = join(root, `moisture-${photos}.csv`);
  const lines = [...moist].slice(0, photos).map((pair) => pair.join());
  writeFileSync(table, `id,Soil moisture\n${lines.join('\n')}\n`);
  return table;
}

let farm: Extract<TrainingSource, { kind: 'features' }>;
let measured: RunResults;
let plain: RunResults;

beforeAll(async () => {
  farm = await writeFarm('farm', { lacking: 18 });
  plain = await trainRun({ source: farm, out: join(root, 'plain') });
  measured = await train('measured', farm, { settings: { covariates: ['height'] } });
});

/** Asks a run about the first photos of the farm. */
const asked = (run: string, options: Partial<PredictRunOptions> = {}): ReturnType<typeof predictRun> =>
  predictRun({ run: join(root, run), source: { features: farm.features, ids: farm.ids }, ...options });

const caseOf = ({ cases }: RunResults, ...names: string[]) =>
  cases?.find(({ covariates }) => covariates.join() === names.join());

describe('a run with a height', () => {
  it('has the very models of one without, and the same predictions out of fold', async () => {
    const folds = readdirSync(join(root, 'plain')).filter((name) => name.startsWith('fold-'));
    expect(folds).toHaveLength(5);
    for (const fold of folds) {
      const [own, other] = ['plain', 'measured'].map((run) =>
        readFileSync(join(root, run, fold, 'model.safetensors')),
      );
      expect(own?.equals(other as Buffer)).toBe(true);
    }
    const rows = caseOf(measured)?.rows.map(({ imageId, predicted }) => ({ imageId, predicted }));
    expect(rows).toEqual(plain.rows.map(({ imageId, predicted }) => ({ imageId, predicted })));
    expect(caseOf(measured)?.leaveOneStateOut).toEqual(plain.leaveOneStateOut);
  });

  it('scores with it and without, side by side and never together', () => {
    const [withHeight, without] = [caseOf(measured, 'height'), caseOf(measured)];
    expect(withHeight?.rows).toHaveLength(PHOTOS - 18);
    expect(without?.rows).toHaveLength(PHOTOS);
    expect(withHeight?.outOfFold.weightedR2).toBeGreaterThan(
      (withHeight?.withoutThem?.weightedR2 ?? 1) + 0.1,
    );
    expect(measured.outOfFold).toEqual(withHeight?.outOfFold);
    const scores = JSON.parse(readFileSync(join(root, 'measured', 'scores.json'), 'utf8'));
    expect(scores.out_of_fold.n_images).toBe(PHOTOS - 18);
    expect(scores.covariates.map(({ covariates }: { covariates: string[] }) => covariates)).toEqual([
      ['height'],
      [],
    ]);
    expect(scores.covariates[1].out_of_fold.weighted_r2).toBe(plain.outOfFold.weightedR2);
    const report = readFileSync(join(root, 'measured', 'report.html'), 'utf8');
    expect(report).toContain('With what was measured beside the photo, and without');
    const oof = readFileSync(join(root, 'measured', 'oof.csv'), 'utf8').split('\n');
    expect(oof[0]).toMatch(/,covariates$/);
    expect(oof.filter((line) => line.endsWith(',height'))).toHaveLength(5 * (PHOTOS - 18));
    expect(existsSync(join(root, 'measured', 'oof-without.csv'))).toBe(true);
  });

  it('says in run.json what it reads, and is another run than one without', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'measured', 'run.json'), 'utf8'));
    expect(manifest.recipe.covariates).toEqual(['height']);
    expect(manifest.data.covariates).toEqual([
      {
        name: 'height',
        unit: 'cm',
        method: 'falling-plate',
        photos: PHOTOS - 18,
        low: expect.any(Number),
        high: expect.any(Number),
      },
    ]);
    const other = JSON.parse(readFileSync(join(root, 'plain', 'run.json'), 'utf8'));
    expect(other.fingerprint).not.toBe(manifest.fingerprint);
    expect(other.recipe).not.toHaveProperty('covariates');
  });

  it('gives photos with a height narrower intervals, each from answers of its own kind', async () => {
    const width = ({ predictions }: Awaited<ReturnType<typeof predictRun>>): number =>
      predictions.slice(20).reduce((sum, { intervals }) => {
        const { low, high } = intervals?.total ?? { low: 0, high: Number.POSITIVE_INFINITY };
        return sum + high - low;
      }, 0);
    const alone = await asked('measured', { coverage: 0.8 });
    const known = await asked('measured', { coverage: 0.8, covariates: { table: farm.labels } });
    expect(width(known)).toBeLessThan(0.85 * width(alone));
    const before = await asked('plain', { coverage: 0.8 });
    expect(alone.predictions.map(({ intervals }) => intervals)).toEqual(
      before.predictions.map(({ intervals }) => intervals),
    );
    expect(known.predictions.slice(0, 18).map(({ intervals }) => intervals)).toEqual(
      before.predictions.slice(0, 18).map(({ intervals }) => intervals),
    );
  });

  it('says of every photo what it read, in CSV too, which of other runs stays as it is', async () => {
    const out = join(root, 'read.csv');
    const { predictions } = await asked('measured', { out, covariates: { table: farm.labels } });
    expect(predictions.map(({ covariates }) => covariates?.join())).toEqual(
      predictions.map((_, photo) => (photo < 18 ? '' : 'height')),
    );
    const [head, ...lines] = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(head).toBe('sample_id,target,covariates');
    expect(lines.filter((line) => line.endsWith(',height'))).toHaveLength(5 * (PHOTOS - 18));
    await asked('plain', { out: join(root, 'plain.csv') });
    expect(readFileSync(join(root, 'plain.csv'), 'utf8').split('\n')[0]).toBe('sample_id,target');
  });

  it('flags a height that no training photo had', async () => {
    const { doubts, predictions } = await asked('measured', { covariates: { values: { height: 300 } } });
    // A sward of three metres has more mass than any cut, too, which is told apart.
    expect(doubts.filter(({ kind }) => kind === 'covariate')).toHaveLength(PHOTOS);
    expect(doubts[0]).toMatchObject({
      kind: 'covariate',
      message: expect.stringMatching(/height 300 cm is outside of what the run was trained on/),
    });
    expect(predictions[0]?.outOfDomain).toBe(1);
    expect((await asked('measured', { covariates: { values: { height: 12 } } })).doubts).toEqual(
      expect.not.arrayContaining([expect.objectContaining({ kind: 'covariate' })]),
    );
  });

  it('can be passed on, answering and telling of both kinds', async () => {
    const out = join(root, 'shared');
    const about = { what: 'a farm', licence: 'CC0', attribution: 'nobody' };
    const { about: told } = await shareRun({ run: join(root, 'measured'), out, about });
    expect(told?.weighted_r2).toBe(plain.outOfFold.weightedR2);
    expect(told?.with).toEqual([{ covariates: ['height'], weighted_r2: measured.outOfFold.weightedR2 }]);
    const options = { coverage: 0.8, uncertainty: false, covariates: { table: farm.labels } };
    const [own, passedOn] = [await asked('measured', options), await asked('shared', options)];
    expect(passedOn.predictions.map(({ targets, intervals }) => ({ targets, intervals }))).toEqual(
      own.predictions.map(({ targets, intervals }) => ({ targets, intervals })),
    );
    expect(readFileSync(join(out, 'card.md'), 'utf8')).toMatch(/With height measured beside 72 photos/);
  });
});

describe('heights measured otherwise', () => {
  const pairs = (): string => {
    const path = join(root, 'pairs.csv');
    const lines = Array.from({ length: 12 }, (_, at) => `${2 * (3 + 2 * at)},${3 + 2 * at}`);
    writeFileSync(path, `Ruler (cm),Falling plate (cm)\n${lines.join('\n')}\n`);
    return path;
  };

  it('are not read, and the photo is answered alone', async () => {
    const covariates = { values: { height: 12 }, method: 'ruler' } as const;
    const { predictions } = await asked('measured', { covariates });
    expect(predictions[0]).toMatchObject({
      covariates: [],
      refused: 'its height is by ruler, and the run reads falling plate',
    });
    const alone = await asked('measured');
    expect(predictions.map(({ targets }) => targets)).toEqual(
      alone.predictions.map(({ targets }) => targets),
    );
  });

  it('are read by a conversion fitted to pairs of the farm, but not beyond these', async () => {
    const given = { method: 'ruler', pairs: pairs() } as const;
    const converted = await asked('measured', { covariates: { ...given, values: { height: 24 } } });
    const direct = await asked('measured', { covariates: { values: { height: 12 } } });
    expect(converted.predictions[0]?.covariates).toEqual(['height']);
    expect(converted.predictions[0]?.targets.total).toBeCloseTo(direct.predictions[0]?.targets.total ?? 0, 6);
    const beyond = await asked('measured', { covariates: { ...given, values: { height: 90 } } });
    expect(beyond.predictions[0]).toMatchObject({
      covariates: [],
      refused: expect.stringMatching(/beyond the pairs/),
    });
  });

  it('of which nobody says how they were measured are asked about', async () => {
    const of = (method: 'ruler' | null) =>
      trainingReadings(['height'], [new Map([['height', [{ value: 5, method }]]])], {});
    expect((await of(null)).remarks).toEqual([
      expect.stringMatching(/^warning: .*say it by --height-method/),
    ]);
    expect((await of('ruler')).remarks).toEqual([]);
  });

  it('in one table are never mixed: the run reads those that a person says', async () => {
    const source = await writeFarm('mixed', { method: 'ruler', lacking: 40, further: 'Falling plate (cm)' });
    await expect(train('mixed-unsaid', source)).rejects.toThrow(/falling plate and ruler.*--height-method/);
    const said: string[] = [];
    const progress = {
      line: (text: string) => said.push(text),
      stage: () => {},
      advance: () => {},
      done: () => {},
    };
    const ruler = await train('mixed-ruler', { ...source, covariates: { method: 'ruler' } }, { progress });
    expect(caseOf(ruler, 'height')?.rows).toHaveLength(PHOTOS - 40);
    expect(said.join('\n')).toMatch(/40 photos with a height by falling plate count as without one/);
    const path = join(root, 'back.csv');
    const lines = Array.from({ length: 12 }, (_, at) => `${3 + 2.5 * at},${2 * (3 + 2.5 * at)}`);
    writeFileSync(path, `Ruler (cm),Falling plate (cm)\n${lines.join('\n')}\n`);
    const both = await train('mixed-both', { ...source, covariates: { method: 'ruler', pairs: path } });
    expect(caseOf(both, 'height')?.rows).toHaveLength(PHOTOS);
    const manifest = JSON.parse(readFileSync(join(root, 'mixed-both', 'run.json'), 'utf8'));
    expect(manifest.data.covariates[0].conversions).toMatchObject([
      { from: 'falling-plate', to: 'ruler', pairs: 12, slope: expect.closeTo(0.5, 6) },
    ]);
  });
});

describe('training with a covariate', () => {
  it('that too few photos have, or none, is refused with what there is', async () => {
    const few = await writeFarm('few', { lacking: PHOTOS - 8 });
    await expect(train('few-run', few)).rejects.toThrow(/height is known of \d photos of \d visits/);
    const none = await writeFarm('none', { lacking: PHOTOS });
    await expect(train('none-run', none)).rejects.toThrow(/height is known of no photo; add its column/);
    await expect(train('misspelt', farm, { settings: { covariates: ['hieght'] } })).rejects.toThrow(
      /train\.csv: has no column of hieght; did you mean height\?/,
    );
    await expect(train('unknown', farm, { settings: { covariates: ['soil moisture'] } })).rejects.toThrow(
      InputError,
    );
  });

  it('that one State alone has is scored, but not with that State held out', async () => {
    const results = await train('west-run', await writeFarm('west', { lackingState: 'Vic' }), {
      plan: { folds: 3 },
    });
    expect(caseOf(results, 'height')?.rows).toHaveLength(50);
    expect(caseOf(results, 'height')?.leaveOneStateOut).toBeNull();
    expect(caseOf(results)?.leaveOneStateOut?.perState.map(({ state }) => state)).toEqual(['Vic', 'WA']);
  });

  it('that no photo of a fold has is scored by the other folds', async () => {
    const west = await writeFarm('west-by-visits', { lackingState: 'Vic' });
    const results = await train('west-by-visits-run', west, { plan: { folds: 9 } });
    expect(caseOf(results, 'height')?.rows).toHaveLength(50);
    expect(new Set(caseOf(results, 'height')?.rows.map(({ fold }) => fold)).size).toBe(5);
    expect(caseOf(results)?.rows).toHaveLength(PHOTOS);
  });

  it('that too few photos have together with another is scored by itself', async () => {
    const source = await writeFarm('hardly', { lacking: 45 });
    const covariates = { table: writeMoisture(source, 50) };
    const settings = { covariates: ['height', 'Soil moisture'], estimator: QUICK };
    const results = await train('hardly-run', { ...source, covariates }, { settings });
    expect(results.cases?.map(({ covariates: set, rows }) => [set, rows.length])).toEqual([
      [['height'], PHOTOS - 45],
      [['Soil moisture'], 50],
      [[], PHOTOS],
    ]);
    expect(results.outOfFold).toEqual(caseOf(results, 'height')?.outOfFold);
    expect(readdirSync(join(root, 'hardly-run'))).not.toContain('oof-with-height+Soil-moisture.csv');
    const { predictions } = await asked('hardly-run', {
      covariates: { values: { height: 12, 'Soil moisture': 0.3 } },
    });
    expect(predictions[0]?.covariates).toEqual(['height']);
  });

  it('over seeds is told of by set, whichever runs have it', async () => {
    const { runs, cases } = await trainRepeatedly(
      { source: farm, out: join(root, 'seeds'), settings: { covariates: ['height'], estimator: QUICK } },
      [1, 2],
    );
    expect(cases.map(({ covariates }) => covariates)).toEqual([['height'], []]);
    const scores = runs.map(({ results }) => caseOf(results, 'height')?.outOfFold.weightedR2 ?? Number.NaN);
    expect(cases[0]?.weightedR2.mean).toBeCloseTo(((scores[0] ?? 0) + (scores[1] ?? 0)) / 2, 12);
    expect(cases[1]?.leaveOneStateOut?.mean).toEqual(expect.any(Number));
    const told = JSON.parse(readFileSync(join(root, 'seeds', 'repeats.json'), 'utf8'));
    expect(told.covariates.map(({ covariates }: { covariates: string[] }) => covariates)).toEqual([
      ['height'],
      [],
    ]);
  });

  it('takes any column of numbers from a table of its own', async () => {
    const table = writeMoisture(farm);
    const settings = { covariates: ['Soil moisture'], estimator: QUICK };
    const results = await train('moist', { ...farm, covariates: { table } }, { settings });
    expect(caseOf(results, 'Soil moisture')?.rows).toHaveLength(PHOTOS);
    const { predictions } = await asked('moist', { covariates: { values: { 'Soil moisture': 0.3 } } });
    expect(predictions[0]?.covariates).toEqual(['Soil moisture']);
  });

  it('is refused of a run that reads none, or another', async () => {
    const covariates = { values: { height: 12 } };
    await expect(asked('plain', { covariates })).rejects.toThrow(/reads photos alone/);
    await expect(asked('measured', { covariates: { values: { ndvi: 0.5 } } })).rejects.toThrow(UsageError);
  });
});

describe('an ensemble of runs with and without a height', () => {
  it('combines apart what members say with it and without, which is what it is of runs without', async () => {
    const other = await trainRun({
      source: farm,
      out: join(root, 'plain-ridge'),
      settings: { estimator: { kind: 'ridge' } },
    });
    expect(other.cases).toBeNull();
    const runs = (...names: string[]): string[] => names.map((name) => join(root, name));
    const both = await makeEnsemble({
      runs: runs('measured', 'plain-ridge'),
      out: join(root, 'ensemble'),
      method: 'nnls',
      post: 'calibration',
    });
    const without = await makeEnsemble({
      runs: runs('plain', 'plain-ridge'),
      out: join(root, 'ensemble-plain'),
      method: 'nnls',
      post: 'calibration',
    });
    expect(caseOf(both)?.outOfFold).toEqual(without.outOfFold);
    expect(caseOf(both, 'height')?.outOfFold.weightedR2).toBeGreaterThan(without.outOfFold.weightedR2 + 0.1);
    const known = await asked('ensemble', { coverage: 0.8, covariates: { table: farm.labels } });
    const plainly = await asked('ensemble-plain', { coverage: 0.8 });
    const said = ({ predictions }: typeof known) =>
      predictions.map(({ targets, intervals }) => ({ targets, intervals }));
    expect(said(known).slice(0, 18)).toEqual(said(plainly).slice(0, 18));
    expect(said(known).slice(18)).not.toEqual(said(plainly).slice(18));
    expect(known.predictions.at(-1)?.covariates).toEqual(['height']);
  });

  it('has scores of States held out of photos alone where heights have none', async () => {
    const west = await writeFarm('west-members', { lackingState: 'Vic' });
    await train('west-member', west, { plan: { folds: 3 } });
    await trainRun({
      source: west,
      out: join(root, 'west-ridge'),
      settings: { estimator: { kind: 'ridge', penalties: [10] } },
      plan: { folds: 3 },
    });
    const out = join(root, 'west-ensemble');
    const results = await makeEnsemble({
      runs: [join(root, 'west-member'), join(root, 'west-ridge')],
      out,
      method: 'mean',
    });
    expect(caseOf(results, 'height')?.leaveOneStateOut).toBeNull();
    expect(caseOf(results)?.leaveOneStateOut?.perState.map(({ state }) => state)).toEqual(['Vic', 'WA']);
    expect((await readStatesOut(out))?.size).toBe(PHOTOS);
  });

  it('refuses members whose heights are not the same', async () => {
    const source = await writeFarm('by-ruler', { method: 'ruler' });
    await train('ruler', source);
    const runs = [join(root, 'measured'), join(root, 'ruler')];
    await expect(makeEnsemble({ runs, out: join(root, 'apart'), method: 'mean' })).rejects.toThrow(
      /falling plate, cm.*ruler, cm.*not the same/,
    );
  });
});
