import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writePhoto, writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type WorkbookCell, workbookBytes } from '../support/workbook.ts';
import { iphonePhoto } from '../vision/photos/iphone-photo.ts';

const root = temporaryFolder('own-table-cli');
const sward = hostSward({ SWARD_CACHE: sharedCache() }, root);

const FRAME = 0.25;
/** 2015-01-01 as Excel numbers it. */
const NEW_YEAR = 42005;
const photos = join(root, 'photos');

describe('a spreadsheet of cuts', () => {
  beforeAll(async () => {
    mkdirSync(photos);
    const rows: WorkbookCell[][] = [
      ['Cuts of the north farm'],
      [],
      ['Photo', 'Date', 'Green (kg/ha)', 'Dead (kg/ha)', 'Clover (kg/ha)', 'By'],
    ];
    for (let photo = 0; photo < 12; photo++) {
      const green = 5 * (photo + 1);
      await writePhoto(join(photos, `IMG_${photo}.JPG`), green, photo);
      const day = { day: NEW_YEAR + 30 * (photo % 4) };
      rows.push([`img_${photo}`, day, (green * 10) / FRAME, 120, photo % 2 ? 40 : 0, 'me']);
    }
    writeFileSync(join(root, 'cuts.xlsx'), workbookBytes({ Cuts: rows }));
  });

  it('is checked, and what each column is taken for is told', async () => {
    const { code, stdout } = await sward('check', 'cuts.xlsx', '--photos', 'photos', '--area', String(FRAME));
    expect(code).toBe(0);
    expect(stdout).toMatch(/Excel, sheet Cuts; header in row 3, one row a photo\n/);
    expect(stdout).toMatch(/^Green \(kg\/ha\) +green +kg\/ha$/m);
    expect(stdout).toMatch(/^By +left out +not understood$/m);
    expect(stdout).toMatch(/^dates: year first; frame: 0.25 m²$/m);
    expect(stdout).toMatch(/cuts\.xlsx: 12 training and 0 test photos, 0 errors, 0 warnings/);
    expect(stdout).toMatch(/^4 visits, by date: photos of one are never split between folds$/m);
  });

  it('trains in one command, as many folds as there are visits, and its frame is that of every prediction', async () => {
    const trained = await sward(
      ...['train', 'cuts.xlsx', '--photos', 'photos', '--area', String(FRAME)],
      ...['--recipe', 'descriptor-ridge', '--out', 'run'],
    );
    expect(trained.code).toBe(0);
    expect(trained.stderr).toMatch(/note: 4 folds, one a visit/);
    expect(JSON.parse(readFileSync(join(root, 'run', 'run.json'), 'utf8')).data).toMatchObject({
      area_m2: FRAME,
      source: { kind: 'table', table: '../cuts.xlsx', photos: '../photos' },
    });
    expect(readFileSync(join(root, 'run', 'report.html'), 'utf8')).toContain('a frame of 0.25 m²');
    const predicted = JSON.parse((await sward('predict', 'run', 'photos/IMG_3.JPG', '--json')).stdout);
    const [{ grams, kg_dm_per_ha: perHectare }] = predicted.predictions;
    expect(perHectare.Dry_Total_g).toBeCloseTo((grams.Dry_Total_g * 10) / FRAME, 6);
    expect(JSON.parse((await sward('report', 'run', '--json')).stdout)).toBeTruthy();
    const scored = await sward('score', 'cuts.xlsx', 'run/oof.csv', '--photos', 'photos');
    expect(scored.stdout).toMatch(/weighted R² .* on 12 photos/);
    const trainedScore = /weighted R² ([-\d.]+) on 12/.exec(trained.stdout)?.[1];
    expect(/weighted R² ([-\d.]+) on 12/.exec(scored.stdout)?.[1]).toBe(trainedScore);
  });

  it('asks for what it cannot know, in one line that names the option', async () => {
    const table = join(root, 'open.csv');
    const lines = Array.from({ length: 6 }, (_, photo) => `IMG_${photo},${photo + 1}/4/2015,${photo + 5}`);
    writeFileSync(table, `photo,date,total_g\n${lines.join('\n')}\n`);
    const open = await sward('train', table, '--photos', 'photos', '--out', 'never');
    expect(open.code).toBe(1);
    expect(errorLine(open)).toMatch(/open\.csv row 2: date: nothing shows whether .*--dates dmy/);
    const folds = await sward(
      'folds',
      table,
      '--photos',
      'photos',
      '--dates',
      'dmy',
      '--folds',
      '3',
      '--out',
      'f.csv',
    );
    expect(folds.code).toBe(0);
    expect(readFileSync(join(root, 'f.csv'), 'utf8')).toContain('2015-04-06');
    const idle = await sward('check', 'photos', '--columns', 'photo=a');
    expect(errorLine(idle)).toMatch(/--columns is for a table of your own/);
  });
});

