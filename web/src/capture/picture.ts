import { CHECKED_WIDTH, type CheckedPhoto } from './checks.ts';

/** What a browser that can show a photo makes of it. */
export interface Looked {
  readonly copy: CheckedPhoto['copy'];
  readonly width: number;
  readonly height: number;
  /** A small JPEG for lists. */
  readonly thumb: Blob;
}

const THUMB_WIDTH = 320;

/** Looks at a photo; null where this browser does not show such files, as HEIC in most. */
export async function lookAt(photo: Blob): Promise<Looked | null> {
  // Not an <img>: what one has decoded stays in memory long after it was looked at.
  const picture = await createImageBitmap(photo, { imageOrientation: 'from-image' }).catch(() => null);
  if (!picture) return null;
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
