import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../src/ground/environment.ts';
import type { SwardError } from '../../src/ground/errors.ts';
import { photoInputs } from '../../src/samples/photo-inputs.ts';
import { DESCRIPTOR_NAMES } from '../../src/vision/descriptors/index.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder('photo-inputs');
const width = DESCRIPTOR_NAMES.length;
let photos: string[] = [];

beforeAll(async () => {
  configure({ cacheFolder: join(folder, 'cache') });
  const ids = await writeSmallFolder(folder, { photos: 2 });
  photos = ids.map((id) => join(folder, 'train', `${id}.jpg`));
});

describe('several inputs of photos', () => {
  const several = {
    kind: 'several' as const,
    sets: [{ kind: 'descriptors' as const }, { kind: 'descriptors' as const }],
  };

  it('stand side by side under names of their own', async () => {
    const one = await photoInputs(photos, { kind: 'descriptors' });
    const both = await photoInputs(photos, several);
    expect(one.sets).toEqual([{ name: 'descriptors', columns: width, weights: null }]);
    expect(both.sets.map(({ name }) => name)).toEqual(['descriptors', 'descriptors-2']);
    const first = one.matrix.data.subarray(0, width);
    expect(both.matrix.data.subarray(0, width)).toEqual(first);
    expect(both.matrix.data.subarray(width, 2 * width)).toEqual(first);
  });

  it('leave out a photo that cannot be used, once', async () => {
    const broken = join(folder, 'broken.jpg');
    writeFileSync(broken, 'no photo');
    const told: SwardError[] = [];
    const [first = '', second = ''] = photos;
    const { matrix, unusable } = await photoInputs([first, broken, second], several, {
      onUnusable: (error) => told.push(error),
    });
    expect([...unusable]).toEqual([1]);
    expect(told).toHaveLength(1);
    expect(matrix.rows).toBe(2);
    expect(matrix.data.every(Number.isFinite)).toBe(true);
    await expect(photoInputs([broken], several)).rejects.toThrow(/broken.jpg/);
  });
});
