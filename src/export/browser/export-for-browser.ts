import { readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError } from '../../ground/errors.ts';
import { replaceFolder } from '../../ground/files.ts';
import { SILENT } from '../../ground/progress.ts';
import { storedFiles } from '../../portable/model.ts';
import { openRun } from '../../runs/open-run.ts';
import { requireExportFolder } from '../export-folder.ts';
import type { ExportOptions, ExportOutcome } from '../export-run.ts';
import { portableCard } from './portable-card.ts';
import { writePortable } from './write-portable.ts';

/**
 * Writes a finished run for the engine that answers in a browser: models in checked pieces, `model.json` with everything
 * that is done before and after them, and a card. The folder appears whole or not at all.
 *
 * @throws InputError when the run is unfinished or damaged, or weights are not those it was trained with
 * @throws UsageError when the run cannot be written so, `out` holds something else, or for options of other exports
 */
export async function exportForBrowser(options: ExportOptions): Promise<ExportOutcome> {
  const { run, out, overwrite = false, precision = null, progress = SILENT } = options;
  const { kaggle, tta = 'none', input = 'views' } = options;
  if (kaggle || tta !== 'none' || input !== 'views') {
    throw new UsageError(
      '--target browser takes views of each photo as it lies; leave out --input, --tta and --kaggle',
    );
  }
  await requireExportFolder(out, ['model.json'], overwrite);
  await using opened = await openRun(run, { keepLoaded: false });
  const written = await replaceFolder(resolve(out), async (aside) => {
    const model = await writePortable(aside, opened, precision, progress);
    await writeFile(join(aside, 'README.md'), portableCard(model));
    const bytes = storedFiles(model).reduce((sum, file) => sum + file.bytes, 0);
    return { files: (await readdir(aside)).sort(), bytes };
  });
  return { out, ...written };
}
