import type { ViewPlan } from '../preprocess/views.ts';

const TILES_A_HALF = 4;

/** Width of a photo's features from the width of a view's. */
export function combinedWidth(plan: ViewPlan, width: number): number {
  return plan === 'whole' ? width : 2 * width;
}

/**
 * One vector a photo from those of its views: the only one; left ‖ right half; or the mean of the four tiles of
 * each half, left ‖ right.
 *
 * @param views [views, width] in the order of `viewBoxes`
 */
export function combineViews(plan: ViewPlan, views: Float32Array, width: number): Float64Array {
  if (plan !== 'tiles') return Float64Array.from(views);
  const combined = new Float64Array(2 * width);
  views.forEach((value, at) => {
    const half = Math.floor(at / (TILES_A_HALF * width));
    const column = half * width + (at % width);
    combined[column] = (combined[column] as number) + value / TILES_A_HALF;
  });
  return combined;
}
