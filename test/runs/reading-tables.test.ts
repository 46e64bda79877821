import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTables } from '../../src/runs/covariates.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('reading-tables');
const PHOTOS = ['/farm/IMG_0409.jpg', '/farm/IMG_0410.jpg'];

function table(...lines: string[]): { readonly path: string } {
  const path = join(root, 'heights.csv');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return { path };
}

describe('a table of heights of photos asked about', () => {
  it('none of whose cells can be read is refused by its first cell, not by the names of photos', async () => {
    await expect(readTables([table('photo,height', 'IMG_0409,65 mm')], ['height'], PHOTOS)).rejects.toThrow(
      /heights\.csv row 2: height "65 mm" is no height/,
    );
  });

  it('some of whose cells can be read is used, with a warning of the others', async () => {
    const { photos, remarks, isNamed } = await readTables(
      [table('photo,height', 'IMG_0409,65 mm', 'IMG_0410,6.5')],
      ['height'],
      PHOTOS,
    );
    expect(photos[1]?.get('height')).toEqual([{ value: 6.5, method: null }]);
    expect(remarks).toEqual([expect.stringMatching(/^warning: .*row 2: height "65 mm"/)]);
    expect(isNamed).toBe(true);
  });

  it('that names none of them says so', async () => {
    const { isNamed } = await readTables([table('photo,height', 'IMG_1,6.5')], ['height'], PHOTOS);
    expect(isNamed).toBe(false);
  });
});
