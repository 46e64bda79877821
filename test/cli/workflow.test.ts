import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPredictions } from '../../src/data/predictions.ts';
import { isPhysical } from '../../src/pasture/physics.ts';
import { runContents } from '../support/run-contents.ts';
import { type CommandOutcome, errorLine, runSward } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('workflow');
const data = join(root, 'data');
const run = join(root, 'run');
const cache = { SWARD_CACHE: sharedCache() };
const sward = hostSward(cache);
const training = (out: string): string[] => [
  ...['train', data, '--recipe', 'descriptor-ridge', '--folds', '3', '--out', out],
];
const train = (out: string, ...more: string[]): Promise<CommandOutcome> => sward(...training(out), ...more);
/** The same in a process of its own. */
const trainAlone = (out: string, ...more: string[]): Promise<CommandOutcome> =>
  runSward([...training(out), ...more], cache);

/** Hash of every file below a folder, by name. */
function fingerprints(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}

beforeAll(async () => {
  await writeSmallFolder(data, { photos: 18 });
  const outcome = await trainAlone(run);
  expect(outcome.stderr).toContain('Training descriptor-ridge: 3/3 folds');
  expect(outcome.code).toBe(0);
});

describe('train', () => {
  it('writes the run folder of the contract', () => {
    for (const name of ['run.json', 'folds.csv', 'oof.csv', 'scores.json', 'report.html']) {
      expect(existsSync(join(run, name)), name).toBe(true);
    }
    expect(readdirSync(join(run, 'fold-0')).sort()).toEqual(['metrics.jsonl', 'model.safetensors']);
    const scores = JSON.parse(readFileSync(join(run, 'scores.json'), 'utf8'));
    expect(scores.out_of_fold.n_images).toBe(18);
    expect(scores.per_fold).toHaveLength(3);
    expect(scores.leave_one_state_out.per_state.map((part: { state: string }) => part.state)).toEqual([
      'Tas',
      'Vic',
    ]);
    expect(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'))).toMatchObject({
      status: 'complete',
      seed: 42,
    });
  });

  it('keeps sessions whole and predicts every photo out of fold', async () => {
    const score = await sward('score', join(data, 'train.csv'), join(run, 'oof.csv'), '--json');
    const scores = JSON.parse(readFileSync(join(run, 'scores.json'), 'utf8'));
    expect(JSON.parse(score.stdout)).toMatchObject(scores.out_of_fold);
  });

  it('gives identical files when the same command runs again elsewhere', async () => {
    const again = join(root, 'again');
    expect((await trainAlone(again)).code).toBe(0);
    expect(runContents(again)).toEqual(runContents(run));
  });

  it('gives identical files for a copy of the data in another place', async () => {
    const place = join(root, 'moved');
    cpSync(data, join(place, 'data'), { recursive: true });
    const outcome = await sward(
      ...[
        'train',
        join(place, 'data'),
        '--recipe',
        'descriptor-ridge',
        '--folds',
        '3',
        '--out',
        join(place, 'run'),
      ],
    );
    expect(outcome.code).toBe(0);
    expect(fingerprints(join(place, 'run'))).toEqual(fingerprints(run));
  });

  it('leaves a finished run as it is when the same command comes again', async () => {
    const before = fingerprints(run);
    const outcome = await train(run);
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).not.toContain('Training');
    expect(fingerprints(run)).toEqual(before);
  });

  it('goes on with an interrupted run, to the same files', async () => {
    const interrupted = join(root, 'interrupted');
    expect((await train(interrupted)).code).toBe(0);
    const whole = fingerprints(interrupted);
    const manifest = join(interrupted, 'run.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"complete"', '"incomplete"'));
    for (const name of ['fold-1', 'fold-2', 'oof.csv', 'scores.json', 'report.html']) {
      rmSync(join(interrupted, name), { recursive: true });
    }
    for (const [command, code] of [
      [['predict', interrupted, join(data, 'test'), '--out', join(root, 'p.csv')], 1],
      [['report', interrupted], 1],
    ] as const) {
      const outcome = await sward(...command);
      expect(outcome.code).toBe(code);
      expect(errorLine(outcome)).toMatch(/is an unfinished run; finish it/);
    }
    const refused = await trainAlone(interrupted);
    expect(refused.code).toBe(2);
    expect(errorLine(refused)).toMatch(/unfinished run; pass --resume/);
    expect((await trainAlone(interrupted, '--resume')).code).toBe(0);
    expect(fingerprints(interrupted)).toEqual(whole);
  });

  it('does not overwrite another run unless told to', async () => {
    const outcome = await train(run, '--seed', '7');
    expect(outcome.code).toBe(2);
    expect(errorLine(outcome)).toMatch(/holds another run .*--overwrite/);
    const foreign = await train(data);
    expect(foreign.code).toBe(2);
    expect(errorLine(foreign)).toMatch(/is there and is not a run folder/);
  });

  it('takes the folds file of another run', async () => {
    const outcome = await sward(
      ...['train', data, '--recipe', 'descriptor-ridge', '--out', join(root, 'given')],
      ...['--folds', join(run, 'folds.csv'), '--set', 'evaluation.leaveOneStateOut=false'],
    );
    expect(outcome.code).toBe(0);
    expect(readFileSync(join(root, 'given', 'folds.csv'), 'utf8')).toBe(
      readFileSync(join(run, 'folds.csv'), 'utf8'),
    );
    expect(readFileSync(join(root, 'given', 'oof.csv'), 'utf8')).toBe(
      readFileSync(join(run, 'oof.csv'), 'utf8'),
    );
  });
});

