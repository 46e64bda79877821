import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../../src/ground/environment.ts';
import { UsageError } from '../../../src/ground/errors.ts';
import { notOurs, requireOwnOutput } from '../../../src/workflows/outputs/own-outputs.ts';
import { predictRun } from '../../../src/workflows/predict/predict.ts';
import { submitRun } from '../../../src/workflows/predict/submit.ts';
import { reportRun } from '../../../src/workflows/report/report.ts';
import { drawFolds } from '../../../src/workflows/train/folds.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import { sharedCache } from '../../support/shared-cache.ts';
import { writePhoto, writeSmallFolder } from '../../support/small-data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('own-outputs');
const data = join(root, 'data');
const run = join(root, 'run');
const photo = join(root, 'paddock', 'gate.jpg');
const CUTS = 'photo,total (g)\ngate.jpg,12.5\n';

beforeAll(async () => {
  configure({ cacheFolder: sharedCache() });
  await writeSmallFolder(data);
  mkdirSync(join(root, 'paddock'));
  await writePhoto(photo, 30, 99);
  await trainRun({
    source: data,
    recipe: 'descriptor-ridge',
    settings: { evaluation: { leaveOneStateOut: false } },
    plan: { folds: 3 },
    out: run,
  });
});

/** A file of a person's own. */
function mine(name: string, text = CUTS): string {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
}

describe('a file that sward did not write', () => {
  const frames = { areaSquareMetres: 0.21 };
  it.each<[string, (out: string, overwrite?: boolean) => Promise<unknown>]>([
    [
      'predicted.csv',
      (out, overwrite) => predictRun({ run, source: [photo], out, ...(overwrite && { overwrite }) }),
    ],
    [
      'predicted.json',
      (out, overwrite) => predictRun({ run, source: [photo], out, ...(overwrite && { overwrite }) }),
    ],
    [
      'predicted.geojson',
      (out, overwrite) => predictRun({ run, source: [photo], out, ...(overwrite && { overwrite }) }),
    ],
    [
      'submission.csv',
      (out, overwrite) => submitRun(run, data, out, { ...frames, ...(overwrite && { overwrite }) }),
    ],
    ['folds.csv', (out, overwrite = false) => drawFolds(data, out, { folds: 3 }, { overwrite })],
    ['report.html', (out, overwrite) => reportRun(run, { out, ...(overwrite && { overwrite }) })],
  ])(
    'stays where %s is to be written, unless it is said to go; sward’s own is written anew',
    async (name, write) => {
      const path = mine(name);
      await expect(write(path)).rejects.toThrow(UsageError);
      await expect(write(path)).rejects.toThrow(
        `--out ${path} is there and was not written by this command; choose another name or pass --overwrite`,
      );
      expect(readFileSync(path, 'utf8')).toBe(CUTS);
      await write(path, true);
      const written = readFileSync(path, 'utf8');
      expect(written).not.toBe(CUTS);
      await write(path);
      expect(readFileSync(path, 'utf8')).toBe(written);
    },
  );

  it('stays with every column that predictions may have, and the paddock’s file beside them', async () => {
    const out = join(root, 'all.csv');
    const ask = { run, source: [photo], out, coverage: 0.8, uncertainty: true, hectares: 2 };
    await predictRun(ask);
    await predictRun(ask);
    const paddock = mine('all.paddock.json', '{"paddock": "north"}');
    await expect(predictRun(ask)).rejects.toThrow(`--out ${paddock} is there and was not written`);
    expect(readFileSync(paddock, 'utf8')).toBe('{"paddock": "north"}');
    await predictRun({ ...ask, overwrite: true });
    await predictRun(ask);
    const { photos, made_from: from } = JSON.parse(readFileSync(paddock, 'utf8'));
    expect(from).toMatchObject({ predictions: 'all.csv', read_with: { 'photo alone': photos } });
    const other = { ...ask, out: join(root, 'all.geojson') };
    await expect(predictRun(other)).rejects.toThrow(
      `${paddock} is there and has the mean of all.csv, not of all.geojson`,
    );
    await predictRun({ ...other, overwrite: true });
    expect(JSON.parse(readFileSync(paddock, 'utf8')).made_from.predictions).toBe('all.geojson');
  });

  it('is a photo in the folder that crops are to be shown in', async () => {
    const before = readFileSync(photo);
    const ask = { run, source: [photo], crop: 'auto', shownCrops: join(root, 'paddock') } as const;
    await expect(predictRun(ask)).rejects.toThrow(`--show-crop ${photo} is there and was not written`);
    expect(readFileSync(photo).equals(before)).toBe(true);
    const shown = { ...ask, shownCrops: join(root, 'crops') };
    await predictRun(shown);
    await predictRun(shown);
    expect(existsSync(join(root, 'crops', 'gate.jpg'))).toBe(true);
    copyFileSync(photo, join(root, 'crops', 'gate.jpg'));
    await expect(predictRun(shown)).rejects.toThrow('--show-crop');
    await predictRun({ ...shown, overwrite: true });
    await predictRun(shown);
  });

  it('is told from what sward writes by its first bytes, and nothing is lost of an empty one', async () => {
    const kinds = ['predictions', 'paddock', 'folds', 'features', 'report', 'patches', 'crop'] as const;
    for (const kind of kinds) {
      for (const text of [
        CUTS,
        '[1, 2]\n',
        '{"type": "FeatureCollection", "features": []}',
        '<html>',
        'ID1\nID2\n',
      ]) {
        const path = mine('any', text);
        await expect(requireOwnOutput('--out', path, kind)).rejects.toThrow(notOurs('--out', path).message);
      }
      await expect(requireOwnOutput('--out', mine('empty', ''), kind)).resolves.toBeUndefined();
      await expect(requireOwnOutput('--out', join(root, 'none'), kind)).resolves.toBeUndefined();
    }
    const labelled = mine('long.csv', 'sample_id,target,Paddock\nA__GDM_g,1,north\n');
    await expect(requireOwnOutput('--out', labelled, 'predictions')).rejects.toThrow(UsageError);
  });
});
