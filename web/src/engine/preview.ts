import type { Pixels } from '../../../src/vision/photos/pixels.ts';

/** Longest side of a preview, about, pixels: a phone's screen, and small enough for lists. */
const LONGEST = 1280;

/** A small JPEG of a photo that browsers do not show by themselves: means of squares of its pixels. */
export function previewOf({ width, height, data }: Pixels): Promise<Blob> {
  const step = Math.max(1, Math.ceil(Math.max(width, height) / LONGEST));
  const [wide, high] = [Math.max(1, Math.floor(width / step)), Math.max(1, Math.floor(height / step))];
  const small = new ImageData(wide, high);
  const count = Math.min(step, width) * Math.min(step, height);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const out = 4 * (y * wide + x);
      small.data[out + 3] = 255;
      for (let band = 0; band < 3; band++) {
        let sum = 0;
        for (let row = y * step; row < Math.min(height, (y + 1) * step); row++) {
          for (let column = x * step; column < Math.min(width, (x + 1) * step); column++) {
            sum += data[3 * (row * width + column) + band] as number;
          }
        }
        small.data[out + band] = sum / count;
      }
    }
  }
  const canvas = new OffscreenCanvas(wide, high);
  canvas.getContext('2d')?.putImageData(small, 0, 0);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.8 });
}
