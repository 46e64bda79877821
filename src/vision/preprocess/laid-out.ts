import { InputError } from '../../ground/errors.ts';
import type { Pixels } from '../photos/pixels.ts';

/**
 * A photo lying where views are cut from it: an upright one laid on its side where that is wanted.
 *
 * @param name what errors call the photo
 * @param upright `turn` as plans have it; absent: photos are taken as they are
 * @throws InputError where it is too small to be cut
 */
export function laidOut(name: string, photo: Pixels, upright: 'turn' | undefined): Pixels {
  const pixels = upright === 'turn' && photo.height > photo.width ? transposed(photo) : photo;
  if (pixels.width >= 2 * 2 && pixels.height >= 2) return pixels;
  throw new InputError(name, `is only ${pixels.width}×${pixels.height} pixels`, 'give a photo of a quadrat');
}

/** Rows as columns: a sward seen from above has no side that is up. */
function transposed({ width, height, data }: Pixels): Pixels {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [from, to] = [3 * (y * width + x), 3 * (x * height + y)];
      turned[to] = data[from] as number;
      turned[to + 1] = data[from + 1] as number;
      turned[to + 2] = data[from + 2] as number;
    }
  }
  return { width: height, height: width, data: turned };
}
