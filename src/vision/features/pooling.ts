import { UsageError } from '../../ground/errors.ts';
import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  cast,
  concat,
  constant,
  matmul,
  max,
  maximum,
  mean,
  power,
  reshape,
  type Scope,
  select,
  square,
  squareRoot,
  subtract,
  type Tensor,
} from '../../tensor/index.ts';
import type { Backbone, BackboneOutput, ForwardOptions, TokenMap } from '../backbones/index.ts';
import { type ViewCut, viewCount, viewHalves } from '../preprocess/views.ts';
import { blockNumbers, type FeaturePlan, type Pooling } from './plan.ts';

/** Exponent of the generalised mean (Radenović et al. 2019), and what negative activations count as. */
const GEM_POWER = 3;
const GEM_FLOOR = 1e-6;

/** The root has no finite slope at 0: below this a deviation counts as constant. */
const LEAST_DEVIATION = 1e-6;

/** Whether a plan reads nothing of a backbone but CLS tokens. */
export function readsClsAlone({ cls }: Backbone, { pooling }: Pick<FeaturePlan, 'pooling'>): boolean {
  return cls !== undefined && (pooling === 'cls' || (pooling === 'pooled' && cls.isPooled));
}

/**
 * What a backbone makes of views, as a plan wants it, and nothing that the plan does not read.
 *
 * @param images [views, 3, size, size], normalised
 * @returns as {@link pooledFeatures}
 * @throws UsageError as there
 */
export function viewFeatures(
  backbone: Backbone,
  scope: Scope,
  images: Tensor,
  plan: FeaturePlan,
  options: ForwardOptions = {},
): Tensor {
  const { cls } = backbone;
  if (cls === undefined || !readsClsAlone(backbone, plan)) {
    return pooledFeatures(backbone, backbone.forward(scope, images, options), plan);
  }
  const { normed, blocks } = cls.forward(scope, images, options);
  const chosen = blockNumbers(plan.blocks, backbone.depth);
  return chosen.length === 0 ? normed : sideBySide(chosen.map((block) => blockOf(backbone, blocks, block)));
}

/** @throws UsageError where there is no such block */
function blockOf<Of>({ arch, depth }: Backbone, blocks: readonly Of[], block: number): Of {
  const found = blocks[block];
  if (found !== undefined) return found;
  throw new UsageError(`${arch} has blocks 0 to ${depth - 1}, not ${block}`);
}

/**
 * One vector a view: the pooled tokens of every block asked for, one after another. With pooling `stages` those are the
 * backbone's `resolutions` where none is asked for, each mean ‖ deviation; with `patches` there is one vector a patch of
 * the map.
 *
 * @returns [views, width], or [views, grid², width]
 * @throws UsageError for a block the backbone does not have, a CLS token where there is none, or a map finer than
 *   the patches
 */
export function pooledFeatures(backbone: Backbone, output: BackboneOutput, plan: FeaturePlan): Tensor {
  const { pooling, grid } = plan;
  if (pooling === 'pooled') return output.pooled;
  const chosen = blockNumbers(plan.blocks, backbone.depth);
  const blocks = pooling === 'stages' && chosen.length === 0 ? backbone.resolutions : chosen;
  const maps = blocks.map((block) => blockOf(backbone, output.blocks, block));
  const pooled = (maps.length > 0 ? maps : [output.tokens]).map((map) =>
    pooling === 'patches' ? patchMap(backbone, map, grid) : pool(backbone, map, pooling),
  );
  return sideBySide(pooled);
}

function pool(
  backbone: Backbone,
  { patches, prefix }: TokenMap,
  pooling: Exclude<Pooling, 'pooled' | 'patches'>,
): Tensor {
  if (pooling === 'stages') return meanAndDeviation(patches);
  if (pooling === 'gem') {
    return power(mean(power(maximum(patches, GEM_FLOOR), GEM_POWER), { axes: [1] }), 1 / GEM_POWER);
  }
  const parts = pooling.split('-').map((part) => {
    if (part === 'mean') return mean(patches, { axes: [1] });
    if (part === 'max') return max(patches, { axes: [1] });
    if (prefix) return select(prefix, 1, 0);
    throw new UsageError(`${backbone.arch} has no CLS token; choose mean, gem or pooled`);
  });
  return sideBySide(parts);
}

/**
 * Mean and standard deviation (divided by the number, not one less) of every channel over all places, in single
 * precision whatever the backbone computes in: half precision cannot hold the sum of squares of a large map. Where a
 * channel is the same everywhere the deviation is {@link LEAST_DEVIATION} and nothing flows back through it.
 *
 * @param patches [views, places, dim]
 * @returns [views, 2 · dim], the means first
 */
function meanAndDeviation(patches: Tensor): Tensor {
  const values = cast(patches, 'float32');
  const centre = mean(values, { axes: [1], keepAxes: true });
  const variance = mean(square(subtract(values, centre)), { axes: [1] });
  const deviation = squareRoot(maximum(variance, LEAST_DEVIATION ** 2));
  return concat([reshape(centre, deviation.shape), deviation], -1);
}

const sideBySide = (parts: readonly Tensor[]): Tensor =>
  parts.length === 1 ? (parts[0] as Tensor) : concat(parts, -1);

/**
 * Patch tokens averaged to a map of `side` × `side`; where the patches do not divide evenly neighbouring cells
 * share some (torch's AdaptiveAvgPool2d).
 *
 * @returns [views, side², dim], row by row
 */
function patchMap({ arch }: Backbone, { patches, grid: [rows, columns] }: TokenMap, side: number): Tensor {
  if (side > rows || side > columns) {
    throw new UsageError(
      `a view has only ${rows} × ${columns} patches in ${arch}; choose input.grid up to ${Math.min(rows, columns)} or a larger input.size`,
    );
  }
  if (side === rows && side === columns) return patches;
  const down = cellShares(rows, side);
  const across = cellShares(columns, side);
  const shares = down.flatMap((rowShares) =>
    across.flatMap((columnShares) => rowShares.flatMap((row) => columnShares.map((column) => row * column))),
  );
  return matmul(constant(shares, [side * side, rows * columns]), patches);
}

/** What share of each cell each of `length` patches makes up: [cell][patch]. */
function cellShares(length: number, cells: number): number[][] {
  return Array.from({ length: cells }, (_, cell) => {
    const start = Math.floor((cell * length) / cells);
    const end = Math.ceil(((cell + 1) * length) / cells);
    return Array.from({ length }, (_, patch) => (patch >= start && patch < end ? 1 / (end - start) : 0));
  });
}

/**
 * `combineViews` of the plan as a graph, before the halves of a photo are put side by side.
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
  const [halves, views] = [combine === 'all' ? 1 : viewHalves(cut), viewCount(cut)];
  if (views === halves || combine === 'keep') return vectors;
  const width = lengthAt(vectors.shape, -1);
  return mean(reshape(vectors, [photos, halves, views / halves, width]), { axes: [2] });
}
