import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  removeTemporaries,
  replaceFolder,
  writeAtomically,
  writeFileAtomically,
} from '../../src/ground/files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder('files');

describe('atomic writing', () => {
  it('makes the folder and leaves only the file', async () => {
    const path = join(folder, 'a', 'b.txt');
    await writeFileAtomically(path, 'one');
    await writeFileAtomically(path, 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(join(folder, 'a'))).toEqual(['b.txt']);
  });

  it('keeps the old file and no leftover when writing fails', async () => {
    const path = join(folder, 'c.txt');
    await writeFileAtomically(path, 'old');
    const failing = writeAtomically(path, async (temporary) => {
      await writeFileAtomically(temporary, 'half');
      expect(existsSync(temporary)).toBe(true);
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((name) => name.includes('.part'))).toEqual([]);
  });

  it('puts a folder in place of the old one when it is filled, and leaves the old one where filling fails', async () => {
    const path = join(folder, 'set');
    const fill = (text: string) => (aside: string) => writeFileAtomically(join(aside, 'a.txt'), text);
    await replaceFolder(path, fill('old'));
    const failing = replaceFolder(path, async (aside) => {
      await fill('half')(aside);
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe('old');
    await replaceFolder(path, fill('new'));
    expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe('new');
    expect(readdirSync(folder).filter((name) => name.includes('.part'))).toEqual([]);
  });

  it('is undone at once where the process is ended, and only what is not finished', async () => {
    const finished = join(folder, 'finished.txt');
    await writeFileAtomically(finished, 'all');
    let aside = '';
    await writeAtomically(join(folder, 'ended.txt'), async (temporary) => {
      aside = temporary;
      await writeFile(temporary, 'half');
      removeTemporaries();
      expect(existsSync(temporary)).toBe(false);
      await writeFile(temporary, 'whole');
    });
    expect(existsSync(aside)).toBe(false);
    // Of what was renamed nothing is remembered: another file of that name is left alone.
    writeFileSync(aside, 'another');
    removeTemporaries();
    expect(readFileSync(aside, 'utf8')).toBe('another');
    rmSync(aside);
    expect(readFileSync(finished, 'utf8')).toBe('all');
  });
});