describe('predict, submit, report and folds', () => {
  it('predicts folders and single photos in every format', async () => {
    const csv = join(root, 'predictions.csv');
    const outcome = await sward(
      'predict',
      run,
      join(data, 'train'),
      join(data, 'test', 'ID1.jpg'),
      '--out',
      csv,
    );
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toMatch(/total kg DM\/ha/);
    const predictions = await readPredictions(csv);
    expect(predictions).toHaveLength(19);
    for (const { targets } of predictions) expect(isPhysical(targets, 1e-9)).toBe(true);

    const turned = join(root, 'turned.csv');
    const tta = await sward(
      'predict',
      run,
      join(data, 'train'),
      join(data, 'test'),
      '--out',
      turned,
      '--tta',
      'd4',
    );
    expect(tta.code).toBe(0);
    expect(readFileSync(turned, 'utf8')).toBe(readFileSync(csv, 'utf8'));

    const json = join(root, 'predictions.json');
    await sward('predict', run, join(data, 'test'), '--out', json, '--area', '0.25');
    const [record] = JSON.parse(readFileSync(json, 'utf8'));
    expect(record.kg_dm_per_ha.Dry_Total_g).toBeCloseTo(record.grams.Dry_Total_g * 40, 6);

    const geojson = join(root, 'predictions.geojson');
    await sward('predict', run, join(data, 'test'), '--out', geojson);
    expect(JSON.parse(readFileSync(geojson, 'utf8'))).toMatchObject({
      type: 'FeatureCollection',
      features: [{ type: 'Feature', geometry: null, properties: { image_id: 'ID1' } }],
    });
  });

  it('answers test.csv row by row', async () => {
    const out = join(root, 'submission.csv');
    expect((await sward('submit', run, data, '--out', out)).code).toBe(0);
    const ids = (text: string): string[] =>
      text
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(',')[0] ?? '');
    expect(ids(readFileSync(out, 'utf8'))).toEqual(ids(readFileSync(join(data, 'test.csv'), 'utf8')));
  });

  it('renders the same report again', async () => {
    const before = readFileSync(join(run, 'report.html'), 'utf8');
    rmSync(join(run, 'report.html'));
    expect((await sward('report', run)).code).toBe(0);
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toBe(before);
  });

  it('draws the folds that training draws', async () => {
    const out = join(root, 'folds.csv');
    expect((await sward('folds', data, '--out', out, '--folds', '3')).code).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(readFileSync(join(run, 'folds.csv'), 'utf8'));
  });
});

describe('wrong usage', () => {
  it.each([
    [['--nonsense'], /unknown option '--nonsense'/],
    [['trian'], /unknown command 'trian'/],
    [['train', 'x'], /required option '--out/],
    [['train', '--recipe', 'feature-ridge', '--out', 'x'], /give a data folder or a table, or --features/],
    [['train', 'x', '--recipe', 'nope', '--out', 'y'], /no recipe is called nope/],
    [
      ['train', 'x', '--recipe', 'descriptor-ridge', '--out', 'y', '--seed', 'z'],
      /--seed z: give a whole number/,
    ],
    [['folds', 'x', '--out', 'y', '--group', 'moon'], /Allowed choices are date-state, date, none/],
    [['predict', '--out', 'p.csv'], /give photos or folders/],
    [
      ['predict', 'run', '--features', 'f', '--ids', 'i', '--tta', 'd4', '--out', 'p.csv'],
      /--tta d4 needs photos/,
    ],
    [
      ['predict', 'x.jpg', '--out', 'p.xlsx'],
      /end the name in .csv, .json, .geojson, or with --on in \/ for parts/,
    ],
    [['sample', '--out', 'x', '--n', '0'], /number of photos is 0/],
  ])('%j exits with 2 and one line', async (args, message) => {
    const outcome = await sward(...args);
    expect(outcome.code).toBe(2);
    expect(outcome.stdout).toBe('');
    expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(outcome.stderr).toMatch(message);
  });

  it('prints help on stdout and exits with 0', async () => {
    const outcome = await sward('train', '--help');
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toMatch(/--recipe <NAME\|FILE>/);
  });
});
