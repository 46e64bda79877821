import type { Pixels } from '../photos/pixels.ts';
import { resample } from '../preprocess/resample.ts';
import type { Interpolation } from '../preprocess/taps.ts';
import { type ViewCut, viewBoxes } from '../preprocess/views.ts';

/** What is done to the views of a photo before a network sees them; plain data. */
export interface ViewRecipe {
  readonly plan: ViewCut;
  /** Side of the square every view becomes, pixels. */
  readonly size: number;
  readonly interpolation: Interpolation;
  /** Per channel, of values in [0, 1]. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** 0 to 7: bit 0 mirrors left and right, bit 1 top and bottom, bit 2 rows and columns (after the others). */
  readonly turn: number;
}

/** One photo to prepare. */
export interface PreparationTask {
  readonly pixels: Pixels;
  readonly recipe: ViewRecipe;
}

/**
 * The views of a photo as a network takes them: cut, resized as Pillow does, turned, and normalised by
 * (value / 255 − mean) / std.
 *
 * @returns [views, 3, size, size], row-major
 */
export default function prepareViews({ pixels, recipe }: PreparationTask): Float32Array {
  const { plan, size, interpolation } = recipe;
  const boxes = viewBoxes(plan, pixels.width, pixels.height);
  const values = new Float32Array(boxes.length * 3 * size * size);
  boxes.forEach((box, view) => {
    const { data } = resample(pixels, box, { width: size, height: size }, interpolation);
    normaliseView(data, recipe, values.subarray(view * 3 * size * size, (view + 1) * 3 * size * size));
  });
  return values;
}

/**
 * Turns and normalises one view.
 *
 * @param data [size, size, 3]
 * @param into [3, size, size], filled
 */
export function normaliseView(
  data: Uint8Array,
  { size, mean, std, turn }: ViewRecipe,
  into: Float32Array,
): void {
  const area = size * size;
  const mirrored = (turn & 1) !== 0;
  const flipped = (turn & 2) !== 0;
  // From a pixel to its right and its lower neighbour.
  const [right, down] = (turn & 4) !== 0 ? [size, 1] : [1, size];
  const columnStep = mirrored ? -right : right;
  for (let channel = 0; channel < 3; channel++) {
    const normalised = Float32Array.from(
      { length: 256 },
      (_, value) => (value / 255 - (mean[channel] as number)) / (std[channel] as number),
    );
    let source = channel;
    for (let y = 0; y < size; y++) {
      const row = flipped ? size - 1 - y : y;
      let target = channel * area + row * down + (mirrored ? size - 1 : 0) * right;
      for (let x = 0; x < size; x++, source += 3, target += columnStep) {
        into[target] = normalised[data[source] as number] as number;
      }
    }
  }
}
