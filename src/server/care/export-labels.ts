import { stat } from 'node:fs/promises';
import { UsageError } from '../../ground/errors.ts';
import { writeTrainingFolder } from '../exports/training-folder.ts';
import { withFarm } from './with-farm.ts';

/**
 * Writes a farm's photos with their cuts as a data folder that `sward train` takes.
 *
 * @returns photos written
 * @throws UsageError when the folder is there already, InputError when there is no farm or it has no such cuts
 */
export async function exportTrainingFolder(data: string, out: string): Promise<number> {
  return withFarm(data, async ({ db, store }) => {
    if (await stat(out).catch(() => null))
      throw new UsageError(`${out} is there already; give another folder`);
    return writeTrainingFolder(db, store, out);
  });
}
