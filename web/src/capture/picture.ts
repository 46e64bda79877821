import { AskedWorker } from '../engine/asked-worker.ts';
import type { HeicQuestions } from '../engine/heic-worker.ts';
import { CHECKED_WIDTH, type CheckedPhoto } from './checks.ts';

/** What a browser that can show a photo makes of it. */
export interface Looked {
  readonly copy: CheckedPhoto['copy'];
  readonly width: number;
  readonly height: number;
  /** A small JPEG for lists; larger of what browsers do not show, where it stands for the photo. */
  readonly thumb: Blob;
}

const THUMB_WIDTH = 320;
/** Of a picture that is all there is to be seen of a photo. */
const SHOWN_WIDTH = 1280;

/** How long libheif may take for a photo, seconds. */
const PATIENCE = 30;

/** A JPEG of what this browser does not show, as HEIC in most; null where nothing here decodes it. */
async function decoded(photo: Blob) {
  const worker = new AskedWorker<HeicQuestions>(
    new Worker(new URL('../engine/heic-worker.ts', import.meta.url), { type: 'module' }),
    Error,
  );
  try {
    return await worker.ask('picture', { photo, widest: SHOWN_WIDTH }, { patience: PATIENCE });
  } catch {
    return null;
  } finally {
    // libheif's memory grows with its largest photo, and is given back with the worker alone.
    worker.end('done');
  }
}

/** Looks at a photo; null where nothing here can show it. */
export async function lookAt(photo: Blob): Promise<Looked | null> {
  // Not an <img>: what one has decoded stays in memory long after it was looked at.
  const picture = await createImageBitmap(photo, { imageOrientation: 'from-image' }).catch(() => null);
  if (!picture) {
    const copy = await decoded(photo);
    const looked = copy && (await lookAtPicture(await createImageBitmap(copy.jpeg)));
    return looked && { ...looked, width: copy.width, height: copy.height, thumb: copy.jpeg };
  }
  return lookAtPicture(picture);
}

/** @param picture which is closed */
async function lookAtPicture(picture: ImageBitmap): Promise<Looked | null> {
  try {
    const { width, height } = picture;
    const drawn = (wide: number): OffscreenCanvasRenderingContext2D => {
      const scale = Math.min(1, wide / Math.max(width, height));
      const canvas = new OffscreenCanvas(
        Math.max(1, Math.round(width * scale)),
        Math.max(1, Math.round(height * scale)),
      );
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('no canvas');
      context.imageSmoothingQuality = 'high';
      context.drawImage(picture, 0, 0, canvas.width, canvas.height);
      return context;
    };
    const checked = drawn(CHECKED_WIDTH);
    const { canvas } = checked;
    const copy = checked.getImageData(0, 0, canvas.width, canvas.height);
    const thumb = await drawn(THUMB_WIDTH).canvas.convertToBlob({ type: 'image/jpeg', quality: 0.8 });
    return { copy, width, height, thumb };
  } catch {
    return null;
  } finally {
    picture.close();
  }
}
