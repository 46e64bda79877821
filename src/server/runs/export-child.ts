import { rm } from 'node:fs/promises';
import { serveTasks } from '../../ground/children/serve-tasks.ts';
import { configure } from '../../ground/environment.ts';
import { InputError, messageOf, SwardError, UsageError } from '../../ground/errors.ts';
import { exportRun } from '../../workflows/index.ts';
import type { RunExportTask } from './export-task.ts';

/** A process that writes a run for phones. */
serveTasks<RunExportTask, null>(async ({ folder, out, cache, mostBytes }) => {
  configure({ cacheFolder: cache, rememberPhotos: false });
  try {
    const { bytes } = await exportRun({ run: folder, target: 'browser', out, overwrite: true });
    if (bytes <= mostBytes) return null;
    await rm(out, { recursive: true, force: true });
    const [size, most] = [bytes, mostBytes].map((count) => Math.round(count / 1e6));
    throw new InputError('the run', `has ${size} MB, phones take ${most}`, 'choose a smaller one');
  } catch (error) {
    if (!(error instanceof SwardError)) throw error;
    // Who holds a phone is not told where the run lies, nor what would help at a command line.
    throw new UsageError(
      messageOf(error)
        .replaceAll(folder, 'the run')
        .replace(/(;|: export) .*$/s, ''),
    );
  }
});
