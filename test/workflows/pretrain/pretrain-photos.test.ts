import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPretrainingPhotos } from '../../../src/workflows/pretrain/pretrain-photos.ts';
import { CLASSES, writeClassPhotos, writeNoise } from '../../networks/pretraining/plant-photos.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('pretrain-photos');
let made = 0;

function folder(): string {
  const path = join(root, `case-${made++}`);
  mkdirSync(path);
  return path;
}

/** A folder with two photos, one in a folder below, and a table of them. */
async function tableFolder(...lines: readonly string[]): Promise<string> {
  const path = folder();
  mkdirSync(join(path, 'june'));
  await writeNoise(join(path, 'a.png'), [90, 150, 60], 1);
  await writeNoise(join(path, 'june', 'b.png'), [90, 120, 60], 2);
  writeFileSync(join(path, 'masses.csv'), `${lines.join('\n')}\n`);
  return path;
}

describe('photos of classes', () => {
  it('are found in one sub-folder a class, sorted, hidden folders left alone', async () => {
    const path = folder();
    await writeClassPhotos(path, 2);
    mkdirSync(join(path, '.thumbnails'));
    writeFileSync(join(path, 'soil', 'notes.txt'), 'wet');
    const photos = await readPretrainingPhotos(path);
    if (photos.kind !== 'classes') throw new Error('these are classes');
    expect(photos.classes).toEqual(Object.keys(CLASSES));
    expect(photos.photos.map(({ name, classIndex }) => `${name} ${classIndex}`)).toEqual([
      ...['clover/0.png 0', 'clover/1.png 0', 'ryegrass/0.png 1', 'ryegrass/1.png 1'],
      ...['soil/0.png 2', 'soil/1.png 2'],
    ]);
  });
});

describe('photos with measurements', () => {
  it('are those of the table: numbers learnt, words and gaps left out', async () => {
    const path = await tableFolder(
      'photo,grass,clover,observer,group',
      'a.png,12.5,,Ana,visit 1',
      'june/b.png,7,NA,Ben,visit 2',
    );
    const photos = await readPretrainingPhotos(path);
    expect(photos).toMatchObject({
      kind: 'columns',
      columns: ['grass'],
      leftOut: { columns: ['clover', 'observer'], photos: 0 },
    });
    expect(photos.photos).toMatchObject([
      { name: 'a.png', values: [12.5], group: 'visit 1', path: join(path, 'a.png') },
      { name: 'june/b.png', values: [7], group: 'visit 2' },
    ]);
  });

  it('may be named by the table itself, and only the columns asked for are learnt', async () => {
    const path = await tableFolder('photo,grass,year', 'a.png,1,2020', 'june/b.png,,2021');
    const photos = await readPretrainingPhotos(join(path, 'masses.csv'), ['grass']);
    expect(photos).toMatchObject({ columns: ['grass'], leftOut: { columns: ['year'], photos: 1 } });
    expect(photos.photos).toHaveLength(1);
  });
});

describe('what cannot be used', () => {
  it('is an empty folder, or one whose photos nothing is said of', async () => {
    const path = folder();
    await expect(readPretrainingPhotos(path)).rejects.toThrow(
      /has neither sub-folders with photos nor a CSV; give one sub-folder a class, or a CSV/,
    );
    await writeNoise(join(path, 'a.png'), [1, 2, 3], 1);
    await expect(readPretrainingPhotos(path)).rejects.toThrow(/has photos, but nothing says what they show/);
    await expect(readPretrainingPhotos(join(path, 'a.png'))).rejects.toThrow(/neither a folder nor a CSV/);
    await expect(readPretrainingPhotos(join(path, 'gone'))).rejects.toThrow(/gone: does not exist/);
  });

  it('is one class, or a class without photos', async () => {
    const path = folder();
    mkdirSync(join(path, 'soil'));
    await expect(readPretrainingPhotos(path)).rejects.toThrow(/soil: this class has no photos/);
    await writeNoise(join(path, 'soil', 'a.png'), [1, 2, 3], 1);
    await expect(readPretrainingPhotos(path)).rejects.toThrow(/photos of one class only \(soil\)/);
    await expect(readPretrainingPhotos(path, ['grass'])).rejects.toThrow(/columns=grass are of a CSV/);
  });

  it.each([
    [['photo,grass', '../secret.png,1'], /masses\.csv row 2: photo "\.\.\/secret\.png" leaves/],
    [['photo,grass', 'c.png,1'], /row 2: photo c\.png is not there/],
    [['photo,grass', 'a.png,1', 'june/b.png,many'], /row 3: grass "many" is not a number/],
    [['photo,grass', 'a.png,1', './a.png,2'], /row 3: gives \.\/a\.png a second time, as row 2/],
    [['photo,grass,group', 'a.png,1,'], /row 2: group is empty/],
    [['photo,observer', 'a.png,Ana'], /has no column of numbers/],
    [['photo,grass'], /has a header but no row/],
    [['path,grass', 'a.png,1'], /row 1: the header lacks photo/],
  ])('is a table like %j', async (lines, message) => {
    const path = await tableFolder(...lines);
    await expect(readPretrainingPhotos(path)).rejects.toThrow(message);
  });

  it('is a folder of two tables, and a column that is not there or has no numbers', async () => {
    const path = await tableFolder('photo,grass,observer', 'a.png,1,Ana');
    await expect(readPretrainingPhotos(path, ['clover'])).rejects.toThrow(/lacks clover/);
    await expect(readPretrainingPhotos(path, ['observer', 'grass'])).rejects.toThrow(
      /the column observer has no numbers/,
    );
    writeFileSync(join(path, 'other.csv'), 'photo,grass\n');
    await expect(readPretrainingPhotos(path)).rejects.toThrow(/several tables \(masses\.csv, other\.csv\)/);
  });
});
