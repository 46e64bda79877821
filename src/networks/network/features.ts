import { lengthAt } from '../../tensor/graph/shape.ts';
import { mean, reshape, select, type Tensor } from '../../tensor/index.ts';

/**
 * What a network's heads read of a batch of photos, wherever it comes from: rows of a feature matrix, or a
 * backbone in the same graph.
 */
export interface Features {
  /**
   * `[batch, halves, parts, dim]`: left half before right half (one where the photo is not halved); parts are
   * tiles or patches, row by row, or a single one where the half is pooled.
   */
  readonly parts: Tensor;
  /** `[batch, width]`: a further embedding of the whole photo, as SigLIP's. */
  readonly extra?: Tensor;
}

/** The mean of the parts of each half. @returns one tensor `[batch, dim]` a half */
export function halfMeans({ parts }: Features): Tensor[] {
  return halvesOf(lengthAt(parts.shape, 2) === 1 ? select(parts, 2, 0) : mean(parts, { axes: [2] }));
}

/** @param x `[batch, halves, …]` @returns one tensor `[batch, …]` a half */
export function halvesOf(x: Tensor): Tensor[] {
  return Array.from({ length: lengthAt(x.shape, 1) }, (_, half) => select(x, 1, half));
}

/** Everything about a photo in one vector: `[batch, halves · parts · dim + extra]`. */
export const flattened = (x: Tensor): Tensor => reshape(x, [lengthAt(x.shape, 0), -1]);
