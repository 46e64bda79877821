import type { Plane } from './frame.ts';

/** The picture less its blur by 1-2-1 in both directions; the border pixels are left out. */
export function detail({ width, height, data }: Plane): Float32Array {
  const inner = new Float32Array((width - 2) * (height - 2));
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const sides =
        (data[i - 1] as number) +
        (data[i + 1] as number) +
        ((data[i - width] as number) + (data[i + width] as number));
      const corners =
        (data[i - width - 1] as number) +
        (data[i - width + 1] as number) +
        ((data[i + width - 1] as number) + (data[i + width + 1] as number));
      inner[(y - 1) * (width - 2) + x - 1] = 0.75 * (data[i] as number) - 0.125 * sides - 0.0625 * corners;
    }
  }
  return inner;
}
