import { ShapeError } from '../../ground/errors.ts';
import { describe, type Tensor } from '../graph/tensor.ts';
import { reshape, transpose } from './layout.ts';
import type { Two } from './windowing.ts';

/**
 * Cuts maps into windows: `[batch, height, width, dim]` → `[batch · windows, rows · columns, dim]`, windows in
 * reading order.
 *
 * @throws ShapeError when the windows do not tile the map
 */
export function windowPartition(x: Tensor, [rows, columns]: Two): Tensor {
  const [batch, height, width, dim] = x.shape as [number, number, number, number];
  if (x.shape.length !== 4 || height % rows !== 0 || width % columns !== 0) {
    throw new ShapeError(`windowPartition: ${rows}×${columns} windows do not tile ${describe(x)}`);
  }
  const cut = reshape(x, [batch, height / rows, rows, width / columns, columns, dim]);
  return reshape(transpose(cut, [0, 1, 3, 2, 4, 5]), [-1, rows * columns, dim]);
}

/** Puts windows back: the inverse of {@link windowPartition} for maps of `[height, width]`. */
export function windowMerge(windows: Tensor, [rows, columns]: Two, [height, width]: Two): Tensor {
  const dim = windows.shape[2];
  if (windows.shape.length !== 3 || dim === undefined || height % rows !== 0 || width % columns !== 0) {
    throw new ShapeError(`windowMerge: ${describe(windows)} is not ${rows}×${columns} of ${height}×${width}`);
  }
  const apart = reshape(windows, [-1, height / rows, width / columns, rows, columns, dim]);
  return reshape(transpose(apart, [0, 1, 3, 2, 4, 5]), [-1, height, width, dim]);
}