describe('a data folder as it comes', () => {
  let made = 0;
  const dataFolder = async (alter?: (lines: string[]) => string[]): Promise<string> => {
    const folder = join(root, `data-${made++}`);
    await writeSmallFolder(folder, { photos: 12, ...(alter && { alter }) });
    return folder;
  };

  it('raises no alarm by a relative path', async () => {
    const folder = await dataFolder();
    const { stdout } = await sward('check', basename(folder));
    expect(stdout).toMatch(/12 training and 1 test photos, 0 errors, 0 warnings/);
  });

  it('has one group of a State in every spelling, with a warning that names them', async () => {
    const spelt = (line: string, index: number): string =>
      line.replace(',Tas,', index % 10 < 5 ? ',TASMANIA,' : ',T\u200bas.,');
    const plain = await dataFolder();
    const varied = await dataFolder((lines) => lines.map(spelt));
    const { stdout, code } = await sward('check', varied);
    expect(code).toBe(0);
    expect(stdout).toMatch(/warning: train\.csv: State Tas is written in 2 ways: .*TASMANIA.*"T\\u200bas\."/);
    const foldsOf = async (folder: string): Promise<string> => {
      await sward('folds', folder, '--folds', '3', '--out', `${folder}.csv`);
      return readFileSync(`${folder}.csv`, 'utf8');
    };
    expect(await foldsOf(varied)).toBe(await foldsOf(plain));
  });

  it('groups by date alone without a State, and is not told to give up grouping', async () => {
    const folder = await dataFolder((lines) =>
      lines.map((line) => line.replace(/,(Tas|Vic|State),/, ',').replace('Sampling_Date,', 'Sampling_Date,')),
    );
    const { code } = await sward('folds', folder, '--folds', '3', '--out', 'stateless.csv');
    expect(code).toBe(0);
    expect(readFileSync(join(root, 'stateless.csv'), 'utf8')).toMatch(/ID1000,\d,2015-01-04,/);
  });

  it('keeps copies of one photo in one fold, tells of them, also between training and test', async () => {
    const folder = await dataFolder();
    copyFileSync(join(folder, 'train', 'ID1000.jpg'), join(folder, 'train', 'ID1001.jpg'));
    copyFileSync(join(folder, 'train', 'ID1002.jpg'), join(folder, 'test', 'ID1.jpg'));
    const { stdout } = await sward('check', folder);
    expect(stdout).toMatch(/train\/ID1001\.jpg is the same photo as train\/ID1000\.jpg \(train\.csv row 2\)/);
    expect(stdout).toMatch(
      /test\.csv row 2: test\/ID1\.jpg is the same photo as train\/ID1002\.jpg .*trained on/,
    );
    await sward('folds', folder, '--folds', '3', '--out', 'joined.csv');
    const lines = readFileSync(join(root, 'joined.csv'), 'utf8').split('\n');
    const groupOf = (id: string): string | undefined =>
      lines.find((line) => line.startsWith(id))?.split(',')[2];
    expect(groupOf('ID1001')).toBe(groupOf('ID1000'));
  });

  it('reads paths with commas and backslashes, and dates with the day first', async () => {
    const folder = await dataFolder((lines) =>
      lines.map((line) =>
        line
          .replace('train/ID1000.jpg', '"train\\a,b.jpg"')
          .replace(/2015\/(\d)\/4/, (_, month) => `18/0${month}/2015`),
      ),
    );
    copyFileSync(join(folder, 'train', 'ID1000.jpg'), join(folder, 'train', 'a,b.jpg'));
    const { stdout } = await sward('check', folder);
    expect(stdout).toMatch(/Sampling_Date is read as day first, since row 2 has "18\/01\/2015"/);
    expect(stdout).toMatch(/0 errors/);
  });
});

