import { SwardError } from '../../ground/errors.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { photoVectors } from '../photo-vectors.ts';
import {
  decodeOpenPhoto,
  type FramedPhoto,
  isFramed,
  type OpenPhoto,
  openPhoto,
  type Photo,
  photoName,
  type Quadrilateral,
} from '../photos/index.ts';
import { type Crop, cornersOf } from './crop.ts';
import { findFrame, LOOKED_AT } from './find-frame.ts';

/** What of a photo counts: all of it, a part that was given, or the inside of its frame. */
export type Framing = 'whole' | FramedPhoto['framing'];

export const framingOf = (photo: Photo): Framing => (isFramed(photo) ? photo.framing : 'whole');

/** Rises whenever a photo's frame would be found elsewhere. */
const FINDING_VERSION = 1;

/** Photos looked at together. */
const AT_ONCE = 2;

/** What stands for no frame. */
const NOT_FOUND = new Float64Array(8).fill(-1);

/**
 * The part of each photo that counts. Of `auto` that is the inside of its frame, remembered by the photo's content, or the
 * whole photo where none is found. Photos that cannot be used stay as they are: whoever reads them tells; so do parts.
 *
 * @param crop null: whole photos
 * @throws UsageError with a photo's size where a part that was given does not lie in it
 */
export async function framedPhotos(
  photos: readonly Photo[],
  crop: Crop | null,
  { progress = SILENT }: { readonly progress?: Progress } = {},
): Promise<readonly Photo[]> {
  if (crop === null) return photos;
  const corners = crop === 'auto' ? await foundCorners(photos, progress) : await givenCorners(photos, crop);
  const framing = crop === 'auto' ? 'frame' : 'given';
  return photos.map((photo, item) => {
    const own = corners[item];
    return isFramed(photo) || !own ? photo : { of: photo, corners: own, framing };
  });
}

async function foundCorners(photos: readonly Photo[], progress: Progress): Promise<(Quadrilateral | null)[]> {
  const { data } = await photoVectors(
    photos,
    {
      stage: 'Finding frames',
      kind: `frames-v${FINDING_VERSION}`,
      columns: NOT_FOUND.length,
      atOnce: AT_ONCE,
      vectorOf: async (photo) => (await frameIn(photo)) ?? NOT_FOUND,
    },
    { progress, onError: () => {} },
  );
  return photos.map((_, item) => {
    const [ax, ay, bx, by, cx, cy, dx, dy] = data.subarray(8 * item, 8 * item + 8) as unknown as Numbers;
    const corners: Quadrilateral = [
      { x: ax, y: ay },
      { x: bx, y: by },
      { x: cx, y: cy },
      { x: dx, y: dy },
    ];
    return ax >= 0 ? corners : null;
  });
}

type Numbers = readonly [number, number, number, number, number, number, number, number];

/** Corners of a photo's frame, in its own pixels. */
async function frameIn(photo: OpenPhoto): Promise<Float64Array | null> {
  const pixels = await decodeOpenPhoto(photo, { maxPixels: LOOKED_AT });
  const found = findFrame(pixels);
  const [across, down] = [photo.width / pixels.width, photo.height / pixels.height];
  return found && Float64Array.from(found.flatMap(({ x, y }) => [x * across, y * down]));
}

async function givenCorners(
  photos: readonly Photo[],
  numbers: readonly number[],
): Promise<(Quadrilateral | null)[]> {
  const corners: (Quadrilateral | null)[] = [];
  for (const photo of photos) {
    const size = isFramed(photo) ? null : await sizeOf(photo);
    corners.push(size && cornersOf(numbers, { name: photoName(photo), ...size }));
  }
  return corners;
}

/** Null of a photo that cannot be used. */
async function sizeOf(photo: Photo): Promise<Pick<OpenPhoto, 'width' | 'height'> | null> {
  try {
    const { width, height } = await openPhoto(photo);
    return { width, height };
  } catch (error) {
    if (error instanceof SwardError) return null;
    throw error;
  }
}
