import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFile } from '../../ground/package-file.ts';

/** A file of the page that people use. */
export interface PageFile {
  readonly type: string;
  readonly content: string;
}

/** The files of the page by the path they are asked under: none else is ever read. */
const FILES: Readonly<Record<string, readonly [name: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
};

/** Reads the page, which comes with sward in `page/`. */
export async function readPage(): Promise<ReadonlyMap<string, PageFile>> {
  const folder = packageFile('page');
  const read = Object.entries(FILES).map(async ([path, [name, type]]) => {
    return [path, { type, content: await readFile(join(folder, name), 'utf8') }] as const;
  });
  return new Map(await Promise.all(read));
}
