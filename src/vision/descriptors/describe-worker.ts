import type { Pixels } from '../photos/pixels.ts';
import { type DescriptorView, describePhoto } from './describe.ts';

/** A photo, and the views wanted of it (see `describePhoto`). */
export interface DescribeTask {
  readonly pixels: Pixels;
  readonly views?: readonly DescriptorView[];
}

/** What a worker thread does with one photo. */
export default function describe({ pixels, views }: DescribeTask): Float64Array {
  return describePhoto(pixels, views);
}
