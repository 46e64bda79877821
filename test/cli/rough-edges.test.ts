import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CommandOutcome, errorLine, runSward } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writePhoto, writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('rough-edges');
const project = join(import.meta.dirname, '..', '..');
const at = (name: string): string => join(root, name);
const sward = hostSward({ SWARD_CACHE: sharedCache() });
const train = (data: string, out: string, ...more: string[]): Promise<CommandOutcome> =>
  sward('train', at(data), '--recipe', 'descriptor-ridge', '--folds', '3', '--out', at(out), ...more);

beforeAll(async () => {
  await writeSmallFolder(at('data'), { photos: 12 });
  expect((await train('data', 'run')).code).toBe(0);
});

describe('a report', () => {
  it('names its run and the day, and calls the penalties of a closed form what they are', () => {
    const page = readFileSync(at('run/report.html'), 'utf8');
    expect(page).toMatch(/<title>Pasture biomass: run \(descriptor-ridge, \d{4}-\d\d-\d\d\)<\/title>/);
    expect(page).toMatch(/<h1>Pasture biomass: run \(descriptor-ridge, /);
    expect(page).toContain('<h2>Penalties tried</h2>');
    expect(page).not.toContain('Learning curves');
  });

  it('says which photos it has lost where the run was moved', async () => {
    const there = await sward('report', at('run'), '--out', at('there.html'));
    expect(there.stderr).toBe('');
    mkdirSync(at('elsewhere/deep'), { recursive: true });
    cpSync(at('run'), at('elsewhere/deep/run'), { recursive: true });
    const moved = await sward('report', at('elsewhere/deep/run'));
    expect(moved.stderr).toMatch(
      /^warning: 12 of 12 photos are not where the run knows them \(.*ID1000\.jpg for one\), .*; put the run back/,
    );
    expect(moved.code).toBe(0);
  });
});

describe('a score', () => {
  it('is refused where truth and predictions are given the wrong way round', async () => {
    const predicted = at('predicted.csv');
    await sward(
      'predict',
      at('run'),
      at('data/train'),
      '--out',
      predicted,
      '--coverage',
      '0.8',
      '--uncertainty',
    );
    const labels = at('data/train.csv');
    expect((await sward('score', labels, predicted)).code).toBe(0);
    const swapped = await sward('score', predicted, labels);
    expect(errorLine(swapped)).toMatch(
      /predicted\.csv: is a file of predictions \(it has low, high, .*\); give the measured masses first, then/,
    );
    const oof = await sward('score', at('run/oof.csv'), predicted);
    expect(errorLine(oof)).toMatch(/oof\.csv: is a file of predictions \(it has observed, fold\)/);
    writeFileSync(at('sample_submission.csv'), 'sample_id,target\nID1000__GDM_g,0\n');
    const form = await sward('score', at('sample_submission.csv'), predicted);
    expect(errorLine(form)).toMatch(/is a form to be filled, no measured masses/);
    const plain = at('plain.csv');
    writeFileSync(plain, readFileSync(predicted, 'utf8').replaceAll(/^([^,]*,[^,]*),.*$/gm, '$1'));
    expect(errorLine(await sward('score', plain, labels))).toMatch(
      /train\.csv: is a table of measured masses/,
    );
  });
});

describe('a folder that is written anew', () => {
  it('keeps nothing of the run that was passed on there', async () => {
    const about = ['--what', 'a', '--licence', 'b', '--attribution', 'c'];
    expect((await sward('share', at('run'), '--out', at('shared'), ...about)).code).toBe(0);
    expect(existsSync(at('shared/card.md'))).toBe(true);
    expect((await train('data', 'shared', '--overwrite')).code).toBe(0);
    expect(existsSync(at('shared/card.md'))).toBe(false);
    expect(existsSync(at('shared/calibration.json'))).toBe(false);
    expect(existsSync(at('shared/oof.csv'))).toBe(true);
  });
});

describe('labels', () => {
  it('whose photos are not there are counted and the first are named, in one line', async () => {
    await writeSmallFolder(at('lost'), { photos: 12 });
    for (let photo = 0; photo < 5; photo++)
      renameSync(at(`lost/train/ID100${photo}.jpg`), at(`gone-${photo}.jpg`));
    const outcome = await train('lost', 'never');
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
    expect(errorLine(outcome)).toMatch(
      /lost: lacks 5 photos: photo train\/ID1000\.jpg is not there \(train\.csv row 2\), .*ID1001.*ID1002.* and 2 more; add/,
    );
  });

  it('of two photos are too few, and that is said before anything is made of them', async () => {
    await writeSmallFolder(at('two'), { photos: 2 });
    const outcome = await sward('train', at('two'), '--recipe', 'descriptor-ridge', '--out', at('never'));
    expect(outcome.stderr).not.toMatch(/Describing|Extracting/);
    expect(errorLine(outcome)).toMatch(
      /^error: 2 photos with measured masses: at least 3 of two visits are needed/,
    );
    expect(existsSync(at('never'))).toBe(false);
  });
});

describe('photos of one name in two folders', () => {
  it('are called by their folders', async () => {
    for (const [side, green] of [
      ['north', 20],
      ['south', 50],
    ] as const) {
      mkdirSync(at(`paddocks/${side}`), { recursive: true });
      await writePhoto(at(`paddocks/${side}/IMG_1.jpg`), green, green);
    }
    const out = at('paddocks.csv');
    const outcome = await sward('predict', at('paddocks/north'), at('paddocks/south'), '--out', out);
    expect(outcome.code).toBe(0);
    expect(readFileSync(out, 'utf8')).toMatch(/^north\/IMG_1__GDM_g,.*\n(.*\n)*south\/IMG_1__GDM_g,/m);
  });
});

describe('the starter', () => {
  it('is refused where its manifest is not the one that came with sward', async () => {
    const copy = at('package');
    const app = join(project, 'dist', 'web');
    for (const name of ['dist', 'runs', 'package.json'])
      cpSync(join(project, name), join(copy, name), { recursive: true, filter: (path) => path !== app });
    for (const name of ['node_modules', 'weights']) symlinkSync(join(project, name), join(copy, name));
    const main = join(copy, 'dist', 'cli', 'main.js');
    const ask = (): ReturnType<typeof runSward> =>
      runSward(['predict', at('paddocks/north')], { SWARD_CACHE: sharedCache() }, undefined, main);
    expect((await ask()).code).toBe(0);
    const manifest = join(copy, 'runs', 'starter', 'run.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"seed": 42', '"seed": 43'));
    const tampered = await ask();
    expect(errorLine(tampered)).toMatch(
      /starter\/run\.json: is not the file that was written \(its SHA-256 is another\)/,
    );
    expect(tampered.code).toBe(1);
  });
});

