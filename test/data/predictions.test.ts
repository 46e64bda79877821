import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPredictions, writePredictions } from '../../src/data/predictions.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder('predictions');
const masses = [
  { imageId: 'ID2', targets: targetsFromComponents({ green: 10.5, dead: 1, clover: 0.1 }) },
  { imageId: 'ID1', targets: targetsFromComponents({ green: 0, dead: 0, clover: 0 }) },
];

describe('prediction files', () => {
  it('lists a photo in Kaggle order and reads back what was written, to the last digit', async () => {
    const path = join(folder, 'p.csv');
    await writePredictions(path, masses);
    expect(readFileSync(path, 'utf8').split('\n').slice(0, 6)).toEqual([
      'sample_id,target',
      'ID2__Dry_Clover_g,0.1',
      'ID2__Dry_Dead_g,1',
      'ID2__Dry_Green_g,10.5',
      'ID2__Dry_Total_g,11.6',
      'ID2__GDM_g,10.6',
    ]);
    expect(await readPredictions(path)).toEqual(masses);
  });

  it('answers just the rows that are asked for', async () => {
    const path = join(folder, 's.csv');
    await writePredictions(path, masses, [{ imageId: 'ID1', target: 'GDM_g' }]);
    expect(readFileSync(path, 'utf8')).toBe('sample_id,target\nID1__GDM_g,0\n');
  });

  it.each([
    ['ID1__GDM_g,x', /row 2: target "x" is not a number/],
    ['ID1__GDM_g,', /row 2: target "" is not a number/],
    ['ID1__Mud,1', /row 2: unknown target Mud/],
    ['ID1,1', /row 2: sample_id "ID1"/],
    ['ID1__GDM_g,1\nID1__GDM_g,1', /row 3: gives ID1__GDM_g a second time/],
    ['ID1__GDM_g,1', /row 2: ID1 lacks Dry_Green_g/],
  ])('refuses the row %j', async (row, message) => {
    const path = join(folder, 'bad.csv');
    writeFileSync(path, `sample_id,target\n${row}\n`);
    await expect(readPredictions(path)).rejects.toThrow(message);
  });
});
