import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readGrid } from '../../src/formats/spreadsheet.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { workbookBytes } from '../support/workbook.ts';
import { zipBytes } from './torch-checkpoint/zip-writer.ts';

const folder = temporaryFolder('spreadsheet');

describe('reading a workbook', () => {
  const path = join(folder, 'cuts.xlsx');
  writeFileSync(
    path,
    workbookBytes({
      Cuts: [
        ['Photo', 'Date', 'Total'],
        ['IMG_1', { day: 42251 }, 12.5],
        [],
        ['IMG_2', { day: 42251.5 }, { formula: 'C2*2', value: 25 }],
      ],
      Notes: [['a'], ['b']],
    }),
  );

  it('has the values of formulas, days as dates, and the rows as Excel counts them', async () => {
    expect(await readGrid(path)).toMatchObject({
      notation: 'Excel, sheet Cuts of Cuts, Notes',
      rows: [
        { line: 1, cells: ['Photo', 'Date', 'Total'] },
        { line: 2, cells: ['IMG_1', '2015-09-04', '12.5'] },
        { line: 4, cells: ['IMG_2', '2015-09-04 12:00:00', '25'] },
      ],
    });
  });

  it('takes a sheet by its name, and names those there are', async () => {
    expect((await readGrid(path, 'notes')).rows).toHaveLength(2);
    await expect(readGrid(path, 'Total')).rejects.toThrow(/no such sheet; it has Cuts, Notes/);
  });

  const whole = readFileSync(path);
  const content = Buffer.from('<x/>');
  const lying = zipBytes([{ name: 'xl/workbook.xml', content, statedSize: 2 ** 32 - 2 }]);

  it.each([
    ['other.xlsx', 'no workbook', /cannot be read as an Excel workbook/],
    ['cut.xlsx', whole.subarray(0, Math.floor(whole.length * 0.6)), /cannot be read as an Excel workbook/],
    [
      'lying.xlsx',
      lying,
      /lying\.xlsx: has 4096 MiB, the limit for a workbook is 256; save the sheet as CSV/,
    ],
    ['old.xls', 'x', /another kind \(\.xls\); save it as \.xlsx or \.csv/],
  ])('refuses %s in one line', async (name, content, message) => {
    writeFileSync(join(folder, name), content);
    await expect(readGrid(join(folder, name))).rejects.toThrow(message);
  });
});
