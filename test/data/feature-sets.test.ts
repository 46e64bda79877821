import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFeatureTables } from '../../src/data/feature-tables.ts';
import { writeNpyFloat32 } from '../../src/formats/npy/npy.ts';
import { featureSetsOf, joinFeatureSets, takeRows } from '../../src/ground/matrix.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder('feature-sets');
const two = { rows: 2, columns: 1, data: Float64Array.of(1, 2) };
const four = { rows: 2, columns: 2, data: Float64Array.of(3, 4, 5, 6) };

describe('feature sets side by side', () => {
  it('keep their columns and names', () => {
    const joined = joinFeatureSets([
      { name: 'a', matrix: two },
      { name: 'b', matrix: four },
    ]);
    expect([...joined.data]).toEqual([1, 3, 4, 2, 5, 6]);
    expect(featureSetsOf(joined)).toEqual([
      { name: 'a', columns: 1, start: 0 },
      { name: 'b', columns: 2, start: 1 },
    ]);
  });

  it('are still told apart when rows are taken', () => {
    const joined = joinFeatureSets([{ name: 'a', matrix: four }]);
    expect(takeRows(joined, [1])).toEqual({ ...joined, rows: 1, data: Float64Array.of(5, 6) });
  });

  it('of one name get numbers', () => {
    const joined = joinFeatureSets([two, four, two].map((matrix) => ({ name: 'same', matrix })));
    expect(joined.sets?.map((set) => set.name)).toEqual(['same', 'same-2', 'same-3']);
  });

  it('must be of the same photos', () => {
    const three = { rows: 3, columns: 1, data: new Float64Array(3) };
    const parts = [two, three].map((matrix, index) => ({ name: `${index}`, matrix }));
    expect(() => joinFeatureSets(parts)).toThrow(/1 has 3 rows, not 2/);
    expect(() => joinFeatureSets([])).toThrow(/no feature set/);
  });

  it('are read from files and called by their names', async () => {
    const path = (name: string): string => join(folder, name);
    await writeNpyFloat32(path('left.npy'), { ...two, data: Float32Array.of(1, 2) });
    await writeNpyFloat32(path('right.npy'), { ...four, data: Float32Array.of(3, 4, 5, 6) });
    writeFileSync(path('ids.txt'), 'x\ny\n');
    const { ids, matrix } = await readFeatureTables([path('left.npy'), path('right.npy')], path('ids.txt'));
    expect(ids).toEqual(['x', 'y']);
    expect(matrix.sets).toEqual([
      { name: 'left', columns: 1, file: path('left.npy') },
      { name: 'right', columns: 2, file: path('right.npy') },
    ]);
    writeFileSync(path('more.txt'), 'x\ny\nz\n');
    await expect(readFeatureTables([path('left.npy')], path('more.txt'))).rejects.toThrow(/names 3 photos/);
    await expect(readFeatureTables([], path('ids.txt'))).rejects.toThrow(/name a feature file/);
  });
});
