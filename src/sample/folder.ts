import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import { entriesOf, readText } from '../ground/whole-file.ts';

const MARK = 'sample.json';

/**
 * Makes `folder` ours: empty or missing, or left by an earlier run with the same settings, which is rendered
 * again file by file. The settings are noted in `sample.json`, so nobody's own data is ever overwritten.
 *
 * @throws InputError when `folder` is a file, holds other things, or holds a sample with other settings
 */
export async function claimFolder(folder: string, settings: Readonly<Record<string, number>>): Promise<void> {
  const mark = `${JSON.stringify(settings)}\n`;
  const found = await stat(folder).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) {
    throw new InputError(folder, 'is a file', 'name a folder for the sample');
  }
  const entries = found === undefined ? [] : (await entriesOf(folder)).map(({ name }) => name);
  if (entries.length > 0) {
    const earlier = entries.includes(MARK) ? await readText(join(folder, MARK)) : undefined;
    if (earlier === undefined) {
      throw new InputError(folder, 'holds files that are not of a sample', 'name a new or empty folder');
    }
    if (earlier !== mark) {
      throw new InputError(
        folder,
        `holds a sample with other settings (${earlier.trim()})`,
        'delete it or name another folder',
      );
    }
  }
  await writeFileAtomically(join(folder, MARK), mark);
}
