import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { Cut, Estimate, Paddock, Visit } from '../../../src/farm/index.ts';
import { messageOf } from '../../../src/ground/errors.ts';
import type { Changes, Kept, KeptFile, KeptPhoto, OutboxItem, Setting } from './records.ts';

/** Where everything is kept before anything else is done with it. */
export interface Keeping {
  /** Whether it was made just now: nothing was here, or what was here is gone. */
  readonly isNew: boolean;
  /** Why it ends with the page; null where it stays on the device. */
  readonly fleeting: string | null;
  readAll(): Promise<Kept>;
  /** All of the changes, or none. @throws NoRoom */
  write(changes: Changes): Promise<void>;
  /** The photo of an id; null where it is not here. */
  file(id: string): Promise<Blob | null>;
  thumb(id: string): Promise<Blob | null>;
}

/** The device has no room for what was to be kept. */
export class NoRoom extends Error {
  override name = 'NoRoom';

  constructor() {
    super(
      'The device has no room left: this was not kept. Send what waits, then forget sent photo files under More, or free space.',
    );
  }
}

const NAME = 'sward';

/** Rises with {@link STEPS}. */
export const KEEPING_VERSION = 2;

interface Schema extends DBSchema {
  paddocks: { key: string; value: Paddock };
  visits: { key: string; value: Visit };
  photos: { key: string; value: KeptPhoto };
  files: { key: string; value: KeptFile };
  thumbs: { key: string; value: KeptFile };
  estimates: { key: string; value: Estimate };
  cuts: { key: string; value: Cut };
  outbox: { key: string; value: OutboxItem };
  settings: { key: string; value: Setting };
}

type Database = IDBPDatabase<Schema>;

/** What leads from each version to the next. A step only adds: what waits to be sent outlives every one. */
const STEPS: readonly ((database: Database) => void)[] = [
  (database) => {
    for (const store of ['paddocks', 'visits', 'photos', 'files', 'estimates', 'cuts'] as const) {
      database.createObjectStore(store, { keyPath: 'id' });
    }
    database.createObjectStore('outbox', { keyPath: 'key' });
    database.createObjectStore('settings', { keyPath: 'name' });
  },
  // Small pictures for lists.
  (database) => {
    database.createObjectStore('thumbs', { keyPath: 'id' });
  },
];

const STORES = ['paddocks', 'visits', 'photos', 'estimates', 'cuts', 'outbox', 'settings'] as const;

/**
 * What is kept in the browser's database; where the browser allows none, in memory, which says so.
 *
 * @param onNewer told when another page of the app needs this one to let go of the database
 */
export async function openKeeping(onNewer: () => void): Promise<Keeping> {
  try {
    return await inDatabase(onNewer);
  } catch (error) {
    return inMemory(messageOf(error));
  }
}

async function inDatabase(onNewer: () => void): Promise<Keeping> {
  let isNew = false;
  const database = await openDB<Schema>(NAME, KEEPING_VERSION, {
    upgrade(opened, from) {
      isNew = from === 0;
      for (const step of STEPS.slice(from)) step(opened);
    },
    blocking(_, __, event) {
      (event.target as IDBDatabase).close();
      onNewer();
    },
  });
  return {
    isNew,
    fleeting: null,
    async readAll() {
      const reading = database.transaction(STORES);
      const [paddocks, visits, photos, estimates, cuts, outbox, settings] = await Promise.all([
        reading.objectStore('paddocks').getAll(),
        reading.objectStore('visits').getAll(),
        reading.objectStore('photos').getAll(),
        reading.objectStore('estimates').getAll(),
        reading.objectStore('cuts').getAll(),
        reading.objectStore('outbox').getAll(),
        reading.objectStore('settings').getAll(),
      ]);
      return { paddocks, visits, photos, estimates, cuts, outbox, settings };
    },
    write: (changes) => writeTo(database, changes),
    file: async (id) => (await database.get('files', id))?.blob ?? null,
    thumb: async (id) => (await database.get('thumbs', id))?.blob ?? null,
  };
}

async function writeTo(
  database: Database,
  { put = {}, files = [], thumbs = [], drop = {} }: Changes,
): Promise<void> {
  const writing = database.transaction([...STORES, 'files' as const, 'thumbs' as const], 'readwrite', {
    durability: 'strict',
  });
  // What fails ends the whole transaction, whose end is what is waited for.
  const begun = (work: Promise<unknown>): void => void work.catch(() => {});
  try {
    for (const store of STORES) {
      for (const item of put[store] ?? []) begun(writing.objectStore(store).put(item as never));
    }
    for (const file of files) begun(writing.objectStore('files').put(file));
    for (const thumb of thumbs) begun(writing.objectStore('thumbs').put(thumb));
    for (const [store, keys] of Object.entries(drop)) {
      for (const key of keys) begun(writing.objectStore(store as keyof Kept).delete(key));
    }
    await writing.done;
  } catch (error) {
    const isFull = error instanceof DOMException && error.name === 'QuotaExceededError';
    throw isFull ? new NoRoom() : error;
  }
}

function inMemory(fleeting: string): Keeping {
  const stores = new Map<string, Map<string, unknown>>();
  const storeOf = (name: string): Map<string, unknown> => {
    const store = stores.get(name) ?? new Map<string, unknown>();
    stores.set(name, store);
    return store;
  };
  const keyIn = (item: object): string => {
    const { id, key, name } = item as { id?: string; key?: string; name?: string };
    return key ?? id ?? name ?? '';
  };
  const all = <Item>(name: string): Item[] => [...storeOf(name).values()] as Item[];
  const blobIn = async (name: string, id: string): Promise<Blob | null> =>
    (storeOf(name).get(id) as KeptFile | undefined)?.blob ?? null;
  return {
    isNew: true,
    fleeting,
    readAll: async () => ({
      paddocks: all('paddocks'),
      visits: all('visits'),
      photos: all('photos'),
      estimates: all('estimates'),
      cuts: all('cuts'),
      outbox: all('outbox'),
      settings: all('settings'),
    }),
    async write({ put = {}, files = [], thumbs = [], drop = {} }) {
      for (const [name, items] of Object.entries({ ...put, files, thumbs })) {
        for (const item of items as readonly object[]) storeOf(name).set(keyIn(item), item);
      }
      for (const [name, keys] of Object.entries(drop)) for (const key of keys) storeOf(name).delete(key);
    },
    file: (id) => blobIn('files', id),
    thumb: (id) => blobIn('thumbs', id),
  };
}
