import { strToU8, Zip, ZipPassThrough } from 'fflate';
import type { FarmStore } from '../store/farm-store.ts';

/** What is in a zip besides photos: how they came about, as the API takes it. */
interface Manifest {
  readonly madeAt: string;
  readonly paddocks: readonly unknown[];
  readonly visits: readonly unknown[];
  readonly photos: readonly unknown[];
  readonly cuts: readonly unknown[];
  readonly estimates: readonly unknown[];
}

const extensionOf = (mediaType: string): string =>
  ({ 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp', 'image/heic': 'heic' })[mediaType] ??
  'bin';

/** A zip with everything that the server does not have yet: the photos as they were taken, and the records as JSON. */
export async function unsentZip(store: FarmStore): Promise<Blob> {
  const parts: BlobPart[] = [];
  let failure: Error | null = null;
  const zip = new Zip((error, chunk) => {
    if (error) failure = error;
    else parts.push(chunk as Uint8Array<ArrayBuffer>);
  });
  const waits = [...store.outbox.value.values()];
  const idsOf = (kind: string): Set<string> =>
    new Set(waits.filter((item) => item.kind === kind).map(({ id }) => id));
  const recordsOf = <Item extends { readonly id: string }>(
    kind: string,
    items: ReadonlyMap<string, Item>,
  ): Item[] => [...idsOf(kind)].flatMap((id) => items.get(id) ?? []);
  const photos = recordsOf('photo', store.photos.value);
  for (const { id, mediaType, storedAt } of photos) {
    const file = storedAt === null ? await store.keeping.file(id) : null;
    if (!file) continue;
    // One photo in memory at a time; photos do not shrink.
    const entry = new ZipPassThrough(`photos/${id}.${extensionOf(mediaType)}`);
    zip.add(entry);
    entry.push(new Uint8Array(await file.arrayBuffer()), true);
    parts.splice(0, parts.length, new Blob(parts));
  }
  const manifest: Manifest = {
    madeAt: new Date().toISOString(),
    paddocks: recordsOf('paddock', store.paddocks.value),
    visits: recordsOf('visit', store.visits.value),
    photos: photos.map(({ record, fileName }) => ({ ...record, fileName })),
    cuts: recordsOf('cut', store.cuts.value),
    estimates: photos.flatMap(({ id }) => store.estimates.value.get(id) ?? []),
  };
  const entry = new ZipPassThrough('records.json');
  zip.add(entry);
  entry.push(strToU8(JSON.stringify(manifest, null, 2)), true);
  zip.end();
  if (failure) throw failure;
  return new Blob(parts, { type: 'application/zip' });
}

/** Gives a file to the person, as the browser gives files. */
export function download(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
