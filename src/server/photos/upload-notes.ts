import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Upload } from '@tus/server';
import { writeFileAtomically } from '../../ground/files.ts';

/** What is noted of an upload under way, a file each beside its bytes, whole or not at all. */
export class UploadNotes {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(id: string): Promise<Upload | undefined> {
    try {
      return JSON.parse(await readFile(this.#pathOf(id), 'utf8'));
    } catch {
      return undefined;
    }
  }

  set(id: string, upload: Upload): Promise<void> {
    return writeFileAtomically(this.#pathOf(id), JSON.stringify(upload));
  }

  delete(id: string): Promise<void> {
    return rm(this.#pathOf(id), { force: true });
  }

  async list(): Promise<string[]> {
    const names = await readdir(this.#folder);
    return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
  }

  #pathOf(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}
