import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readHeightPairs } from '../../../src/data/covariates/height-pairs.ts';
import { readCovariates } from '../../../src/data/covariates/read.ts';
import { PhotoIndex } from '../../../src/data/own-table/photo-index.ts';
import { inspectOwnTable } from '../../../src/data/own-table/read.ts';
import { recognisedHeader } from '../../../src/data/own-table/roles.ts';
import { InputError } from '../../../src/ground/errors.ts';
import { convertedHeight } from '../../../src/pasture/height-conversion.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('covariate-tables');

function table(name: string, ...lines: string[]): string {
  const path = join(root, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const PHOTOS = ['/farm/a/IMG_0001.jpg', '/farm/a/IMG_0002.jpg', '/farm/b/0412.jpg'];

describe('a header of heights', () => {
  it.each([
    ['Height_Ave_cm', 'cm', 'falling-plate'],
    ['Height (ruler, cm)', 'cm', 'ruler'],
    ['Ruler height mm', 'mm', 'ruler'],
    ['Rising plate (clicks)', 'clicks', 'rising-plate'],
    ['RPM', null, 'rising-plate'],
    ['Clicks', 'clicks', 'rising-plate'],
    ['Plate meter height (cm)', 'cm', 'rising-plate'],
    ['Falling plate cm', 'cm', 'falling-plate'],
    ['Pasture height (cm)', 'cm', null],
  ])('%s says unit and method as far as it does', (header, unit, method) => {
    expect(recognisedHeader(header)).toMatchObject({ role: 'height', unit, method });
  });

  it('is no mass and no other column', () => {
    expect(recognisedHeader('Dry weight (g)')?.role).toBe('total');
    expect(recognisedHeader('Temperature (C)')).toBeNull();
  });
});

describe('a table of covariates', () => {
  it('warns of heights that no sward has and of those below the ground, as a table of masses does', async () => {
    const path = table(
      'tall.csv',
      'photo,Height (cm),total (g)',
      'IMG_0001,620,40',
      'IMG_0002,-4,30',
      '0412,410,20',
    );
    const { photos, problems } = await readCovariates(path, ['height'], PHOTOS);
    expect(photos[1]?.has('height')).toBe(false);
    const named = PhotoIndex.of('/farm', PHOTOS, 'of the farm');
    const own = await inspectOwnTable({ table: path, photos: '/farm' }, () => true, named);
    const heights = own.problems.filter(({ what }) => what.includes('Height'));
    expect(heights.map(({ what }) => what)).toEqual(problems.map(({ what }) => what));
    expect(heights).toMatchObject(
      [
        { severity: 'warning', code: 'not-a-number', where: 'tall.csv row 3', what: /"-4" is no height/ },
        {
          severity: 'warning',
          code: 'outlier',
          where: 'tall.csv row 2',
          what: /620 cm.*row 4/,
          remedy: /is it mm/,
        },
      ].map((one) => ({
        ...one,
        what: expect.stringMatching(one.what),
        ...(one.remedy && { remedy: expect.stringMatching(one.remedy) }),
      })),
    );
    expect(own.photos.map(({ heightCentimetres }) => heightCentimetres)).toEqual([620, null, 410]);
  });

  it('has millimetres with thousands and centimetres with three decimals, as heights are', async () => {
    const names = ['height'];
    const mm = table('mm.tsv', 'photo\tHeight (mm)', 'IMG_0001\t1,054', 'IMG_0002\t1,200');
    const tall = await readCovariates(mm, names, PHOTOS);
    expect(tall.photos[0]?.get('height')?.[0]?.value).toBeCloseTo(105.4, 9);
    expect(tall.problems).toMatchObject([{ severity: 'warning', code: 'decimal-sign' }]);
    const cm = table('cm.tsv', 'photo\tHeight (cm)', 'IMG_0001\t6,500', 'IMG_0002\t8,250');
    const short = await readCovariates(cm, names, PHOTOS);
    expect(short.photos[0]?.get('height')?.[0]?.value).toBeCloseTo(6.5, 9);
    const soil = table('soil.tsv', 'photo\tsoil', 'IMG_0001\t1,500', 'IMG_0002\t2,250');
    await expect(readCovariates(soil, ['soil'], PHOTOS)).rejects.toThrow(/nothing shows whether "1,500"/);
  });

  it('names photos by file or sample id, and counts clicks as half centimetres', async () => {
    const path = table('clicks.csv', 'photo,Rising plate (clicks),NDVI', 'IMG_0001.jpg,24,0.61', '412,31,NA');
    const { photos, names } = await readCovariates(path, ['height', 'ndvi'], PHOTOS);
    expect(names).toEqual(['height', 'ndvi']);
    expect(photos[0]?.get('height')).toEqual([{ value: 12, method: 'rising-plate' }]);
    expect(photos[0]?.get('ndvi')).toEqual([{ value: 0.61, method: null }]);
    expect(photos[1]).toBeNull();
    expect(photos[2]?.get('height')).toEqual([{ value: 15.5, method: 'rising-plate' }]);
    expect(photos[2]?.has('ndvi')).toBe(false);
  });

  it('may be of the competition, with five rows a photo', async () => {
    const path = table(
      'train-like.csv',
      'sample_id,image_path,Pre_GSHH_NDVI,Height_Ave_cm,target_name,target',
      'IMG_0002__Dry_Green_g,train/IMG_0002.jpg,0.5,7.5,Dry_Green_g,3',
      'IMG_0002__Dry_Total_g,train/IMG_0002.jpg,0.5,7.5,Dry_Total_g,9',
    );
    const { photos } = await readCovariates(path, ['height'], PHOTOS);
    expect(photos[1]?.get('height')).toEqual([{ value: 7.5, method: 'falling-plate' }]);
    const ids = await readCovariates(path, ['height'], ['IMG_0002']);
    expect(ids.photos[0]?.get('height')?.[0]?.value).toBe(7.5);
  });

  it('may have heights by several methods, in columns of their own or row by row', async () => {
    const columns = table(
      'methods.csv',
      'photo;Height (ruler, cm);Falling plate (cm);Soil moisture',
      'IMG_0001;12,5;8,5;0,31',
    );
    const first = (await readCovariates(columns, ['height', 'soil moisture'], PHOTOS)).photos[0];
    expect(first?.get('height')).toEqual([
      { value: 12.5, method: 'ruler' },
      { value: 8.5, method: 'falling-plate' },
    ]);
    expect(first?.get('soil moisture')).toEqual([{ value: 0.31, method: null }]);
    const rows = table(
      'by-row.csv',
      'photo,height,method',
      'IMG_0001.jpg,12,ruler',
      'IMG_0002.jpg,8,plate meter',
      '0412.jpg,9,',
    );
    const byRow = (await readCovariates(rows, ['height'], PHOTOS, { method: 'falling-plate' })).photos;
    expect(byRow.map((photo) => photo?.get('height')?.[0]?.method)).toEqual([
      'ruler',
      'rising-plate',
      'falling-plate',
    ]);
  });

  it('with two heights measured alike is refused, unless one column is the main one', async () => {
    const torn = table('torn.csv', 'photo,height,sward height', 'IMG_0001.jpg,12,13');
    await expect(readCovariates(torn, ['height'], PHOTOS)).rejects.toThrow(
      /torn\.csv row 1: "height" and "sward height" may each be the height; keep one, or name each by how/,
    );
    const columns = { height: { column: 'sward height' } };
    const { photos } = await readCovariates(torn, ['height'], PHOTOS, { columns });
    expect(photos[0]?.get('height')).toEqual([{ value: 13, method: null }]);
  });

  it('with a cell that is no number says which, and takes it for unmeasured', async () => {
    const path = table('words.csv', 'photo,height', 'IMG_0001.jpg,tall', 'IMG_0002.jpg,-3', '0412.jpg,9');
    const { photos, problems } = await readCovariates(path, ['height'], PHOTOS);
    expect(photos.map((photo) => photo?.get('height')?.[0]?.value)).toEqual([undefined, undefined, 9]);
    expect(problems.map(({ where }) => where)).toEqual([`${path} row 2`, `${path} row 3`]);
  });

  it('that contradicts itself, or names no photos, is refused', async () => {
    const twice = table('twice.csv', 'photo,height', 'IMG_0001.jpg,12', 'IMG_0001.jpg,13');
    await expect(readCovariates(twice, ['height'], PHOTOS)).rejects.toThrow(/row 3.*other than row 2/);
    const none = table('none.csv', 'height,colour', '12,green', '13,brown');
    await expect(readCovariates(none, ['height'], PHOTOS)).rejects.toThrow(InputError);
  });
});

describe('a conversion of heights', () => {
  const pairs = (count: number): string[] =>
    Array.from(
      { length: count },
      (_, at) => `${5 + 3 * at},${2 + 0.6 * (5 + 3 * at) + (at % 2 ? 0.3 : -0.3)}`,
    );

  it('is the line through places measured both ways, with its error, and goes no farther than they do', async () => {
    const path = table('pairs.csv', 'Ruler (cm),Falling plate (cm)', ...pairs(10));
    const conversion = await readHeightPairs(path, 'ruler', 'falling-plate');
    expect(conversion).toMatchObject({ from: 'ruler', to: 'falling-plate', pairs: 10, low: 5, high: 32 });
    expect(conversion.slope).toBeCloseTo(0.6, 1);
    expect(conversion.error).toBeGreaterThan(0.3);
    expect(conversion.error).toBeLessThan(0.45);
    expect(convertedHeight(conversion, 20)).toBeCloseTo(14, 0);
    expect(convertedHeight(conversion, 34)).not.toBeNull();
    expect(convertedHeight(conversion, 40)).toBeNull();
  });

  it('is refused of too few pairs, of heights that do not rise together, and without a column', async () => {
    const head = 'Ruler (cm),Falling plate (cm)';
    await expect(
      readHeightPairs(table('few.csv', head, ...pairs(5)), 'ruler', 'falling-plate'),
    ).rejects.toThrow(/too few pairs.*\(5 pairs\).*at least 8/);
    const falling = Array.from({ length: 9 }, (_, at) => `${5 + at},${30 - at}`);
    await expect(
      readHeightPairs(table('falling.csv', head, ...falling), 'ruler', 'falling-plate'),
    ).rejects.toThrow(/do not rise together/);
    await expect(
      readHeightPairs(table('lacking.csv', head, ...pairs(10)), 'rising-plate', 'falling-plate'),
    ).rejects.toThrow(/no column of heights by rising plate/);
  });
});
