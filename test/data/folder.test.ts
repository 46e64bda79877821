import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectTraining, readTest, readTraining } from '../../src/data/folder.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('folder');
let made = 0;

async function folderWith(alter?: (lines: string[]) => string[]): Promise<string> {
  const folder = join(root, String(made++));
  await writeSmallFolder(folder, { photos: 3, ...(alter && { alter }) });
  return folder;
}

/** Replaces text in one line of train.csv; the header is line 1. */
function changed(line: number, from: string, to: string): (lines: string[]) => string[] {
  return (lines) => lines.map((text, index) => (index === line - 1 ? text.replace(from, to) : text));
}

describe('reading train.csv', () => {
  it('joins rows by id whatever their order, with dates in either spelling', async () => {
    const folder = await folderWith((lines) => [
      lines[0] ?? '',
      ...lines
        .slice(1)
        .reverse()
        .map((line) => line.replace(/2015\/(\d)\/4/, '$1/4/2015')),
    ]);
    const photos = await readTraining(folder);
    expect(photos.map((photo) => photo.imageId).sort()).toEqual(['ID1000', 'ID1001', 'ID1002']);
    expect(photos.find((photo) => photo.imageId === 'ID1001')).toMatchObject({
      date: '2015-02-04',
      state: 'Vic',
      imagePath: 'train/ID1001.jpg',
      targets: { dead: 4, clover: 1 },
    });
  });

  it('accepts sums that are off by less than half a gram', async () => {
    const folder = await folderWith((lines) =>
      lines.map((line) =>
        line.replace(
          /(ID1000__Dry_Total_g,.*,)([\d.]+)$/,
          (_, head, mass) => `${head}${Number(mass) - 0.309}`,
        ),
      ),
    );
    expect(await readTraining(folder)).toHaveLength(3);
  });

  it('completes masses that lack a row or a cell by those that are there', async () => {
    const whole = await readTraining(await folderWith((lines) => lines));
    const folder = await folderWith((lines) =>
      lines
        .filter((line) => !line.startsWith('ID1000__Dry_Dead_g') && !line.startsWith('ID1000__GDM_g'))
        .map((line) => (/^ID1001__(Dry_Dead|Dry_Clover|GDM)/.test(line) ? line.replace(/[^,]+$/, '') : line)),
    );
    const photos = await readTraining(folder);
    expect(photos[0]?.targets).toEqual(whole[0]?.targets);
    const { green, total } = whole[1]?.targets ?? {};
    expect(photos[1]?.targets).toEqual({
      green,
      dead: Number.NaN,
      clover: Number.NaN,
      gdm: Number.NaN,
      total,
    });
  });

  it('tells visits apart by paddock where all photos are of one day, and by day where they are not', async () => {
    const withPaddock = (one: boolean) => (lines: string[]) =>
      lines.map((line, at) => {
        const day = one ? line.replace(/2015\/\d\/4/, '2015/1/4') : line;
        const [id, ...rest] = day.split(',');
        return [id, at === 0 ? 'Paddock' : line.startsWith('ID1000') ? 'Hill' : 'River', ...rest].join(',');
      });
    const sites = async (one: boolean) =>
      (await readTraining(await folderWith(withPaddock(one)))).map(({ site }) => site);
    expect(await sites(true)).toEqual(['Hill', 'River', 'River']);
    expect(await sites(false)).toEqual([undefined, undefined, undefined]);
  });

  it('leaves out a photo of which nothing was measured, with a warning', async () => {
    const folder = await folderWith((lines) =>
      lines.map((line) => (line.startsWith('ID1001__') ? line.replace(/[^,]+$/, '') : line)),
    );
    const { photos, problems } = await inspectTraining(folder);
    expect(photos.map((photo) => photo.imageId)).toEqual(['ID1000', 'ID1002']);
    expect(problems).toMatchObject([
      { severity: 'warning', code: 'missing-target', where: 'train.csv row 7' },
    ]);
    expect(await readTraining(folder)).toHaveLength(2);
  });

  it.each<[string, (lines: string[]) => string[], string, RegExp]>([
    [
      'duplicate-row',
      (lines) => [...lines, lines[1] ?? ''],
      'train.csv row 17',
      /ID1000__Dry_Green_g a second time/,
    ],
    ['not-a-number', thirdLineSaysLots, 'train.csv row 3', /"lots" is not a number/],
    ['negative-mass', changed(3, ',3', ',-3'), 'train.csv row 3', /negative/],
    ['unknown-target', changed(3, 'Dry_Dead_g', 'Dry_Dust_g'), 'train.csv row 3', /target/],
    [
      'malformed-id',
      changed(3, 'ID1000__Dry_Dead_g', 'ID1000'),
      'train.csv row 3',
      /not <image id>__<target>/,
    ],
    [
      'bad-date',
      (lines) => lines.map((line) => line.replace('2015/1/4', 'spring')),
      'train.csv row 2',
      /"spring"/,
    ],
    [
      'contradicting-row',
      changed(3, 'Tas', 'WA'),
      'train.csv row 3',
      /State "WA" differs from "Tas" in row 2/,
    ],
    [
      'path-leaves-folder',
      (lines) => lines.map((line) => line.replace('train/ID1000.jpg', '../ID1000.jpg')),
      'train.csv row 2',
      /leaves the data folder/,
    ],
    [
      'path-leaves-folder',
      (lines) => lines.map((line) => line.replace('train/ID1000.jpg', '/etc/passwd')),
      'train.csv row 2',
      /leaves the data folder/,
    ],
    [
      'path-leaves-folder',
      (lines) => lines.map((line) => line.replace('train/ID1000.jpg', 'C:\\x.jpg')),
      'train.csv row 2',
      /leaves the data folder/,
    ],
    [
      'missing-photo',
      (lines) => lines.map((line) => line.replace('ID1000.jpg', 'ID9.jpg')),
      'train.csv row 2',
      /train\/ID9.jpg is not there/,
    ],
    [
      'broken-identity',
      (lines) => lines.map((line) => line.replace(/(ID1001__GDM_g.*,)[\d.]+$/, '$1999')),
      'train.csv row 7',
      /GDM_g is .* g away/,
    ],
  ])('lists a %s with its row', async (code, alter, where, what) => {
    const folder = await folderWith(alter);
    const { problems } = await inspectTraining(folder);
    expect(problems).toContainEqual(
      expect.objectContaining({ code, where, what: expect.stringMatching(what), severity: 'error' }),
    );
    await expect(readTraining(folder)).rejects.toThrow(where);
  });

  it('warns of decimal commas in a file that separates cells by commas, which may be a slip', async () => {
    await writeSmallFolder(join(root, 'commas'), {
      photos: 2,
      alter: (lines) => lines.map((line) => line.replace(',0.6,', ',"0,55",')),
    });
    const { photos, problems } = await inspectTraining(join(root, 'commas'));
    expect(photos.map(({ ndvi }) => ndvi)).toEqual([0.55, 0.55]);
    expect(problems).toMatchObject([
      {
        severity: 'warning',
        code: 'decimal-comma',
        where: 'train.csv row 2',
        what: 'Pre_GSHH_NDVI "0,55" is read with a decimal comma, as 0.55',
      },
    ]);
  });

  it('lists every problem, not only the first', async () => {
    const folder = await folderWith((lines) => changed(3, ',3', ',-3')(changed(8, ',4', ',lots')(lines)));
    const { problems, photos } = await inspectTraining(folder);
    expect(problems.map((problem) => problem.where)).toEqual(['train.csv row 3', 'train.csv row 8']);
    expect(photos.map((photo) => photo.imageId)).toEqual(['ID1002']);
    await expect(readTraining(folder)).rejects.toThrow(/1 more: run sward check/);
  });

  it('does not follow a link out of the folder', async () => {
    const folder = await folderWith();
    const outside = join(root, 'outside');
    mkdirSync(outside, { recursive: true });
    writeFileSync(join(outside, 'secret.jpg'), 'x');
    rmSync(join(folder, 'train/ID1000.jpg'));
    symlinkSync(join(outside, 'secret.jpg'), join(folder, 'train/ID1000.jpg'));
    const { problems } = await inspectTraining(folder);
    expect(problems.map((problem) => problem.code)).toEqual(['path-leaves-folder']);
  });

  it('says that a folder is not there', async () => {
    await expect(readTraining(join(root, 'nowhere'))).rejects.toThrow(/nowhere: does not exist/);
  });
});

