import { stat } from 'node:fs/promises';
import { InputError } from '../../ground/errors.ts';
import { type Database, withDatabase } from '../storage/database.ts';
import { type FarmFolder, farmFolder } from '../storage/farm-folder.ts';
import { type PhotoStore, photoStore } from '../storage/photo-store.ts';

/** What a farm keeps, while its server runs or not. */
interface KeptFarm {
  readonly folder: FarmFolder;
  readonly db: Database;
  readonly store: PhotoStore;
}

/** Opens the farm of a folder as it is. @throws InputError when the folder holds none, or one of a later version */
export async function withFarm<Result>(
  data: string,
  use: (farm: KeptFarm) => Promise<Result>,
): Promise<Result> {
  const folder = farmFolder(data);
  if (!(await stat(folder.database).catch(() => null))) {
    throw new InputError(
      data,
      'holds no farm (sward.db is not there)',
      'name the folder that sward serve --data names',
    );
  }
  return withDatabase(folder.database, (db) => use({ folder, db, store: photoStore(folder.photos) }));
}
