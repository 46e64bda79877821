import { writeFileSync } from 'node:fs';
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
    ['Latin-1', Buffer.from('a,b\n1,caf\xe9\n', 'latin1'), /not UTF-8 text; save it as CSV UTF-8/],
    ['binary', Buffer.from([0x61, 0, 0x62, 0, 1]), /not UTF-8 text/],
    ['ragged', 'a,b\n1,2\n1,2,3\n', /row 3: .*; give every row as many cells/],
    ['without a column', 'a,c\n1,2\n', /row 1: the header lacks b \(it has a, c\)/],
    ['with a column twice', 'a,b,a\n1,2,3\n', /names the column a twice/],
    ['separated by semicolons', 'a;b\n1;2\n', /the header lacks a, b \(it has a;b\)/],
    ['with an open quote', 'a,b\n1,"2\n', /row \d+: /],
  ])('refuses a file that is %s in one line that names it', async (name, content, message) => {
    const path = content === null ? join(folder, 'not-there.csv') : file(`${name}.csv`, content);
    const error = await readCsv(path, ['a', 'b']).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'TableError', message: expect.stringMatching(message) });
    expect((error as Error).message).toContain(path);
    expect((error as Error).message).not.toContain('\n');
  });
});

describe('writing a CSV', () => {
  it('quotes what needs quotes, so that it reads back', async () => {
    const path = join(folder, 'written.csv');
    await writeCsv(path, ['a', 'b'], [['x, "y"', 1.5]]);
    expect((await readCsv(path, ['a'])).rows[0]?.cells).toEqual({ a: 'x, "y"', b: '1.5' });
  });
});
