import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeAtomically, writeFileAtomically } from '../../src/ground/files.ts';
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
});
