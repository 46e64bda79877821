import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPredictions } from '../../../src/data/predictions.ts';
import { configure } from '../../../src/ground/environment.ts';
import { MASS_NAMES, TARGET_NAMES } from '../../../src/pasture/targets.ts';
import { checkFolder } from '../../../src/workflows/data/check.ts';
import { predictRun } from '../../../src/workflows/predict/predict.ts';
import { submitRun } from '../../../src/workflows/predict/submit.ts';
import { compareFiles, compareRuns } from '../../../src/workflows/score/compare.ts';
import { scoreFiles } from '../../../src/workflows/score/score.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import { visitRun } from '../../../src/workflows/visit/visit.ts';
import { sharedCache } from '../../support/shared-cache.ts';
import { writeSmallFolder } from '../../support/small-data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('frames');
const data = join(root, 'data');
const table = join(root, 'cuts.csv');
const photos = join(data, 'train');
const test = join(data, 'test', 'ID1.jpg');
/** On the competition's frame, and on one of 0.25 m², of the same photos and masses a hectare. */
const [usual, large] = [join(root, 'usual'), join(root, 'large')];
const SCALE = 0.25 / 0.21;

beforeAll(async () => {
  configure({ cacheFolder: sharedCache() });
  await writeSmallFolder(data, { photos: 24 });
  const rows = new Map<string, string[]>();
  for (const line of readFileSync(join(data, 'train.csv'), 'utf8').trim().split('\n').slice(1)) {
    const [id = '', path = '', date = '', state = ''] = line.split(',');
    const grams = Number(line.split(',').at(-1));
    const row = rows.get(path) ?? [path, date.replaceAll('/', '-'), state];
    const target = TARGET_NAMES.findIndex((name) => id.endsWith(`__${name}`));
    if (target < 3) row[3 + target] = String((grams * 10) / 0.21);
    rows.set(path, row);
  }
  const lines = [...rows.values()].map((row) => row.join(','));
  writeFileSync(table, `photo,date,state,green (kg/ha),dead (kg/ha),clover (kg/ha)\n${lines.join('\n')}\n`);
  const shared = {
    recipe: 'descriptor-ridge',
    settings: { evaluation: { leaveOneStateOut: false } },
  } as const;
  await trainRun({ ...shared, source: data, out: usual, plan: { folds: 3 } });
  await trainRun({
    ...shared,
    source: { kind: 'table', table, photos, areaSquareMetres: 0.25 },
    out: large,
    plan: { folds: 3 },
  });
});

describe('a score against a table of some masses', () => {
  it('names those that are predicted and not measured', async () => {
    const own = readFileSync(join(data, 'train.csv'), 'utf8').trim().split('\n');
    const totals = join(root, 'totals.csv');
    const rows = own.flatMap((line, row) =>
      row === 0 || line.includes('__Dry_Total_g') ? `${line.split(',')[0]},${line.split(',').at(-1)}` : [],
    );
    writeFileSync(totals, `${rows.join('\n')}\n`);
    const oof = join(usual, 'oof.csv');
    expect((await scoreFiles(totals, oof)).unmeasured).toEqual(['green', 'dead', 'clover', 'gdm']);
    expect((await scoreFiles(join(data, 'train.csv'), oof)).unmeasured).toEqual([]);
  });
});

