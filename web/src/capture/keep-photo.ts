import type { Position } from '../../../src/farm/index.ts';
import { formatOf } from '../../../src/vision/photos/format.ts';
import { sha256Of } from '../engine/download.ts';
import type { FarmStore } from '../store/farm-store.ts';
import type { KeptPhoto, PhotoOrigin } from '../store/records.ts';
import { frameArea } from '../store/settings.ts';
import { adviceOn } from './checks.ts';
import { factsOf } from './file-facts.ts';
import { momentOf } from './moment.ts';
import { lookAt } from './picture.ts';

/** What is known of a photo when its shutter was pressed. */
export interface Shutter {
  readonly origin: PhotoOrigin;
  /** Where the file does not say it; null: when the file was written. */
  readonly at: Date | null;
  readonly position: Position | null;
  readonly tiltDegrees: number | null;
  readonly visitId: string | null;
}

/** What is no photo is not kept: the server would refuse it. @throws Error that says so */
function requirePhoto(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new Error('the file is empty. Take the photo again.');
  if (formatOf(bytes) === null) throw new Error('this is no photo. Choose a JPEG, PNG, WebP or HEIC.');
}

/**
 * Keeps a photo: file, hash, moment and position are on the device before anything is done with it. A photo that is here
 * already stays one photo.
 *
 * @throws NoRoom, for what is no photo, or where the file cannot be read to its end
 */
export async function keepPhoto(
  store: FarmStore,
  file: Blob & { readonly name?: string },
  shutter: Shutter,
): Promise<KeptPhoto> {
  const bytes = await file.arrayBuffer();
  requirePhoto(new Uint8Array(bytes));
  const sha256 = await sha256Of(bytes);
  const known = [...store.photos.value.values()].find(({ record }) => record.sha256 === sha256);
  if (known) return known;
  // Of its bytes: what is picked may be gone from where it was picked.
  const blob = new Blob([bytes], { type: file.type });
  const facts = await factsOf(new Uint8Array(bytes));
  const lastModified = 'lastModified' in file ? new Date(file.lastModified as number) : new Date();
  const capturedAt = facts.takenAt ?? momentOf(shutter.at ?? lastModified);
  const id = crypto.randomUUID();
  const photo: KeptPhoto = {
    id,
    record: {
      id,
      visitId: shutter.visitId,
      sha256,
      capturedAt,
      position: shutter.position,
      frameAreaSquareMetres: frameArea(store.settings.value),
      height: null,
    },
    fileName: file.name || 'photo.jpg',
    mediaType: file.type || 'image/jpeg',
    bytes: blob.size,
    origin: shutter.origin,
    advice: [],
    filePosition: facts.position,
    storedAt: null,
    problem: null,
  };
  await store.save('photo', photo, { files: [{ id, blob }] });
  const looked = await lookAt(blob);
  if (!looked) return photo;
  const advice = adviceOn({ ...looked, tiltDegrees: shutter.tiltDegrees });
  await store.keeping.write({ thumbs: [{ id, blob: looked.thumb }] });
  await store.note(id, { advice });
  return { ...photo, advice };
}
