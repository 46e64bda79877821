import type { Pixels } from './pixels.ts';
import { projectionOnto, type Quadrilateral, rectifiedSize, sideLengths } from './quadrilateral.ts';

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
  const [p0, p1, p2, p3, p4, p5, p6, p7] = projectionOnto(corners);
  const points = Math.min(MOST_POINTS, Math.max(1, Math.round(coarsestStep(corners, width, height))));
  const data = new Uint8Array(width * height * 3);
  const sums = new Float64Array(3);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at += 3) {
      sums.fill(0);
      for (let point = 0; point < points * points; point++) {
        const down = Math.floor(point / points);
        const u = (column + (point - down * points + 0.5) / points) / width;
        const v = (row + (down + 0.5) / points) / height;
        const w = p6 * u + p7 * v + 1;
        addBilinear(pixels, (p0 * u + p1 * v + p2) / w - 0.5, (p3 * u + p4 * v + p5) / w - 0.5, sums);
      }
      const share = 1 / (points * points);
      for (let band = 0; band < 3; band++) data[at + band] = (sums[band] as number) * share + 0.5;
    }
  }
  return { width, height, data };
}

/** Pixels of the photo a pixel of the result is wide or high, where most. */
function coarsestStep(corners: Quadrilateral, width: number, height: number): number {
  const [top, right, bottom, left] = sideLengths(corners);
  return Math.max(Math.max(top, bottom) / width, Math.max(left, right) / height);
}

/** Adds the colour between pixels at a place, counted from the first pixel's centre; outside that of the nearest. */
function addBilinear({ width, height, data }: Pixels, column: number, row: number, sums: Float64Array): void {
  const x = Math.min(width - 1, Math.max(0, column));
  const y = Math.min(height - 1, Math.max(0, row));
  const left = Math.max(0, Math.min(width - 2, Math.floor(x)));
  const top = Math.max(0, Math.min(height - 2, Math.floor(y)));
  const right = x - left;
  const low = y - top;
  const at = 3 * (top * width + left);
  const below = at + 3 * width;
  for (let band = 0; band < 3; band++) {
    const upper = (data[at + band] as number) * (1 - right) + (data[at + 3 + band] as number) * right;
    const lower = (data[below + band] as number) * (1 - right) + (data[below + 3 + band] as number) * right;
    sums[band] = (sums[band] as number) + upper * (1 - low) + lower * low;
  }
}
