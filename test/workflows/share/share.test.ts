import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/ground/errors.ts';
import { openRun } from '../../../src/runs/open-run.ts';
import { makeEnsemble } from '../../../src/workflows/ensemble/ensemble.ts';
import { predictRun } from '../../../src/workflows/predict/predict.ts';
import { reportRun } from '../../../src/workflows/report/report.ts';
import { shareRun } from '../../../src/workflows/share/share.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import { writeSmallFolder } from '../../support/small-data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('share');
const data = join(root, 'data');
const run = join(root, 'run');
const out = join(root, 'passed-on');
const about = { what: 'A test of greens', licence: 'CC BY 4.0', attribution: 'Nobody in particular' };
let ids: string[] = [];

/** Every file of a folder, by its path in it. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

beforeAll(async () => {
  ids = await writeSmallFolder(data, { photos: 18 });
  await trainRun({ source: data, recipe: 'descriptor-ridge', out: run, plan: { folds: 3 } });
  await shareRun({ run, out, about });
});

describe('a run that is passed on without its data', () => {
  it('predicts as the run does, with the same intervals, doubts and mean', async () => {
    const photos = [join(data, 'test'), ...ids.slice(0, 4).map((id) => join(data, 'train', `${id}.jpg`))];
    const ask = (folder: string) => predictRun({ run: folder, source: photos, coverage: 0.8 });
    const [own, passedOn] = [await ask(run), await ask(out)];
    expect(passedOn.predictions).toEqual(own.predictions);
    expect(own.predictions.map(({ trainedOn }) => trainedOn)).toEqual([false, true, true, true, true]);
    expect(passedOn.paddock).toEqual(own.paddock);
    expect(passedOn.doubts).toEqual(own.doubts);
    expect(own.about).toBeNull();
    expect(passedOn.about).toMatchObject({ ...about, sessions: 6 });
  });

  it('holds no photo id, measured mass or path', () => {
    const table = readFileSync(join(data, 'train.csv'), 'utf8');
    const masses = new Set(
      table.split('\n').flatMap((line) => {
        const mass = line.split(',').at(-1) ?? '';
        return /^\d+\.\d{4,}$/.test(mass) ? [mass] : [];
      }),
    );
    expect(masses.size).toBeGreaterThan(20);
    const files = filesOf(out);
    expect(files.map((file) => file.slice(out.length + 1)).sort()).toEqual([
      'calibration.json',
      'card.md',
      'domain.safetensors',
      ...[0, 1, 2].flatMap((fold) => [`fold-${fold}/metrics.jsonl`, `fold-${fold}/model.safetensors`]),
      'run.json',
      'training-photos.csv',
    ]);
    for (const file of files) {
      const text = readFileSync(file, 'latin1');
      for (const id of ids) expect(text).not.toContain(id);
      for (const mass of masses) expect(text.includes(mass) ? `${file} ${mass}` : '').toBe('');
      expect(text).not.toContain(root);
      expect(text).not.toContain('data/');
    }
  });

  it('says on its card what it is, how good, and whose', () => {
    const card = readFileSync(join(out, 'card.md'), 'utf8');
    expect(card).toMatch(/^# A test of greens$/m);
    expect(card).toMatch(/18 photos, 6 visits .*Tas, Vic/);
    expect(card).toMatch(/\| Dry_Total_g \| -?[\d.]+ \| [\d.]+ \| [\d.]+ \| -?[\d.]+ \| \d+ % \|/);
    expect(card).toContain('CC BY 4.0. Nobody in particular');
  });

  it('refuses what its data would be needed for', async () => {
    await using opened = await openRun(out);
    expect((await opened.capabilities()).results).toBe(false);
    await expect(opened.results()).rejects.toThrow(/was passed on without its data/);
    await expect(reportRun(out)).rejects.toThrow(UsageError);
    await expect(makeEnsemble({ runs: [out, run], out: join(root, 'both'), method: 'mean' })).rejects.toThrow(
      /was passed on without its data/,
    );
    await expect(shareRun({ run: out, out: join(root, 'again'), about })).rejects.toThrow(UsageError);
    expect(existsSync(join(root, 'again'))).toBe(false);
  });

  it('is left alone when it is there, and is written nowhere else', async () => {
    const before = readFileSync(join(out, 'run.json'), 'utf8');
    await shareRun({ run, out, about });
    expect(readFileSync(join(out, 'run.json'), 'utf8')).toBe(before);
    const other = { ...about, what: 'Something else' };
    await expect(shareRun({ run, out, about: other })).rejects.toThrow(/says something else of itself/);
    await shareRun({ run, out, about, overwrite: true });
    expect(readFileSync(join(out, 'run.json'), 'utf8')).toBe(before);
    await expect(shareRun({ run, out: join(run, 'inside'), about })).rejects.toThrow(
      /lies in the run itself/,
    );
    const link = join(root, 'link');
    symlinkSync(run, link);
    for (const inside of [link, join(link, 'inside')]) {
      await expect(shareRun({ run, out: inside, about, overwrite: true })).rejects.toThrow(
        /lies in the run itself/,
      );
    }
    const copy = join(root, 'copy');
    cpSync(run, copy, { recursive: true });
    await expect(shareRun({ run, out: copy, about, overwrite: true })).rejects.toThrow(
      /holds a run with its data/,
    );
    expect(readFileSync(join(copy, 'oof.csv'), 'utf8')).toBe(readFileSync(join(run, 'oof.csv'), 'utf8'));
    await expect(
      shareRun({ run, out: join(root, 'mute'), about: { ...about, licence: ' ' } }),
    ).rejects.toThrow(/about\.licence is empty/);
    expect(existsSync(join(root, 'mute'))).toBe(false);
    const foreign = join(root, 'foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'LICENSE'), 'mine');
    await shareRun({ run, out: foreign, about });
    expect(readFileSync(join(foreign, 'LICENSE'), 'utf8')).toBe('mine');
    const full = join(root, 'full');
    mkdirSync(full);
    writeFileSync(join(full, 'diary.txt'), 'mine');
    await expect(shareRun({ run, out: full, about })).rejects.toThrow(/diary\.txt/);
  });

  it('is refused when a file of it was changed', async () => {
    const broken = join(root, 'broken');
    await shareRun({ run, out: broken, about });
    writeFileSync(join(broken, 'calibration.json'), '{}');
    await expect(openRun(broken)).rejects.toThrow(/calibration\.json: is not the file that was written/);
  });
});