describe('photos as an iPhone leaves them and a table as Excel does', () => {
  it('train in one command on what was measured, and the report has the table’s units', async () => {
    const folder = join(root, 'iphone');
    mkdirSync(folder);
    const [perGram, count] = [10 / FRAME, 16];
    const rows: WorkbookCell[][] = [
      ['Pasture cuts, north block'],
      [],
      [
        'Photo',
        'Date sampled',
        'Green (kg DM/ha)',
        'Dead (kg DM/ha)',
        'Clover (kg DM/ha)',
        'Total (kg DM/ha)',
      ],
    ];
    const expected = new Map<string, number | null>();
    for (let photo = 0; photo < count; photo++) {
      const name = `IMG_${1201 + photo}`;
      const [green, dead, clover] = [5 + 3 * photo, 2, photo % 3];
      if (photo % 4 === 3) writeFileSync(join(folder, `${name}.HEIC`), iphonePhoto('irot', photo >> 2));
      else await writePhoto(join(folder, `${name}.JPG`), green, photo);
      const total = green + dead + clover;
      const isTotalOnly = photo % 5 === 4;
      // An empty cell that follows from the others, and one of a row that has no more than its sum.
      const cells = isTotalOnly
        ? [null, null, null, total]
        : [green, photo === 6 ? null : dead, clover, total];
      const masses = cells.map((grams) => (grams === null ? null : grams * perGram));
      rows.push([
        photo % 2 ? `${name}.HEIC` : name.toLowerCase(),
        { day: NEW_YEAR + 30 * (photo % 4) },
        ...masses,
      ]);
      expected.set(`${name}__Dry_Total_g`, total);
      expected.set(`${name}__Dry_Dead_g`, isTotalOnly ? null : dead);
    }
    rows.push([], ['Mean', null, { formula: 'AVERAGE(C4:C19)', value: 900 }]);
    const dayFirst = rows.map((row) => row.map((cell) => (isDay(cell) ? dayText(cell.day) : cell)));
    writeFileSync(join(root, 'iphone.xlsx'), workbookBytes({ Cuts: rows }));
    writeFileSync(join(root, 'iphone-text.xlsx'), workbookBytes({ Cuts: dayFirst }));
    const scores: string[] = [];
    for (const table of ['iphone.xlsx', 'iphone-text.xlsx']) {
      const out = table.replace('.xlsx', '-run');
      const trained = await sward(
        ...['train', table, '--photos', 'iphone', '--area', String(FRAME), '--recipe', 'descriptor-ridge'],
        ...['--out', out],
      );
      expect(trained.code).toBe(0);
      scores.push(/weighted R² .*/.exec(trained.stdout)?.[0] ?? '');
      const { header, lines } = csvOf(readFileSync(join(root, out, 'oof.csv'), 'utf8'));
      const [id, observed] = ['sample_id', 'observed'].map((name) => header.indexOf(name)) as [
        number,
        number,
      ];
      const read = new Map(lines.map((cells) => [cells[id] ?? '', cells[observed] ?? '']));
      for (const [sample, grams] of expected) {
        if (grams === null) expect(read.get(sample)).toBe('');
        else expect(Number(read.get(sample))).toBeCloseTo(grams, 6);
      }
    }
    expect(scores[0]).toMatch(/on 16 photos/);
    expect(scores[1]).toBe(scores[0]);
    const report = readFileSync(join(root, 'iphone-run', 'report.html'), 'utf8');
    expect(report).toContain('a frame of 0.25 m²');
    expect(report).toContain('total of 16 photos, green of 13');
    const predicted = JSON.parse(
      (await sward('predict', 'iphone-run', 'iphone/IMG_1204.HEIC', '--json')).stdout,
    );
    const [{ grams, kg_dm_per_ha: perHectare }] = predicted.predictions;
    expect(perHectare.Dry_Total_g).toBeCloseTo(grams.Dry_Total_g * perGram, 6);
  });
});

const isDay = (cell: WorkbookCell | undefined): cell is { readonly day: number } =>
  typeof cell === 'object' && cell !== null && 'day' in cell;

/** A day of Excel as `18/05/2015`. */
function dayText(day: number): string {
  const [year, month, date] = new Date(Date.UTC(1899, 11, 30) + day * 86_400_000).toISOString().split(/[-T]/);
  return `${date}/${month}/${year}`;
}

function csvOf(text: string): { readonly header: string[]; readonly lines: string[][] } {
  const [header = [], ...lines] = text
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return { header, lines };
}
