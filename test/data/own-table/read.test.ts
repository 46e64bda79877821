import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readColumnMapping } from '../../../src/data/own-table/mapping.ts';
import { inspectOwnTable, type OwnTable } from '../../../src/data/own-table/read.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { workbookBytes } from '../../support/workbook.ts';

const root = temporaryFolder('own-table');
let made = 0;

/** A folder with files of these names, whose content nobody looks at here. */
function photosNamed(...names: string[]): string {
  const folder = join(root, `photos-${made++}`);
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), name);
  }
  return folder;
}

const isPhoto = (name: string): boolean => /\.jpe?g$/i.test(name);

async function read(
  content: string | Uint8Array,
  photos: string,
  options: Partial<OwnTable> = {},
  ending = 'csv',
) {
  const table = join(root, `table-${made++}.${ending}`);
  writeFileSync(table, content);
  const inspected = await inspectOwnTable({ table, photos, ...options }, isPhoto);
  return {
    ...inspected,
    said: inspected.problems.map(
      ({ severity, code, where, what }) => `${severity} ${code} ${where}: ${what}`,
    ),
  };
}

const two = photosNamed('IMG_1.JPG', 'IMG_2.jpg');

describe('a table of one’s own', () => {
  it('says of paddocks that those of one date are one visit, and takes them for places where there are no dates', async () => {
    const dated = await read('photo,date,paddock,total_g\nIMG_1,2015-05-18,A,5\nIMG_2,2015-05-18,B,6\n', two);
    expect(dated.photos.map(({ site }) => site)).toEqual([null, null]);
    expect(dated.reading.columns[2]).toMatchObject({
      role: 'paddock',
      note: 'those of one date are one visit',
    });
    const undated = await read('photo,paddock,total_g\nIMG_1,A,5\nIMG_2,B,6\n', two);
    expect(undated.photos.map(({ site }) => site)).toEqual(['A', 'B']);
    expect(undated.reading.columns[1]).toMatchObject({ role: 'paddock', note: null });
  });

  it('is read from semicolons, decimal commas, Windows-1252 and titles, as from a workbook', async () => {
    const csv = Buffer.from(
      'Schnitte f\xfcr S\xfcd;;;;\r\n;;;;\r\nPhoto;Sampled;green_g;dead_g;clover_g;\r\nimg_1;18.5.2015;10,5;2,5;0;\r\nIMG_2.JPG;9.4.2015;20;-;1,25;\r\n;;;;;\r\n',
      'latin1',
    );
    const book = workbookBytes({
      Cuts: [
        ['Pasture cuts'],
        [],
        ['Photo', 'Sampled', 'green_g', 'dead_g', 'clover_g', 'sum'],
        ['img_1', { day: 42142 }, 10.5, 2.5, 0],
        ['IMG_2.JPG', { day: 42103 }, 20, null, 1.25],
      ],
    });
    for (const { photos, problems, reading } of [await read(csv, two), await read(book, two, {}, 'xlsx')]) {
      expect(problems).toEqual([]);
      expect(reading.headerRow).toBe(3);
      expect(photos).toMatchObject([
        {
          imageId: 'IMG_1',
          imagePath: 'IMG_1.JPG',
          date: '2015-05-18',
          targets: { green: 10.5, gdm: 10.5, total: 13 },
        },
        { imageId: 'IMG_2', date: '2015-04-09', targets: { clover: 1.25, gdm: 21.25, dead: Number.NaN } },
      ]);
    }
  });

  it('is the same in kg/ha, t/ha and g/m² as in grams, with the area of the frame', async () => {
    const grams = await read('photo,total_g\nIMG_1,25\n', two, { areaSquareMetres: 0.25 });
    for (const table of [
      'photo,Total DM (kg/ha)\nIMG_1,"1,000"\n',
      'photo,Total [t DM/ha]\nIMG_1,1\n',
      'photo,total g/m2\nIMG_1,100\n',
    ]) {
      const { photos, problems } = await read(table, two, { areaSquareMetres: 0.25 });
      expect(problems).toEqual([]);
      expect(photos[0]?.targets.total).toBeCloseTo(grams.photos[0]?.targets.total ?? 0, 9);
    }
  });

  it('has thousands between tabs and semicolons where the numbers say so, and asks where they do not', async () => {
    const rows = (sign: string) => `IMG_1\t1${sign}054\nIMG_2\t470\n`;
    for (const [sign, other] of [
      [',', 'comma'],
      ['.', 'point'],
    ] as const) {
      const { photos, said, reading } = await read(`photo\tgreen (kg/ha)\n${rows(sign)}`, two);
      expect(photos[0]?.targets.green).toBeCloseTo(1054 * 0.021, 9);
      expect(reading.columns[1]?.note).toBe(`${other}s between thousands`);
      expect(said).toEqual([expect.stringMatching(/warning decimal-sign .* row 2: "1.054" is read as 1054/)]);
    }
    const open = 'photo;total\nIMG_1;1,054\nIMG_2;2,952\n';
    expect((await read(open, two)).said).toEqual([
      expect.stringMatching(/error decimal-sign .* row 2: nothing shows whether "1,054" is 1\.054 or 1054/),
    ]);
    const { photos, said } = await read(open, two, { decimal: 'comma' });
    expect(said).toEqual([]);
    expect(photos[0]?.targets.total).toBe(1.054);
  });

  it('has the decimals that a workbook has', async () => {
    const book = workbookBytes({
      Cuts: [
        ['photo', 'total (kg/ha)'],
        ['IMG_1', 1.054],
        ['IMG_2', 470],
      ],
    });
    const { photos, said } = await read(book, two, {}, 'xlsx');
    expect(said).toEqual([]);
    expect(photos[0]?.targets.total).toBeCloseTo(1.054 * 0.021, 9);
  });

  it('is told of masses that no pasture has, and of dates that no photo has, with their row', async () => {
    const photos = photosNamed(...Array.from({ length: 9 }, (_, photo) => `IMG_${photo}.jpg`));
    const table = (green: (photo: number) => string, date = '2015-09-04'): string =>
      `photo,date,green_g\n${Array.from({ length: 9 }, (_, photo) => `IMG_${photo},${date},${green(photo)}\n`).join('')}`;
    const outlier = await read(
      table((photo) => (photo === 4 ? '1384.38' : '20')),
      photos,
    );
    expect(outlier.said).toEqual([
      expect.stringMatching(/^warning outlier .* row 6: green of IMG_4 is 65\.9 t DM\/ha/),
    ]);
    // Of grams on a larger frame, tall crops, and where it is not many times the others it may be.
    expect(
      (
        await read(
          table(() => '250'),
          photos,
        )
      ).said,
    ).toEqual([]);
    expect(
      (
        await read(
          table((photo) => (photo === 4 ? '230' : '10')),
          photos,
        )
      ).said,
    ).toHaveLength(1);
    expect(
      (
        await read(
          table(() => '400'),
          photos,
          { areaSquareMetres: 1 },
        )
      ).said,
    ).toEqual([]);
    for (const date of ['2105-10-13', '1015-10-13'])
      expect(
        (
          await read(
            table(() => '20', date),
            photos,
          )
        ).said,
      ).toEqual([
        expect.stringMatching(
          `^warning odd-date .* row 2: IMG_0 is of ${date}, .* \\(and 8 more: rows 3, 4, 5 …\\)$`,
        ),
      ]);
  });

  it('says which names of places may be one, and that sites of one date are visits of their own', async () => {
    const header = 'photo,date,site,total_g\n';
    const { said, reading } = await read(
      `${header}IMG_1,2015-05-18,Hill Paddock,5\nIMG_2,2015-05-18,Hill Paddok,6\n`,
      two,
    );
    expect(said).toEqual([
      expect.stringMatching(/warning near-spelling .*site "Hill Paddock" \(1 photo\) and "Hill Paddok"/),
    ]);
    expect(reading.columns[2]?.note).toBe('those of one date are visits of their own');
  });

  it('asks whether weights beside a share of dry matter or a bag are dry', async () => {
    const header = 'photo,Total weight (g),bag (g),Dry matter %';
    const open = await read(`${header}\nIMG_1,120,8,22\n`, two);
    expect(open.said).toEqual([
      expect.stringMatching(/^error unclear-column .* row 1: "Total weight \(g\)" may be of fresh plants/),
    ]);
    expect(open.problems[0]?.remedy).toContain('--columns total="Total weight (g)"');
    const columns = await readColumnMapping('total=Total weight (g)');
    expect((await read(`${header}\nIMG_1,120,8,22\n`, two, { columns })).said).toEqual([]);
    for (const fine of [
      'photo,Dry weight (g),bag (g),Dry matter %\nIMG_1,12,8,22\n',
      'photo,DM (g),dead (g),DM %\nIMG_1,12,8,22\n',
      'photo,Total (kg/ha),DM %\nIMG_1,1200,22\n',
      'photo,Component,Weight (g),DM %\nIMG_1,Green DM,12,22\nIMG_1,Dead DM,12,22\n',
    ])
      expect((await read(fine, two)).said).toEqual([]);
  });

  it('says which mass or height is left out for its unit, unless another column has it', async () => {
    const { said, photos } = await read('photo,green (g/0.25 m2),dead (g)\nIMG_1,5,6\n', two);
    expect(said).toEqual([
      expect.stringMatching(
        /^warning unclear-column .* row 1: "green \(g\/0\.25 m2\)" is left out: it says green/,
      ),
    ]);
    expect(photos).toHaveLength(1);
    expect((await read('photo,green (lb/ac),green (g)\nIMG_1,5,6\n', two)).said).toEqual([]);
    const columns = await readColumnMapping('green=');
    expect((await read('photo,green (lb/ac),dead (g)\nIMG_1,5,6\n', two, { columns })).said).toEqual([]);
  });

  it('may have a row a photo and mass', async () => {
    const { photos, problems, reading } = await read(
      'Image\tComponent\tDry weight (g)\nIMG_1\tGreen\t5\nIMG_1\tdead\t2\nIMG_1\tClover\t1\nIMG_2\tTotal DM\t9\n',
      two,
    );
    expect(problems).toEqual([]);
    expect(reading.form).toBe('long');
    expect(photos).toMatchObject([
      { imageId: 'IMG_1', targets: { green: 5, dead: 2, clover: 1, gdm: 6, total: 8 } },
      { imageId: 'IMG_2', targets: { total: 9, green: Number.NaN } },
    ]);
    const kaggle = 'sample_id,target\nIMG_1__Dry_Green_g,5\nIMG_1__Dry_Dead_g,2\nIMG_1__Dry_Clover_g,1\n';
    expect((await read(kaggle, two)).photos).toMatchObject([{ imageId: 'IMG_1', targets: { total: 8 } }]);
  });

  it('finds photos with or without folder and ending, in capitals or not, with either slash', async () => {
    const photos = photosNamed('day1/IMG_1.JPG', 'day2/IMG_1.JPG', 'DSC 2.jpeg', 'caf\u00e9.jpg', 'a,b.jpg');
    const names = ['day1\\IMG_1', 'DAY2/img_1.jpg', 'C:\\Users\\me\\dsc 2.jpg', 'cafe\u0301', '"a,b"'];
    const found = await read(`photo,total_g\n${names.map((name) => `${name},9`).join('\n')}\n`, photos);
    expect(found.said).toEqual([]);
    expect(found.photos.map(({ imagePath }) => imagePath)).toEqual([
      'day1/IMG_1.JPG',
      'day2/IMG_1.JPG',
      'DSC 2.jpeg',
      'caf\u00e9.jpg',
      'a,b.jpg',
    ]);
    expect(found.photos.map(({ imageId }) => imageId)).toEqual([
      'day1/IMG_1',
      'day2/IMG_1',
      'DSC 2',
      'caf\u00e9',
      'a,b',
    ]);
  });

  it('says that the photos lie elsewhere where the folder holds none', async () => {
    const { said, problems } = await read('photo,total_g\nIMG_1,1\n', photosNamed('notes/empty.txt'));
    expect(said).toEqual([
      expect.stringMatching(/row 2: there is no photo IMG_1 in the folder, which holds none at all$/),
    ]);
    expect(problems[0]?.remedy).toBe('name the folder of the photos with --photos');
  });

  it('does not guess between photos, take one of another folder, or leave the folder', async () => {
    const photos = photosNamed('day1/IMG_1.jpg', 'day2/IMG_1.jpg', 'day2/IMG_3.jpg');
    symlinkSync(join(two, 'IMG_1.JPG'), join(photos, 'link.jpg'));
    const { said } = await read(
      'photo,total_g\nIMG_1,1\nday1/IMG_3,1\nlink,1\n../photos-0/IMG_2,1\n',
      photos,
    );
    expect(said).toEqual([
      expect.stringMatching(/row 2: "IMG_1" may be day1\/IMG_1\.jpg, day2\/IMG_1\.jpg/),
      expect.stringMatching(/row 3: there is no photo day1\/IMG_3/),
      expect.stringMatching(/row 4: photo link\.jpg leads out of the folder/),
      expect.stringMatching(/row 5: there is no photo/),
    ]);
  });

  it("does not take a number for the camera's, which may count quadrats, but says which photo ends in it", async () => {
    const photos = photosNamed('IMG_0401.jpg', 'IMG_4011.jpg');
    const { said } = await read('photo,total_g\n401,1\n11,1\n', photos);
    expect(said).toEqual([
      expect.stringMatching(/row 2: there is no photo 401 in the folder, only IMG_0401\.jpg$/),
      expect.stringMatching(/row 3: there is no photo 11 in the folder$/),
    ]);
  });

  it('takes the columns a person names, with their unit, and none that is said not to be there', async () => {
    const table = 'File,A (kg),B,dead\nIMG_1,1000,7,3\n';
    const { photos, reading } = await read(table, two, {
      areaSquareMetres: 0.25,
      columns: await readColumnMapping('total:kg/ha=a (KG),dead='),
    });
    expect(photos[0]?.targets).toMatchObject({ total: 25, dead: Number.NaN });
    expect(reading.columns.map(({ role }) => role)).toEqual(['photo', 'total', null, null]);
  });

  it.each([
    ['File,A\nIMG_1,1\n', /wrong-header .*no column has a dry mass .*there are File, A/],
    ['Nr,total_g\nIMG_1,1\n', /wrong-header .*no column names the photos/],
    [
      'photo,Total (g),Total (kg/ha)\nIMG_1,1,2\n',
      /unclear-column .*"Total \(g\)" and "Total \(kg\/ha\)" may both be the total/,
    ],
    [
      'photo,Total\nIMG_1,1450\n',
      /unclear-column .*"Total" names no unit, and its numbers are too large for grams/,
    ],
    ['photo,total_g\nIMG_1,x\n', /not-a-number .* row 2: total_g "x"/],
    ['photo,total_g\nIMG_1,-1\n', /negative-mass .* row 2/],
    [
      'photo,total_g\nIMG_1,1\nimg_1.jpg,2\n',
      /duplicate-row .* row 3: gives photo img_1.jpg a second time, as row 2/,
    ],
    [
      'photo,total_g,green_g,dead_g,clover_g\nIMG_1,9,5,5,5\n',
      /broken-identity .* row 2: IMG_1: Dry_Total_g is/,
    ],
    ['photo,date,total_g\nIMG_1,9/4/2015,1\nIMG_2,1/2/2015,1\n', /date-notation .*nothing shows whether/],
    [
      'photo,date,total_g\nIMG_1,9/4/2015,1\nIMG_2,2015-02-01,1\n',
      /mixed-dates .*two|mixed-dates .*2 notations/,
    ],
  ])('names what is wrong in %j', async (table, message) => {
    const { said } = await read(table, two);
    expect(said).toEqual([expect.stringMatching(message)]);
  });

  it('leaves out rows that are no cuts, and says so', async () => {
    const { photos, said } = await read('photo,total_g\nIMG_1,5\n,3\nIMG_2,\nMean,4\n', two);
    expect(photos.map(({ imageId }) => imageId)).toEqual(['IMG_1']);
    expect(said).toEqual([
      expect.stringMatching(/^warning left-out .* row 3: is left out: it names no photo/),
      expect.stringMatching(/^warning left-out .* row 4: is left out: it has no mass of IMG_2/),
      expect.stringMatching(/^warning left-out .* row 5: .*"Mean" is a summary/),
    ]);
  });
});
