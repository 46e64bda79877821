import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCsv, writeCsv } from '../../src/formats/csv.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder('csv');

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('reading a CSV', () => {
  const plain = 'a,b\n1,x\n2,"y, z"\n';

  it.each([
    ['LF', plain],
    ['CRLF', plain.replaceAll('\n', '\r\n')],
    ['CR', plain.replaceAll('\n', '\r')],
    ['a byte-order mark', `\ufeff${plain}`],
    ['no last line end', plain.trimEnd()],
    ['blank lines at the end', `${plain}\n\n`],
    ['UTF-16 LE', Buffer.from(`\ufeff${plain}`, 'utf16le')],
    ['UTF-16 BE', Buffer.from(`\ufeff${plain}`, 'utf16le').swap16()],
    ['UTF-16 without a mark', Buffer.from(plain, 'utf16le')],
    ['semicolons', 'a;b\n1;x\n2;y, z\n'],
    ['tabs', 'a\tb\n1\tx\n2\ty, z\n'],
    ['tabs and quotes', 'a\tb\n1\t"x"\n2\t"y, z"\n'],
    ['rows of nothing', 'a,b\n1,x\n2,"y, z"\n,\n , \n,,,\n'],
    ['columns of nothing', 'a,b,,\n1,x,,\n2,"y, z",,\n'],
    ['a column of nothing between', 'a,,b\n1,,x\n2,,"y, z"\n'],
  ])('reads the same cells with %s', async (name, content) => {
    const table = await readCsv(file(`${name}.csv`, content), ['a', 'b']);
    expect(table.rows.map((row) => row.cells)).toEqual([
      { a: '1', b: 'x' },
      { a: '2', b: 'y, z' },
    ]);
    expect(table.rows.map((row) => row.line)).toEqual([2, 3]);
  });

  it.each([
    ['missing', null, /cannot be read/],
    ['empty', '', /is empty/],
    ['blank', '\n \n', /is empty/],
    ['binary', Buffer.from([0x61, 0xff, 0x62, 0, 1]), /no.* table of text; save it as CSV UTF-8/],
    ['with a column that has no name', 'a,b,\n1,2,3\n', /column 3 has values but no name/],
    ['ragged', 'a,b\n1,2\n1,2,3\n', /row 3: .*; give every row as many cells/],
    ['without a column', 'a,c\n1,2\n', /row 1: the header lacks b \(it has a, c\)/],
    ['with a column twice', 'a,b,a\n1,2,3\n', /names the column a twice/],
    ['separated by bars', 'a|b\n1|2\n', /the header lacks a, b \(it has a\|b\)/],
    ['with an open quote', 'a,b\n1,"2\n', /row \d+: /],
  ])('refuses a file that is %s in one line that names it', async (name, content, message) => {
    const path = content === null ? join(folder, 'not-there.csv') : file(`${name}.csv`, content);
    const error = await readCsv(path, ['a', 'b']).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'TableError', message: expect.stringMatching(message) });
    expect((error as Error).message).toContain(path);
    expect((error as Error).message).not.toContain('\n');
  });
});

describe('reading what spreadsheets write', () => {
  it('reads Windows-1252, which is not UTF-8', async () => {
    const table = await readCsv(file('western.csv', Buffer.from('a,b\n1,caf\xe9 \x80\n', 'latin1')), ['a']);
    expect(table.rows[0]?.cells).toEqual({ a: '1', b: 'café €' });
  });

  it('takes the separator that the file itself names, and counts its line', async () => {
    const table = await readCsv(file('sep.csv', 'sep=;\r\na;b\r\n1,5;x\r\n'), ['a', 'b']);
    expect(table.rows).toEqual([{ line: 3, cells: { a: '1,5', b: 'x' } }]);
  });

  it('is not misled by decimal commas and commas in text', async () => {
    const rows = Array.from({ length: 30 }, (_, row) => `${row},5;clover, ryegrass`).join('\n');
    const table = await readCsv(file('commas.csv', `mass;pasture\n${rows}\n`), []);
    expect(table.columns).toEqual(['mass', 'pasture']);
    expect(table.rows).toHaveLength(30);
  });
});

describe('writing a CSV', () => {
  it('keeps text from being a formula in a spreadsheet, and reads it back as it was', async () => {
    const path = join(folder, 'formulas.csv');
    const texts = ['=1+1', '+a', '-IMG_1', '@sum', "'=x", "it's", '-', '-1.5'];
    await writeCsv(
      path,
      ['a', 'b'],
      texts.map((text) => [text, -1.5]),
    );
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines.slice(1, 5)).toEqual(["'=1+1,-1.5", "'+a,-1.5", "'-IMG_1,-1.5", "'@sum,-1.5"]);
    expect(lines[8]).toBe('-1.5,-1.5');
    expect((await readCsv(path, ['a'])).rows.map(({ cells }) => cells.a)).toEqual(texts);
  });

  it('quotes what needs quotes, so that it reads back', async () => {
    const path = join(folder, 'written.csv');
    await writeCsv(path, ['a', 'b'], [['x, "y"', 1.5]]);
    expect((await readCsv(path, ['a'])).rows[0]?.cells).toEqual({ a: 'x, "y"', b: '1.5' });
  });
});
