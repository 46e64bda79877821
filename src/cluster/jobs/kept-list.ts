import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { InputError } from '../../ground/errors.ts';
import { reasonOf } from '../../ground/whole-file.ts';
import { isObjectLocation } from '../../storage/index.ts';
import { DiskList } from './disk-list.ts';
import { type ListedPhoto, stampOf } from './photos.ts';
import type { Engine } from './planned-job.ts';

/** Files that are named of those that changed. */
const NAMED = 3;

/** Files that are looked at together. */
const LOOKED_AT_ONCE = 64;

/** What a plan was made of; null where it keeps no list. The owner closes it. */
export async function keptList({ gathers }: Engine): Promise<DiskList<ListedPhoto> | null> {
  if (!gathers || !existsSync(gathers.listFile)) return null;
  return DiskList.write(itemsOf(gathers.listFile));
}

/** @throws InputError for a line that is no item */
async function* itemsOf(path: string): AsyncGenerator<ListedPhoto> {
  // Made here, since lines that come before somebody asks for the first are lost.
  for await (const line of createInterface({ input: createReadStream(path) })) {
    let item: ListedPhoto;
    try {
      item = JSON.parse(line);
    } catch (error) {
      throw new InputError(path, `is damaged (${reasonOf(error)})`, 'plan the work again');
    }
    yield item;
  }
}

/**
 * The photos that a command is about: where a plan is gathered those that it was made of, whatever lies in their folder
 * by now, and otherwise as they lie there. The owner closes the list.
 *
 * @param tell hears of photos that are not as they were planned
 */
export async function plannedPhotos(
  engine: Engine,
  list: () => Promise<DiskList<ListedPhoto>>,
  tell: (line: string) => void,
): Promise<DiskList<ListedPhoto>> {
  const kept = await keptList(engine);
  if (!kept) return list();
  const changed = await changedFiles(kept);
  if (changed !== null) {
    tell(`warning: not as they were planned: ${changed}; the result tells what the units read`);
  }
  return kept;
}

/** Names files that are not as they were listed; null where all are. Objects are read as they were listed anyway. */
export async function changedFiles(list: DiskList<ListedPhoto>): Promise<string | null> {
  const named: string[] = [];
  let count = 0;
  for (let start = 0; start < list.count; start += LOOKED_AT_ONCE) {
    const files = (await list.read(start, start + LOOKED_AT_ONCE)).filter(
      ({ path }) => !isObjectLocation(path),
    );
    const stamps = await Promise.all(files.map(({ path }) => stampOf(path)));
    for (const [place, { shownPath, stamp }] of files.entries()) {
      const now = stamps[place];
      if (now === stamp) continue;
      count++;
      const what = now === '' ? 'gone' : stamp === '' ? 'new' : 'changed';
      if (named.length < NAMED) named.push(`${shownPath} (${what})`);
    }
  }
  if (count === 0) return null;
  return `${named.join(', ')}${count > NAMED ? ` and ${count - NAMED} more` : ''}`;
}
