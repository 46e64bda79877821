import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { headlineRows } from '../../src/runs/covariate-cases.ts';
import { meanAnswerScore } from '../../src/runs/mean-answer.ts';
import { openRun } from '../../src/runs/open-run.ts';
import { type CommandOutcome, errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('cli-covariates');
const data = join(root, 'data');
const run = join(root, 'run');
const PHOTOS = 24;
const LACKING = 8;
const sward = hostSward({ SWARD_CACHE: sharedCache() });
const train = (...more: string[]): Promise<CommandOutcome> => {
  const recipe = ['--recipe', 'descriptor-ridge', '--with', 'height', '--height-method', 'falling-plate'];
  return sward('train', data, ...recipe, '--folds', '3', '--out', run, ...more);
};
let trained: CommandOutcome;

beforeAll(async () => {
  await writeSmallFolder(data, {
    photos: PHOTOS,
    alter: ([head = '', ...lines]) => [
      head,
      ...lines.map((line, row) => {
        const photo = Math.floor(row / 5);
        const height = photo < LACKING ? '' : String(3 + ((7 * photo) % 20));
        return line.replace('Ryegrass,0.6,5', `Ryegrass,0.6,${height}`);
      }),
    ],
  });
  trained = await train('--json');
});

describe('training with a height that some photos lack', () => {
  it('compares its score with the mean of the very photos that are scored', async () => {
    await using opened = await openRun(run);
    const results = await opened.results();
    const scored = headlineRows(results);
    expect(scored).toHaveLength(PHOTOS - LACKING);
    expect(meanAnswerScore(scored)).not.toBeCloseTo(meanAnswerScore(results.rows), 4);
    expect(JSON.parse(trained.stdout).mean_answer.weighted_r2).toBe(meanAnswerScore(scored));
    const again = await train();
    expect(again.stdout).toContain(`mean: weighted R² ${meanAnswerScore(scored).toFixed(4)}`);
  });
});

describe('a submission of a run with a height', () => {
  const submit = async (column: string, cell: string, ...more: string[]): Promise<CommandOutcome> => {
    const [head, ...rows] = ['sample_id,image_path,target_name', ...TEST_ROWS];
    const lines = [`${head},${column}`, ...rows.map((row) => `${row},${cell}`)];
    writeFileSync(join(data, 'test.csv'), `${lines.join('\n')}\n`);
    return sward('submit', run, data, '--out', join(root, 'submission.csv'), '--json', ...more);
  };
  const TEST_ROWS = ['Dry_Green_g', 'Dry_Dead_g', 'Dry_Clover_g', 'GDM_g', 'Dry_Total_g'].map(
    (target) => `ID1__${target},test/ID1.jpg,${target}`,
  );
  const written = (): string => readFileSync(join(root, 'submission.csv'), 'utf8');

  it('uses what the table has, and tells what it takes for granted', async () => {
    const { stdout, stderr } = await submit('Height', '12');
    expect(JSON.parse(stdout)).toMatchObject({ photos: 1, rows: 5, covariates: ['height'] });
    expect(stderr).toMatch(/heights are taken as measured by falling plate/);
    const withHeight = written();
    await submit('Species', 'Ryegrass');
    expect(written()).not.toBe(withHeight);
  });

  it('says of heights that it cannot read that they were not used, and converts them by pairs', async () => {
    await submit('Species', 'Ryegrass');
    const alone = written();
    const { stdout, stderr } = await submit('Height (ruler)', '24');
    expect(JSON.parse(stdout).covariates).toEqual([]);
    expect(stderr).toMatch(/1 photo answered without height: its height is by ruler.*--height-pairs FILE/);
    expect(stderr).not.toMatch(/has no height/);
    expect(written()).toBe(alone);
    const pairs = join(root, 'pairs.csv');
    const lines = Array.from({ length: 12 }, (_, at) => `${2 * (3 + 2 * at)},${3 + 2 * at}`);
    writeFileSync(pairs, `Ruler (cm),Falling plate (cm)\n${lines.join('\n')}\n`);
    const converted = await submit('Height (ruler)', '24', '--height-pairs', pairs);
    expect(JSON.parse(converted.stdout).covariates).toEqual(['height']);
    const byRuler = await submit('Height', '24', '--height-method', 'ruler', '--height-pairs', pairs);
    expect(JSON.parse(byRuler.stdout).covariates).toEqual(['height']);
  });

  it('is made without heights where their column is empty or holds none, and says so', async () => {
    await submit('Species', 'Ryegrass');
    const alone = written();
    const empty = await submit('Height', '');
    expect(empty.code).toBe(0);
    expect(empty.stderr).toMatch(/test\.csv has no height: photos are answered without/);
    expect(written()).toBe(alone);
    const words = await submit('Height', 'tall');
    expect(words.code).toBe(0);
    expect(words.stderr).toMatch(/Height "tall" is no height and counts as not measured/);
    expect(JSON.parse(words.stdout).covariates).toEqual([]);
  });
});

describe('an option', () => {
  it('that is given twice is refused, but for those that may be repeated', async () => {
    const twice = await sward('train', '--features', 'a.npy', '--features', 'b.npy', '--out', run);
    expect(twice.code).toBe(2);
    expect(errorLine(twice)).toBe('error: --features is given twice (a.npy, b.npy); give it once');
    const set = ['--set', 'estimator.clip=3', '--set', 'estimator.clips=3'];
    expect(errorLine(await sward('train', data, ...set, '--out', join(root, 'none')))).toMatch(
      /estimator\.clips is no setting/,
    );
  });
});
