import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { readPredictions } from '../../../src/data/predictions.ts';
import { UsageError } from '../../../src/ground/errors.ts';
import { byMass } from '../../../src/pasture/targets.ts';
import type { PhotoPrediction } from '../../../src/runs/prediction.ts';
import {
  PredictionFile,
  requireFree,
  requirePredictionFormat,
} from '../../../src/workflows/predict/prediction-files.ts';
import type { PredictionFileOptions } from '../../../src/workflows/predict/prediction-record.ts';
import { masses } from '../../report/run-results.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder('prediction-files');
const plain: PhotoPrediction = {
  imageId: 'ID1',
  path: null,
  targets: masses(30, 10, 5),
  folds: [masses(29, 10, 5), masses(31, 10, 5)],
  dropoutSpread: null,
  intervals: null,
  outOfDomain: null,
  trainedOn: null,
};
const full: PhotoPrediction = {
  ...plain,
  intervals: byMass(() => ({ low: 1, high: 60 })),
  dropoutSpread: byMass(() => 0.5),
  outOfDomain: 0.25,
};

async function written(
  name: string,
  photo: PhotoPrediction,
  options: Partial<PredictionFileOptions> = {},
): Promise<string> {
  const path = join(folder, name);
  const file = await PredictionFile.begin(path, { areaSquareMetres: 0.21, ...options });
  await file.add([photo]);
  await file.finish();
  return readFileSync(path, 'utf8');
}

describe('a file of predictions', () => {
  it('has the two columns of the contract and no more', async () => {
    const lines = (await written('plain.csv', plain)).trim().split('\n');
    expect(lines[0]).toBe('sample_id,target');
    expect(lines[1]).toBe('ID1__Dry_Clover_g,5');
    expect(lines).toHaveLength(6);
  });

  it('has the columns that were asked for after them, and is read as before', async () => {
    const text = await written('no-room.csv', full, {
      coverage: 0.9,
      uncertainty: true,
      dropout: true,
    });
    const [head, first] = text.split('\n');
    expect(head).toBe('sample_id,target,low,high,fold_spread,out_of_domain,dropout_spread,trained_on');
    expect(first).toBe('ID1__Dry_Clover_g,5,1,60,0,0.25,0.5,');
    expect(await readPredictions(join(folder, 'no-room.csv'))).toEqual([
      { imageId: 'ID1', targets: full.targets },
    ]);
    expect(await written('spread.csv', plain, { uncertainty: true })).toMatch(
      /ID1__Dry_Green_g,30,1\.414\d+,,\n/,
    );
  });

  it('tells the same in JSON and GeoJSON', async () => {
    const [record] = JSON.parse(await written('full.json', full, { coverage: 0.9, uncertainty: true }));
    expect(record).toMatchObject({
      coverage: 0.9,
      low: { Dry_Total_g: 1 },
      high: { Dry_Total_g: 60 },
      fold_spread: { Dry_Total_g: Math.SQRT2 },
      dropout_spread: { Dry_Total_g: 0.5 },
      out_of_domain: 0.25,
    });
    const [bare] = JSON.parse(await written('plain.json', plain));
    expect(Object.keys(bare)).toEqual(['image_id', 'grams', 'kg_dm_per_ha']);
    const { features } = JSON.parse(
      await written('full.geojson', full, { coverage: 0.9, uncertainty: true }),
    );
    expect(features).toEqual([{ type: 'Feature', geometry: null, properties: record }]);
  });

  it('calls a photo as it was given, and never by an absolute path', async () => {
    const path = join(folder, 'IMG_1.jpg');
    writeFileSync(
      path,
      await sharp({ create: { width: 4, height: 4, channels: 3, background: '#448844' } })
        .jpeg()
        .toBuffer(),
    );
    for (const [shownPaths, shown] of [
      [new Map([[path, 'paddock/IMG_1.jpg']]), 'paddock/IMG_1.jpg'],
      [new Map(), 'IMG_1.jpg'],
    ] as const) {
      const options = { shownPaths };
      const [record] = JSON.parse(await written('shown.json', { ...full, path }, options));
      expect(record.photo).toBe(shown);
      const text = await written('shown.geojson', { ...full, path }, options);
      expect(JSON.parse(text).features[0].properties.photo).toBe(shown);
      expect(text).not.toContain(folder);
    }
  });

  it('is the same written bit by bit, and is not there before it is finished', async () => {
    for (const [ending, wrapped] of [
      ['json', (list: unknown) => list],
      ['geojson', (list: unknown) => ({ type: 'FeatureCollection', features: list })],
      ['csv', null],
    ] as const) {
      const path = join(folder, `bits.${ending}`);
      const file = await PredictionFile.begin(path, { areaSquareMetres: 0.21, coverage: 0.9 });
      await file.add([plain, { ...full, imageId: 'ID2' }]);
      await file.add([]);
      await file.add([{ ...full, imageId: 'ID3' }]);
      expect(existsSync(path)).toBe(false);
      await file.finish();
      const text = readFileSync(path, 'utf8');
      if (wrapped === null) {
        expect(text.trim().split('\n')).toHaveLength(1 + 3 * 5);
        continue;
      }
      const value = JSON.parse(text);
      expect(value).toEqual(wrapped(Array.isArray(value) ? value : value.features));
      expect(text).toBe(`${JSON.stringify(value, null, 2)}\n`);
      expect(text.match(/"image_id": "ID\d"/g)).toHaveLength(3);
    }
    const none = await PredictionFile.begin(join(folder, 'none.json'), { areaSquareMetres: 0.21 });
    await none.finish();
    expect(readFileSync(join(folder, 'none.json'), 'utf8')).toBe('[]\n');
    const given = await PredictionFile.begin(join(folder, 'given-up.csv'), { areaSquareMetres: 0.21 });
    await given.add([plain]);
    await given.abandon();
    expect(readdirSync(folder).filter((name) => /given-up|\.part$/.test(name))).toEqual([]);
  });

  it('leaves nothing on a disk that is full from the beginning on', async () => {
    const handle = await open(join(folder, 'any'), 'w');
    const kind = Object.getPrototypeOf(handle) as { writeFile: () => Promise<void> };
    await handle.close();
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const write = vi.spyOn(kind, 'writeFile').mockRejectedValue(full);
    try {
      const begun = PredictionFile.begin(join(folder, 'no-space.csv'), { areaSquareMetres: 0.21 });
      await expect(begun).rejects.toThrow(
        /no-space\.csv: cannot be written: the disk is full; make room and go on/,
      );
    } finally {
      write.mockRestore();
    }
    expect(readdirSync(folder).filter((name) => name.includes('no-space'))).toEqual([]);
  });

  it('does not take the place of a table of data, or of a file of a run', async () => {
    const data = join(folder, 'data');
    mkdirSync(data);
    await expect(requireFree(join(data, 'train.csv'))).resolves.toBeUndefined();
    writeFileSync(join(data, 'train.csv'), 'labels');
    await expect(requireFree(join(data, 'train.csv'))).rejects.toThrow(/is a table of a data folder/);
    writeFileSync(join(data, 'run.json'), '{}');
    await expect(requireFree(join(data, 'oof.csv'))).rejects.toThrow(/is a file of a run/);
    await expect(requireFree(join(data, 'submission.csv'))).resolves.toBeUndefined();
  });

  it('has one of three endings', () => {
    expect(() => requirePredictionFormat('p.CSV')).not.toThrow();
    expect(() => requirePredictionFormat('p.xlsx')).toThrow(UsageError);
  });
});
