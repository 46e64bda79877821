import { createReadStream } from 'node:fs';
import { Zip, ZipPassThrough } from 'fflate';

/** A file of an archive: text, or one of the disk. */
export type ArchiveEntry = { readonly name: string } & (
  | { readonly text: string }
  | { readonly file: string }
);

/**
 * A zip as it is made, entry after entry; photos do not get smaller, so nothing is compressed. What is not read yet is
 * not made yet.
 */
export async function* zipped(entries: Iterable<ArchiveEntry>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    ready.push(chunk);
  });
  for (const entry of entries) {
    const file = new ZipPassThrough(entry.name);
    zip.add(file);
    if ('text' in entry) file.push(Buffer.from(entry.text));
    else {
      for await (const chunk of createReadStream(entry.file)) {
        file.push(chunk as Uint8Array);
        yield* ready.splice(0);
      }
    }
    file.push(new Uint8Array(0), true);
    yield* ready.splice(0);
  }
  zip.end();
  yield* ready;
}
