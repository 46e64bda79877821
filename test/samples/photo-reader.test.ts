import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../src/ground/environment.ts';
import { type SwardError, UsageError } from '../../src/ground/errors.ts';
import { SILENT } from '../../src/ground/progress.ts';
import { PhotoReader } from '../../src/samples/photo-reader.ts';
import { DESCRIPTOR_NAMES } from '../../src/vision/descriptors/index.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder('photo-reader');
const width = DESCRIPTOR_NAMES.length;
const cache = process.env.SWARD_CACHE;
let photos: string[] = [];

beforeAll(async () => {
  configure({ cacheFolder: join(folder, 'cache') });
  const ids = await writeSmallFolder(folder, { photos: 2 });
  photos = ids.map((id) => join(folder, 'train', `${id}.jpg`));
});

afterAll(() => {
  if (cache === undefined) delete process.env.SWARD_CACHE;
  else configure({ cacheFolder: cache });
});

describe('several inputs of photos', () => {
  const several = {
    kind: 'several' as const,
    sets: [{ kind: 'descriptors' as const }, { kind: 'descriptors' as const }],
  };

  it('stand side by side under names of their own', async () => {
    const one = new PhotoReader({ kind: 'descriptors' });
    const both = new PhotoReader(several);
    expect(await one.sets()).toEqual([{ name: 'descriptors', columns: width, weights: null }]);
    expect((await both.sets()).map(({ name }) => name)).toEqual(['descriptors', 'descriptors-2']);
    const { matrix } = await both.read(photos);
    expect(matrix.sets).toEqual((await both.sets()).map(({ name, columns }) => ({ name, columns })));
    const first = (await one.read(photos)).matrix.data.subarray(0, width);
    expect(matrix.data.subarray(0, width)).toEqual(first);
    expect(matrix.data.subarray(width, 2 * width)).toEqual(first);
  });

  it('leave out a photo that cannot be used, once', async () => {
    const broken = join(folder, 'broken.jpg');
    writeFileSync(broken, 'no photo');
    const told: SwardError[] = [];
    const [first = '', second = ''] = photos;
    const reader = new PhotoReader(several);
    const { matrix, unusable } = await reader.read([first, broken, second], {
      onUnusable: (error) => told.push(error),
    });
    expect([...unusable]).toEqual([1]);
    expect(told).toHaveLength(1);
    expect(matrix.rows).toBe(2);
    expect(matrix.data.every(Number.isFinite)).toBe(true);
    await expect(reader.read([broken])).rejects.toThrow(/broken.jpg/);
  });
});

describe('photos as a source of samples', () => {
  it('are read when their features are asked for, and once', async () => {
    const stages: string[] = [];
    const progress = { ...SILENT, stage: (title: string) => stages.push(title) };
    const source = new PhotoReader({ kind: 'descriptors' }).source(photos, { progress });
    expect(source.photos).toEqual(photos);
    expect(stages).toEqual([]);
    const matrix = await source.features(0);
    expect(matrix).toMatchObject({ rows: photos.length, columns: width });
    const read = stages.length;
    expect(read).toBeGreaterThan(0);
    expect(await source.features(0)).toBe(matrix);
    expect(stages).toHaveLength(read);
  });

  it('are no photos where a recipe reads feature files', () => {
    expect(() => new PhotoReader({ kind: 'features' })).toThrow(UsageError);
  });
});
