import { lengthAt } from '../../tensor/graph/shape.ts';
import { mean, reshape, type Tensor } from '../../tensor/index.ts';
import { type ViewCut, viewCount, viewHalves } from '../preprocess/views.ts';
import { type FeaturePlan, featureLayout, viewCut } from './plan.ts';

/** What of a plan decides how views become a photo's features. */
type Combination = Pick<FeaturePlan, 'view' | 'windows' | 'combine' | 'pooling' | 'grid'>;

/** Width of a photo's features from the width of a view's, patches and all. */
export function combinedWidth(plan: Combination, width: number): number {
  const { halves, parts } = featureLayout(plan);
  return plan.pooling === 'patches' ? halves * width : halves * parts * width;
}

/**
 * One vector a photo from those of its views: one after another, left before right half; or the mean of the four
 * tiles of each half, left ‖ right; or the mean of all windows.
 *
 * @param views [views, width] in the order of `viewBoxes`
 */
export function combineViews(plan: Combination, views: Float32Array, width: number): Float64Array {
  const halves = viewHalves(viewCut(plan));
  const averaged = views.length / (halves * width);
  if (averaged === 1 || plan.combine === 'keep') return Float64Array.from(views);
  const combined = new Float64Array(halves * width);
  views.forEach((value, at) => {
    const half = Math.floor(at / (averaged * width));
    const column = half * width + (at % width);
    combined[column] = (combined[column] as number) + value / averaged;
  });
  return combined;
}

/**
 * {@link combineViews} as a graph, before the halves of a photo are put side by side.
 *
 * @param vectors of views, photo by photo, in any arrangement whose last axis is a view's vector
 * @returns the vectors themselves where all are kept, else `[photos, halves, width]`
 */
export function combinedViews(
  cut: ViewCut,
  combine: FeaturePlan['combine'],
  vectors: Tensor,
  photos: number,
): Tensor {
  const [halves, views] = [viewHalves(cut), viewCount(cut)];
  if (views === halves || combine === 'keep') return vectors;
  const width = lengthAt(vectors.shape, -1);
  return mean(reshape(vectors, [photos, halves, views / halves, width]), { axes: [2] });
}
