import type { Pixels } from './pixels.ts';
import { type Projection, projectionOnto, type Quadrilateral, rectifiedSize } from './quadrilateral.ts';

/** Points a pixel is the mean of along each side, at most. */
const MOST_POINTS = 4;

/**
 * The picture of a rectangle that was seen in perspective, as if from above: each pixel the mean of as many bilinear points
 * as keep it free of aliasing. A rectangle along the pixels is copied.
 *
 * @param pixels [height, width, 3]
 * @param corners in the picture
 * @returns as large as `rectifiedSize` says
 */
export function rectified(pixels: Pixels, corners: Quadrilateral): Pixels {
  const { width, height } = rectifiedSize(corners, pixels);
  const projection = projectionOnto(corners);
  const points = Math.min(MOST_POINTS, Math.max(1, Math.round(coarsestStep(corners, width, height))));
  const data = new Uint8Array(width * height * 3);
  const share = 1 / points ** 2;
  const sums = new Float64Array(3);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at += 3) {
      sums.fill(0.5);
      for (let point = 0; point < points ** 2; point++) {
        const u = (column + ((point % points) + 0.5) / points) / width;
        const v = (row + (Math.floor(point / points) + 0.5) / points) / height;
        addBilinear(pixels, projection, u, v, share, sums);
      }
      data[at] = sums[0] as number;
      data[at + 1] = sums[1] as number;
      data[at + 2] = sums[2] as number;
    }
  }
  return { width, height, data };
}

/** Pixels of the photo a pixel of the result is wide or high, where most. */
function coarsestStep([a, b, c, d]: Quadrilateral, width: number, height: number): number {
  const across = Math.max(Math.hypot(a.x - b.x, a.y - b.y), Math.hypot(c.x - d.x, c.y - d.y)) / width;
  const down = Math.max(Math.hypot(b.x - c.x, b.y - c.y), Math.hypot(d.x - a.x, d.y - a.y)) / height;
  return Math.max(across, down);
}

function addBilinear(
  { width, height, data }: Pixels,
  [p0, p1, p2, p3, p4, p5, p6, p7]: Projection,
  u: number,
  v: number,
  share: number,
  sums: Float64Array,
): void {
  const w = p6 * u + p7 * v + 1;
  const x = Math.min(width - 1, Math.max(0, (p0 * u + p1 * v + p2) / w - 0.5));
  const y = Math.min(height - 1, Math.max(0, (p3 * u + p4 * v + p5) / w - 0.5));
  const [left, top] = [Math.min(width - 2, Math.floor(x)), Math.min(height - 2, Math.floor(y))];
  const [right, low] = [x - left, y - top];
  const at = 3 * (top * width + left);
  const below = at + 3 * width;
  for (let band = 0; band < 3; band++) {
    const upper = (data[at + band] as number) * (1 - right) + (data[at + 3 + band] as number) * right;
    const lower = (data[below + band] as number) * (1 - right) + (data[below + 3 + band] as number) * right;
    sums[band] = (sums[band] as number) + share * (upper * (1 - low) + lower * low);
  }
}
