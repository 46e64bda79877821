import {
  concat,
  reshape,
  resize,
  type Scope,
  slice,
  type Tensor,
  transpose,
  truncatedNormal,
} from '../../tensor/index.ts';
import type { Size } from './backbone.ts';

/**
 * The learnt position embedding `pos_embed` for a grid of patches. Where the grid is not the one it was learnt
 * for, it is resampled as timm's `resample_abs_pos_embed` does: in float32, bicubic, antialiased, rows for
 * prefix tokens untouched. Of frozen weights ONNX Runtime does so once, when the session starts.
 *
 * @param native the grid it was learnt for
 * @param prefix how many of its first rows belong to prefix tokens
 * @returns `[1, prefix + rows · columns, dim]`
 */
export function positionEmbedding(
  scope: Scope,
  dim: number,
  { native, grid, prefix }: { readonly native: Size; readonly grid: Size; readonly prefix: number },
): Tensor {
  const count = native[0] * native[1];
  const full = scope.parameter('pos_embed', [1, prefix + count, dim], truncatedNormal());
  if (native[0] === grid[0] && native[1] === grid[1]) return full;
  const map = reshape(slice(full, { 1: [prefix, prefix + count] }), [1, ...native, dim]);
  const resized = resize(transpose(map, [0, 3, 1, 2]), grid, { mode: 'bicubic' });
  const patches = reshape(transpose(resized, [0, 2, 3, 1]), [1, grid[0] * grid[1], dim]);
  return prefix > 0 ? concat([slice(full, { 1: [0, prefix] }), patches], 1) : patches;
}