describe('the help of a command', () => {
  it.each(['train', 'import', 'pseudo', 'share', 'score'])(
    '%s fits a narrow terminal, and says what is required',
    async (name) => {
      const { stdout } = await sward(name, '--help');
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
      expect(stdout).not.toMatch(/default: (\[\]|"")/);
      if (name !== 'score') expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/--out <\w+> [^-]*\(required\)/);
    },
  );
});

describe('the size of a paddock', () => {
  it('is one that there can be, and the total is in a file beside the predictions', async () => {
    for (const [size, message] of [
      ['1e308', /hectares 1e\+308: give the paddock's size/],
      ['-3', /--hectares -3: give a number above 0/],
      ['NaN', /--hectares NaN: give a number above 0/],
    ] as const) {
      const outcome = await sward('predict', at('paddocks/north'), `--hectares=${size}`);
      expect(errorLine(outcome)).toMatch(message);
      expect(outcome.code).toBe(2);
    }
    const outcome = await sward('predict', at('paddocks/north'), '--hectares', '2', '--out', at('sized.csv'));
    expect(outcome.stdout).toContain("sized.paddock.json: their mean and the paddock's total");
    const {
      photos,
      hectares,
      total_kg: total,
      kg_dm_per_ha: rate,
    } = JSON.parse(readFileSync(at('sized.paddock.json'), 'utf8'));
    expect([photos, hectares]).toEqual([1, 2]);
    expect(total.mean).toBeCloseTo(2 * rate.mean, 6);
    expect(outcome.stdout).toContain(
      `2 ha: ${total.mean.toFixed(0)} kg of dry matter (${total.low.toFixed(0)} to ${total.high.toFixed(0)})`,
    );
  });
});
