import { z } from 'zod';
import { UsageError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  clamp,
  concat,
  mean,
  multiply,
  ones,
  reshape,
  type Scope,
  select,
  slice,
  subtract,
  type Tensor,
  zeros,
} from '../../tensor/index.ts';

/** How the columns of a feature row are arranged (see `NetworkShape`); a backbone's plan says it by itself. */
export const layoutSettings = z.strictObject({
  halves: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('halves whose features stand side by side in a row; a backbone’s plan says it by itself'),
  parts: z.int().min(1).default(1).describe('tiles or patches of a half, one after another; likewise'),
  extra: z.int().min(0).default(0).describe('last columns that are a further embedding of the whole photo'),
});

/** How the columns of a photo's row are arranged: halves × parts × dim, then those of the whole photo. */
export interface NetworkShape {
  /** 1: the whole photo; 2: left half, right half. */
  readonly halves: number;
  /** Tiles or patches of a half, row by row; 1 where they are pooled. */
  readonly parts: number;
  /** Width of a part's features. */
  readonly dim: number;
  /** Width of the further embedding of the whole photo; 0: there is none. */
  readonly extra: number;
  /** Covariates that are fed beside the row; absent: none. */
  readonly covariates?: number;
}

/**
 * What a network's heads read of a batch of photos, wherever it comes from: rows of a feature matrix, or a
 * backbone in the same graph.
 */
export interface Features {
  /** `[batch, halves, parts, dim]`, as {@link NetworkShape}. */
  readonly parts: Tensor;
  /** `[batch, extra]`: a further embedding of the whole photo, as SigLIP's. */
  readonly extra?: Tensor;
  /** `[batch, covariates]` on the scale that models read. */
  readonly covariates?: Tensor;
}

/**
 * The arrangement of rows of `columns` values.
 *
 * @throws UsageError when the columns do not divide so
 */
export function networkShape(
  columns: number,
  { halves, parts, extra }: Omit<NetworkShape, 'dim' | 'covariates'>,
): NetworkShape {
  const dim = (columns - extra) / (halves * parts);
  if (!Number.isInteger(dim) || dim < 1) {
    const rest = extra > 0 ? `${columns} − ${extra} columns` : `${columns} columns`;
    throw new UsageError(
      `${rest} are not ${halves} halves × ${parts} parts; say how they are arranged by estimator.layout`,
    );
  }
  return { halves, parts, dim, extra };
}

/** Columns of a row of this shape. */
export const columnsOf = ({ halves, parts, dim, extra }: NetworkShape): number =>
  halves * parts * dim + extra;

/** Features of more rows: the last one repeats until there are so many. */
export function filledFeatures({ parts, extra, covariates }: Features, rows: number): Features {
  const filled = (x: Tensor): Tensor => {
    const count = lengthAt(x.shape, 0);
    if (count >= rows) return x;
    const last = slice(x, { 0: [count - 1, count] });
    return concat([x, ...Array.from({ length: rows - count }, () => last)], 0);
  };
  return {
    parts: filled(parts),
    ...(extra && { extra: filled(extra) }),
    ...(covariates && { covariates: filled(covariates) }),
  };
}

/**
 * Rows of a feature matrix as a network takes them.
 *
 * @param rows `[batch, columns]`
 */
export function featuresOfRows(rows: Tensor, shape: NetworkShape): Features {
  const { halves, parts, dim, extra } = shape;
  const own = halves * parts * dim;
  return {
    parts: reshape(slice(rows, { 1: [0, own] }), [lengthAt(rows.shape, 0), halves, parts, dim]),
    ...(extra > 0 && { extra: slice(rows, { 1: [own, own + extra] }) }),
  };
}

/** Rows with the parts of each half averaged: what each half and the whole photo say, without where. */
export function pooledParts(rows: Matrix, { halves, parts, dim, extra }: NetworkShape): Matrix {
  if (parts === 1) return rows;
  const columns = halves * dim + extra;
  const data = new Float64Array(rows.rows * columns);
  for (let row = 0; row < rows.rows; row++) {
    const own = rows.data.subarray(row * rows.columns, (row + 1) * rows.columns);
    const pooled = data.subarray(row * columns, (row + 1) * columns);
    for (let at = 0; at < halves * parts * dim; at++) {
      const to = Math.floor(at / (parts * dim)) * dim + (at % dim);
      pooled[to] = (pooled[to] as number) + (own[at] as number) / parts;
    }
    pooled.set(own.subarray(halves * parts * dim), halves * dim);
  }
  return { rows: rows.rows, columns, data };
}

/** The mean of the parts of each half. @returns one tensor `[batch, dim]` a half */
export function halfMeans({ parts }: Features): Tensor[] {
  return halvesOf(lengthAt(parts.shape, 2) === 1 ? select(parts, 2, 0) : mean(parts, { axes: [2] }));
}

/** @param x `[batch, halves, …]` @returns one tensor `[batch, …]` a half */
export function halvesOf(x: Tensor): Tensor[] {
  return Array.from({ length: lengthAt(x.shape, 1) }, (_, half) => select(x, 1, half));
}

/** Everything about a photo in one vector: `[batch, values]`. */
export const flattened = (x: Tensor): Tensor => reshape(x, [lengthAt(x.shape, 0), -1]);

/** Width of the last axis. */
export const widthOf = (x: Tensor): number => lengthAt(x.shape, -1);

/** Scopes of the statistics of parts and of the further embedding: `mean` and `scale` in each. */
export const PARTS_STATISTICS = 'standardise.parts';
export const EXTRA_STATISTICS = 'standardise.extra';

/**
 * Features as (x − mean) · scale, bounded by ± `limit`. Mean and scale, one a feature, the same for all halves and
 * parts, are variables of the model that whoever trains it sets from the training photos.
 */
export function standardisedFeatures(scope: Scope, features: Features, limit: number): Features {
  return {
    ...features,
    parts: standardised(scope.in(PARTS_STATISTICS), features.parts, limit),
    ...(features.extra && { extra: standardised(scope.in(EXTRA_STATISTICS), features.extra, limit) }),
  };
}

/** `[…, width]` by mean and scale of its last axis, which are variables of the scope. */
export function standardised(scope: Scope, x: Tensor, limit: number): Tensor {
  const width = widthOf(x);
  const centre = scope.variable('mean', [width], zeros, { trained: false });
  const scale = scope.variable('scale', [width], ones, { trained: false });
  return clamp(multiply(subtract(x, centre), scale), -limit, limit);
}
