import { randomUUID } from 'node:crypto';
import { copyFile, link, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, writeAtomically, writeFailure, writeFileAtomically } from '../ground/files.ts';
import { fileVersion, readBytes, withOpenFile } from '../ground/positioned-file.ts';
import { entriesOf, UnreadableFile } from '../ground/whole-file.ts';
import type { ReadOptions, Store, StoredObject } from './store.ts';

/** A folder that all machines see under the same path. */
export class FileStore implements Store {
  readonly location: string;

  constructor(folder: string) {
    this.location = folder;
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    for (const name of await this.#names(folder)) {
      const key = `${folder}${name}`;
      if (!key.startsWith(prefix)) continue;
      if (name.endsWith('/')) {
        yield* this.list(key);
        continue;
      }
      const facts = await this.facts(key);
      if (facts) yield facts;
    }
  }

  /** Names in a folder, those of folders with a slash, so that they sort as keys do. */
  async #names(folder: string): Promise<string[]> {
    try {
      const entries = await entriesOf(join(this.location, folder));
      return entries
        .filter(({ name }) => !name.endsWith('.part'))
        .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
        .sort((a, b) => (a < b ? -1 : 1));
    } catch (error) {
      if (error instanceof UnreadableFile && error.isAbsent) return [];
      throw error;
    }
  }

  async facts(key: string): Promise<StoredObject | null> {
    const stats = await stat(join(this.location, key), { bigint: true }).catch(absent);
    return stats && { key, byteLength: Number(stats.size), version: fileVersion(stats) };
  }

  async read(key: string, { range, version }: ReadOptions = {}): Promise<Uint8Array | null> {
    const path = join(this.location, key);
    try {
      return await withOpenFile(path, async (file) => {
        if (version !== undefined && version !== file.version) return null;
        const { start, end } = range ?? { start: 0, end: file.byteLength };
        return new Uint8Array(await readBytes(path, file.handle, start, end - start));
      });
    } catch (error) {
      if (error instanceof UnreadableFile && error.isAbsent) return null;
      throw error;
    }
  }

  put(key: string, content: string | Uint8Array): Promise<void> {
    return writeFileAtomically(join(this.location, key), content);
  }

  upload(key: string, path: string): Promise<void> {
    return writeAtomically(join(this.location, key), (aside) => copyFile(path, aside));
  }

  async create(key: string, content: string): Promise<boolean> {
    const path = join(this.location, key);
    // The token tells one's own link from another's where a network says that it failed and it did not.
    const aside = `${path}.${randomUUID()}.part`;
    try {
      await makeFolder(dirname(path));
      await writeFile(aside, content);
      await link(aside, path);
      return true;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      // Some disks know no hard links.
      if (NO_LINKS.includes(code)) return await writtenInPlace(path, content);
      if (code !== 'EEXIST') throw writeFailure(path, error);
      const [own, there] = await Promise.all([aside, path].map((file) => stat(file, { bigint: true })));
      return own?.ino === there?.ino && own?.dev === there?.dev;
    } finally {
      await rm(aside, { force: true });
    }
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.location, key), { force: true });
    // Folders are there for what is in them.
    for (let folder = dirname(key); folder !== '.'; folder = dirname(folder)) {
      if ((await readdir(join(this.location, folder)).catch(() => ['']))[0] !== undefined) return;
      await rmdir(join(this.location, folder)).catch(() => {});
    }
  }
}

const NO_LINKS = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'];

/** @returns whether it was not there */
async function writtenInPlace(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw writeFailure(path, error);
  }
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
}
