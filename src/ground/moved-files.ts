import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { environment } from './environment.ts';

/** An absolute path as one below a folder, with drives' colons gone. */
export const placeUnder = (root: string, path: string): string =>
  join(root, path.replace(/^[\\/]+/, '').replaceAll(/[:\\]/g, '_'));

/** Where a file lies that another machine may have named: below the folder of what it has sent, or where it says. */
export function placeHere(path: string): string {
  const { moved } = environment();
  if (!moved) return path;
  const place = placeUnder(moved.root, resolve(moved.folder, path));
  return existsSync(place) ? place : path;
}
