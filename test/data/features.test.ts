import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFeatureTable } from '../../src/data/feature-tables.ts';
import { writeNpyFloat32 } from '../../src/formats/npy/npy.ts';
import { takeRows } from '../../src/ground/matrix.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder('features');

async function table(ids: string): Promise<ReturnType<typeof readFeatureTable>> {
  const npy = join(folder, 'f.npy');
  const list = join(folder, 'ids.txt');
  await writeNpyFloat32(npy, { rows: 2, columns: 3, data: Float32Array.of(1, 2, 3, 4, 5, 6) });
  writeFileSync(list, ids);
  return readFeatureTable(npy, list);
}

describe('feature tables', () => {
  it.each(['a\nb\n', 'a\r\nb', '\ufeffa\nb\n\n'])('pairs rows with the ids of %j', async (ids) => {
    const { ids: read, matrix } = await table(ids);
    expect(read).toEqual(['a', 'b']);
    expect([...takeRows(matrix, [1]).data]).toEqual([4, 5, 6]);
  });

  it.each([
    ['a\n', /names 1 photo but .* has 2 rows/],
    ['a\nb\nc\n', /names 3 photos but .* has 2 rows/],
    ['a\na\n', /row 2: repeats a of row 1/],
    ['a\n\nb\n', /row 2: is empty/],
  ])('refuses the id list %j', async (ids, message) => {
    await expect(table(ids)).rejects.toThrow(message);
  });
});