function thirdLineSaysLots(lines: string[]): string[] {
  return lines.map((text, index) => (index === 2 ? text.replace(/[^,]+$/, 'lots') : text));
}

describe('reading test.csv', () => {
  it('keeps the rows in their order', async () => {
    const folder = await folderWith();
    const { photos, rows } = await readTest(folder);
    expect(photos.map((photo) => photo.imageId)).toEqual(['ID1']);
    expect(rows.map((row) => row.target)).toEqual([
      'Dry_Green_g',
      'Dry_Dead_g',
      'Dry_Clover_g',
      'GDM_g',
      'Dry_Total_g',
    ]);
  });

  it.each([
    ['ID1__Dry_Green_g,../x.jpg,Dry_Green_g', /row 2.*leaves the data folder/],
    ['ID1__Dry_Mud_g,test/ID1.jpg,Dry_Mud_g', /row 2.*unknown target/],
    ['ID2__GDM_g,test/ID2.jpg,GDM_g', /row 2.*not there/],
    ['', /row 1.*no row/],
  ])('refuses the row %j', async (row, message) => {
    const folder = await folderWith();
    writeFileSync(join(folder, 'test.csv'), `sample_id,image_path,target_name\n${row}\n`);
    await expect(readTest(folder)).rejects.toThrow(message);
  });
});
