/** Where pieces stay, by their SHA-256. */
export interface PieceStore {
  read(sha256: string): Promise<Uint8Array<ArrayBuffer> | null>;
  has(sha256: string): Promise<boolean>;
  write(sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  forget(sha256: string): Promise<void>;
  /** `model.json` as it was when all its pieces were there; null where none was. */
  readModel(): Promise<unknown>;
  writeModel(model: unknown): Promise<void>;
  /** Forgets all pieces but these. */
  keepOnly(sha256s: ReadonlySet<string>): Promise<void>;
}

/** Whether what was fetched stays on the device; where it does not, why. */
export type Keeping = { readonly kept: true } | { readonly kept: false; readonly why: string };

/**
 * A store that survives the page, or, where the browser gives no room, one that ends with it.
 *
 * @param name of the store; one a model
 */
export async function openPieceStore(
  name: string,
): Promise<{ readonly store: PieceStore; readonly keeping: () => Keeping }> {
  let keeping: Keeping = { kept: true };
  const memory = memoryStore();
  const lose = (error: unknown): void => {
    keeping = { kept: false, why: reasonOf(error) };
  };
  const disk = await openDisk(name).catch((error: unknown) => {
    lose(error);
    return null;
  });
  if (!disk) return { store: memory, keeping: () => keeping };
  const store: PieceStore = {
    ...disk,
    read: async (sha256) => (await memory.read(sha256)) ?? disk.read(sha256),
    has: async (sha256) => (await memory.has(sha256)) || disk.has(sha256),
    // What has no room on the device is held as long as the page is open.
    write: (sha256, bytes) =>
      disk.write(sha256, bytes).catch((error: unknown) => {
        lose(error);
        return memory.write(sha256, bytes);
      }),
    async forget(sha256) {
      await memory.forget(sha256);
      await disk.forget(sha256);
    },
    writeModel: (model) => disk.writeModel(model).catch(lose),
  };
  return { store, keeping: () => keeping };
}

/** What stores of models are called, by the folder that a model is fetched from. */
export const modelStoreName = (folder: URL): string => `${MODEL_STORES}${folder.pathname}`;
const MODEL_STORES = 'sward ';

/** Forgets the models of other folders than this. */
export async function forgetOtherModels(folder: URL): Promise<void> {
  try {
    const stores = (await caches.keys()).filter((name) => name.startsWith(`${MODEL_STORES}/`));
    for (const name of stores) if (name !== modelStoreName(folder)) await caches.delete(name);
  } catch {
    // A browser that allows no storage has none to be forgotten.
  }
}

/** The store of ONNX Runtime for graphics chips. */
export const GRAPHICS_STORE = 'sward graphics';

/** Where the service worker keeps the files of the app that only these need; see `app.config.ts`. */
const GRAPHICS_PARTS = 'sward-graphics';

/** Forgets what graphics chips need alone. */
export async function forgetGraphics(): Promise<void> {
  try {
    for (const name of [GRAPHICS_STORE, GRAPHICS_PARTS]) await caches.delete(name);
  } catch {
    // A browser that allows no storage has none to be forgotten.
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === 'QuotaExceededError'
    ? 'the device has no room left for it'
    : `the browser allows no storage (${error.message})`;
}

const MODEL = 'model.json';

/** A store in the browser's Cache Storage. @throws where the browser denies it */
async function openDisk(name: string): Promise<PieceStore> {
  const cache = await caches.open(name);
  // Addresses that no server has: they only name what is stored.
  const keyOf = (key: string): string => new URL(`/.sward-pieces/${key}`, location.href).href;
  const find = (key: string) => cache.match(keyOf(key));
  const put = (key: string, body: BodyInit) => cache.put(keyOf(key), new Response(body));
  const forget = async (key: string): Promise<void> => {
    await cache.delete(keyOf(key));
  };
  return {
    forget,
    async read(sha256) {
      const found = await find(sha256);
      return found ? new Uint8Array(await found.arrayBuffer()) : null;
    },
    has: async (sha256) => (await find(sha256)) !== undefined,
    write: put,
    readModel: async () => (await find(MODEL))?.json() ?? null,
    writeModel: (model) => put(MODEL, JSON.stringify(model)),
    async keepOnly(sha256s) {
      const wanted = new Set([...sha256s, MODEL].map(keyOf));
      for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
    },
  };
}

function memoryStore(): PieceStore {
  const pieces = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    read: async (sha256) => pieces.get(sha256) ?? null,
    has: async (sha256) => pieces.has(sha256),
    write: async (sha256, bytes) => {
      pieces.set(sha256, bytes);
    },
    forget: async (sha256) => {
      pieces.delete(sha256);
    },
    readModel: async () => null,
    writeModel: async () => {},
    keepOnly: async () => {},
  };
}
