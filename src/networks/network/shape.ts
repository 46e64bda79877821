import { UsageError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { reshape, slice, type Tensor } from '../../tensor/index.ts';
import type { Features } from './features.ts';
import type { LayoutSettings } from './settings.ts';

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
}

/**
 * The arrangement of rows of `columns` values.
 *
 * @throws UsageError when the columns do not divide so
 */
export function networkShape(columns: number, { halves, parts, extra }: LayoutSettings): NetworkShape {
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

/**
 * Rows of a feature matrix as a network takes them.
 *
 * @param rows `[batch, columns]`
 */
export function featuresOfRows(rows: Tensor, shape: NetworkShape): Features {
  const { halves, parts, dim, extra } = shape;
  const batch = rows.shape[0] as number;
  const own = halves * parts * dim;
  return {
    parts: reshape(slice(rows, { 1: [0, own] }), [batch, halves, parts, dim]),
    ...(extra > 0 && { extra: slice(rows, { 1: [own, own + extra] }) }),
  };
}
