import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CommandOutcome, errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writePhoto, writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('pseudo');
const data = join(root, 'data');
const run = join(root, 'run');
const unlabelled = join(root, 'unlabelled');
const cache = { SWARD_CACHE: sharedCache() };
const sward = hostSward(cache);
const pseudo = (out: string, ...more: string[]): Promise<CommandOutcome> =>
  sward('pseudo', run, data, '--unlabelled', unlabelled, '--out', out, '--rounds', '2', ...more);

beforeAll(async () => {
  await writeSmallFolder(data, { photos: 18 });
  mkdirSync(unlabelled);
  for (let photo = 0; photo < 10; photo++) {
    await writePhoto(join(unlabelled, `UID${1000 + photo}.jpg`), 8 + 5 * photo, 500 + photo);
  }
  const trained = await sward('train', data, '--recipe', 'descriptor-ridge', '--folds', '3', '--out', run);
  expect(trained.code).toBe(0);
});

describe('pseudo', () => {
  it('trains in rounds, keeps a share, and leaves a run that predicts', async () => {
    const out = join(root, 'rounds');
    const outcome = await pseudo(out, '--json');
    expect(outcome.stderr).toContain('3/3 folds');
    expect(outcome.code).toBe(0);
    const { rounds, n_images } = JSON.parse(outcome.stdout);
    expect(n_images).toBe(18);
    expect(rounds.map(({ round }: { round: number }) => round)).toEqual([0, 1, 2]);
    expect(rounds[1].labels).toMatchObject({ unlabelled: 10, kept: 3, meanChange: null });
    expect(rounds[2].labels.meanChange.total).not.toBe(0);
    expect(rounds[0].weightedR2).not.toBe(rounds[1].weightedR2);
    expect(readdirSync(out)).toEqual(expect.arrayContaining(['round-1', 'run.json', 'pseudo.json']));
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    expect(report).toContain('Rounds of self-training');
    expect(report).toContain('3 of 10');
    const predicted = await sward('predict', out, unlabelled, '--out', join(root, 'predicted.csv'));
    expect(predicted.code).toBe(0);
    const again = await pseudo(out, '--json');
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout).rounds).toEqual(rounds);
  });

  it('says what is wrong in one line', async () => {
    const wrong: [string[], RegExp, number][] = [
      [['--keep', '1.5'], /--keep must lie in \(0, 1\]/, 2],
      [['--weight', '1'], /--weight must lie between 0 and 1/, 2],
      [['--mc-dropout', '4'], /without dropout/, 2],
    ];
    for (const [more, message, code] of wrong) {
      const outcome = await pseudo(join(root, 'wrong'), ...more);
      expect(errorLine(outcome)).toMatch(message);
      expect(outcome.code).toBe(code);
    }
    const measured = join(root, 'measured');
    mkdirSync(measured);
    cpSync(join(data, 'train', 'ID1003.jpg'), join(measured, 'ID1003.jpg'));
    const outcome = await sward('pseudo', run, data, '--unlabelled', measured, '--out', join(root, 'wrong'));
    expect(errorLine(outcome)).toMatch(/ID1003\.jpg: has the id of a photo that .* was trained on/);
    expect(outcome.code).toBe(1);
    const copies = join(root, 'copies');
    mkdirSync(copies);
    cpSync(join(data, 'train', 'ID1003.jpg'), join(copies, 'other.jpg'));
    const copied = await sward('pseudo', run, data, '--unlabelled', copies, '--out', join(root, 'wrong'));
    expect(errorLine(copied)).toMatch(/other\.jpg: is a copy of ID1003, which .* was trained on/);
    expect(copied.code).toBe(1);
  });

  it('names a damaged record', async () => {
    const out = join(root, 'damaged');
    cpSync(run, out, { recursive: true });
    writeFileSync(join(out, 'pseudo.json'), '{"keep": 1');
    const outcome = await sward('report', out);
    expect(errorLine(outcome)).toMatch(/pseudo\.json: is damaged/);
  });
});
