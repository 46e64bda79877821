import type { Pixels } from '../photos/decode.ts';
import { DESCRIPTOR_VERSION, describePhoto } from './describe.ts';

/** The vector of one photo, and by which version of the descriptors. */
export interface Description {
  readonly version: number;
  readonly values: Float64Array;
}

/** What a worker thread does with one photo. */
export default function describePixels(pixels: Pixels): Description {
  return { version: DESCRIPTOR_VERSION, values: describePhoto(pixels) };
}