describe('a run on another frame than what it is asked about', () => {
  it('is asked for grams on a frame, and says the same of a hectare', async () => {
    const own = await predictRun({ run: usual, source: [test], coverage: 0.8, hectares: 2 });
    const lines: string[] = [];
    const progress = { stage() {}, advance() {}, done() {}, line: (text: string) => void lines.push(text) };
    const out = join(root, 'p.json');
    const asked = { run: usual, source: [test], coverage: 0.8, areaSquareMetres: 0.25, out, progress };
    const other = await predictRun({ ...asked, uncertainty: true });
    const [one, two] = [own.predictions[0], other.predictions[0]];
    for (const mass of MASS_NAMES) {
      expect(two?.targets[mass]).toBeCloseTo((one?.targets[mass] ?? 0) * SCALE, 9);
      expect(two?.intervals?.[mass].high).toBeCloseTo((one?.intervals?.[mass].high ?? 0) * SCALE, 9);
      expect(other.paddock.mean[mass]).toBeCloseTo(own.paddock.mean[mass] * SCALE, 9);
      expect(other.paddock.intervals[mass].high).toBeCloseTo(own.paddock.intervals[mass].high * SCALE, 9);
    }
    expect(two?.folds[0]?.total).toBeCloseTo((one?.folds[0]?.total ?? 0) * SCALE, 9);
    const [written] = JSON.parse(readFileSync(out, 'utf8'));
    expect(written.grams.Dry_Total_g).toBe(two?.targets.total);
    expect(written.kg_dm_per_ha.Dry_Total_g).toBeCloseTo(((one?.targets.total ?? 0) * 10) / 0.21, 9);
    expect(lines).toContain(
      'note: the run was taught grams on 0.21 m²; they are said on 0.25 m², the same kg DM/ha',
    );
    expect(other.areaSquareMetres).toBe(0.25);
  });

  it('answers test.csv in grams of the data folder, and says so', async () => {
    const out = join(root, 'submission.csv');
    const { remarks } = await submitRun(large, data, out);
    expect(remarks).toEqual([
      'note: the run was taught grams on 0.25 m²; they are said on the 0.21 m² of the data folder',
    ]);
    const [own] = (await predictRun({ run: large, source: [test] })).predictions;
    const [submitted] = await readPredictions(out);
    for (const mass of MASS_NAMES) {
      expect(submitted?.targets[mass]).toBeCloseTo((own?.targets[mass] ?? 0) / SCALE, 9);
    }
    const same = await submitRun(large, data, out, { areaSquareMetres: 0.25 });
    expect(same.remarks).toEqual([]);
    expect((await readPredictions(out))[0]?.targets.total).toBe(own?.targets.total);
  });

  it('is scored on the frame of the measured masses', async () => {
    const own = await scoreFiles(table, join(large, 'oof.csv'), { photos });
    const theirs = await scoreFiles(join(data, 'train.csv'), join(large, 'oof.csv'));
    expect(theirs.score.weightedR2).toBeCloseTo(own.score.weightedR2, 9);
    const there = await scoreFiles(join(data, 'train.csv'), join(usual, 'oof.csv'));
    const moved = await scoreFiles(table, join(usual, 'oof.csv'), { photos, areaSquareMetres: 0.25 });
    expect(moved.score.weightedR2).toBeCloseTo(there.score.weightedR2, 9);
    const both = await compareFiles(join(data, 'train.csv'), join(large, 'oof.csv'), join(usual, 'oof.csv'));
    expect(both.first.weightedR2).toBeCloseTo(own.score.weightedR2, 9);
    expect(both.second.weightedR2).toBeCloseTo(there.score.weightedR2, 9);
  });

  it('trained on the competition’s table by another area is scored on it as it was trained, also through a link', async () => {
    const train = join(data, 'train.csv');
    const out = join(root, 'train-as-table');
    const settings = { evaluation: { leaveOneStateOut: false } };
    const source = { kind: 'folder', folder: data, areaSquareMetres: 0.3 } as const;
    await trainRun({ source, recipe: 'descriptor-ridge', settings, out, plan: { folds: 3 } });
    const link = join(root, 'linked.csv');
    symlinkSync(train, link);
    for (const truth of [train, link]) {
      const { score } = await scoreFiles(truth, join(out, 'oof.csv'));
      expect(score.weightedR2).toBe((await scoreFiles(train, join(usual, 'oof.csv'))).score.weightedR2);
    }
  });

  it('is not compared with one on another frame', async () => {
    await expect(compareRuns(usual, large)).rejects.toThrow(
      /large: its masses stand on 0\.25 m², those of .*usual on 0\.21 m²; compare runs of one frame/,
    );
  });
});

describe('the area of a frame', () => {
  const areaSquareMetres = 2500;
  it.each([
    ['check', () => checkFolder({ kind: 'table', table, photos, areaSquareMetres })],
    [
      'train',
      () => trainRun({ source: { kind: 'folder', folder: data, areaSquareMetres }, out: join(root, 'x') }),
    ],
    ['predict', () => predictRun({ run: usual, source: [test], areaSquareMetres })],
    ['submit', () => submitRun(usual, data, join(root, 'x.csv'), { areaSquareMetres })],
    ['visit', () => visitRun({ run: usual, photos: [test], reading: { areaSquareMetres } })],
    ['score', () => scoreFiles(table, join(usual, 'oof.csv'), { photos, areaSquareMetres })],
    ['compare', () => compareFiles(table, 'a.csv', 'b.csv', { areaSquareMetres })],
  ])('is none that no frame has: %s', async (_, ask) => {
    await expect(ask()).rejects.toThrow('area 2500: frames have 0.01 to 4 m²; if it is in cm², give 0.25');
  });
});
