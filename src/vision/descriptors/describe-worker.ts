import { messageOf } from '../../ground/errors.ts';
import { decodeBytes, type Pixels } from '../photos/decode.ts';
import type { PhotoBytes } from '../photos/open.ts';
import { DESCRIPTOR_VERSION, describePhoto } from './describe.ts';

/** More pixels than this add nothing at the working size, so larger photos are shrunk while decoding. */
const MAX_PIXELS = 12_000_000;

/** The vector of one photo, or why its file does not decode. */
export type DescribedBytes =
  | { readonly version: number; readonly values: Float64Array }
  | { readonly version: number; readonly failure: string };

/** What a worker thread does with one photo; errors of a class do not survive the way back, so text goes. */
export default async function describeBytes(photo: PhotoBytes): Promise<DescribedBytes> {
  let pixels: Pixels;
  try {
    pixels = await decodeBytes(photo, { maxPixels: MAX_PIXELS });
  } catch (error) {
    return { version: DESCRIPTOR_VERSION, failure: messageOf(error) };
  }
  return { version: DESCRIPTOR_VERSION, values: describePhoto(pixels) };
}
