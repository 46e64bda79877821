import { stat } from 'node:fs/promises';
import { InputError, UsageError } from '../../ground/errors.ts';
import { writeTrainingFolder } from '../exports/training-folder.ts';
import { openDatabase } from '../storage/database.ts';
import { farmFolder } from '../storage/farm-folder.ts';
import { photoStore } from '../storage/photo-store.ts';

/**
 * Writes a farm's photos with their cuts as a data folder that `sward train` takes.
 *
 * @returns photos written
 * @throws UsageError when the folder is there already, InputError when there is no farm or it has no such cuts
 */
export async function exportTrainingFolder(data: string, out: string): Promise<number> {
  const folder = farmFolder(data);
  if (!(await stat(folder.database).catch(() => null))) {
    throw new InputError(
      data,
      'holds no farm (sward.db is not there)',
      'name the folder that sward serve --data names',
    );
  }
  if (await stat(out).catch(() => null)) throw new UsageError(`${out} is there already; give another folder`);
  const db = await openDatabase(folder.database, { asItIs: true });
  try {
    return await writeTrainingFolder(db, photoStore(folder.photos), out);
  } finally {
    await db.destroy();
  }
}
