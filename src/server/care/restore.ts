import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InputError, UsageError } from '../../ground/errors.ts';
import { replaceFolder, writeFailure } from '../../ground/files.ts';
import { farmFolder, makeFarmFolder } from '../storage/farm-folder.ts';
import { photoStore } from '../storage/photo-store.ts';
import { DATABASE_NAME } from './backup.ts';
import { readTar } from './tar.ts';
import { type VerifiedFarm, verifyFarm } from './verify.ts';

/** Names that a backup has. */
const PHOTO = /^photos\/([0-9a-f]{64})$/;
const RUN_FILE = /^runs\/[0-9a-f]{16}(\/[\w][\w.+@ -]*)+$/;

/**
 * Makes a farm's folder of a backup, and verifies it: it is put in its place whole or not at all.
 *
 * @throws UsageError when the folder holds something already
 * @throws InputError for a file that is no backup, is damaged or cut short
 */
export async function restoreFarm(file: string, data: string): Promise<VerifiedFarm> {
  const names = await readdir(data).catch((): string[] => []);
  if (names.length > 0) throw new UsageError(`${data} is not empty; restore into a new folder`);
  try {
    return await replaceFolder(data, async (aside) => {
      await chmod(aside, 0o700);
      const folder = farmFolder(aside);
      await makeFarmFolder(folder);
      const store = photoStore(folder.photos);
      let hasDatabase = false;
      for await (const { name, content } of readTar(file)) {
        const hash = PHOTO.exec(name)?.[1];
        const path = hash
          ? store.pathOf(hash)
          : name === DATABASE_NAME
            ? folder.database
            : RUN_FILE.test(name)
              ? join(aside, name)
              : null;
        if (path === null)
          throw new InputError(
            file,
            `holds ${JSON.stringify(name)}, which no backup does`,
            'give a file that sward serve backup wrote',
          );
        hasDatabase ||= name === DATABASE_NAME;
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await pipeline(content(), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
      }
      if (!hasDatabase)
        throw new InputError(file, 'holds no database', 'give a file that sward serve backup wrote');
      const verified = await verifyFarm(aside);
      const [problem] = verified.problems;
      if (problem !== undefined) throw new InputError(file, problem, 'take another backup');
      return verified;
    });
  } catch (error) {
    throw writeFailure(data, error);
  }
}
