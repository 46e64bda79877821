import { ShapeError } from '../../ground/errors.ts';
import { apply, int, type Operator, text } from '../graph/operator.ts';
import { lengthAt } from '../graph/shape.ts';
import { describe, type Tensor } from '../graph/tensor.ts';

interface Sampling {
  readonly mode: 'bilinear' | 'bicubic' | 'nearest';
  readonly outside: 'zeros' | 'border' | 'reflection';
  readonly alignCorners: boolean;
}

const ONNX_MODES = { bilinear: 'linear', bicubic: 'cubic', nearest: 'nearest' } as const;

const SAMPLE: Operator<readonly [Tensor, Tensor], Sampling> = {
  name: 'sampleGrid',
  outputs([x, grid]) {
    const fits = x.shape.length === 4 && grid.shape.length === 4 && lengthAt(grid.shape, 3) === 2;
    if (!fits || grid.shape[0] !== x.shape[0] || grid.dtype !== x.dtype) {
      throw new ShapeError(
        `sampleGrid: ${describe(grid)} is not [batch, height, width, 2] for ${describe(x)}`,
      );
    }
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...grid.shape.slice(1, 3)] }];
  },
  emit: ({ node }, inputs, { attributes: { mode, outside, alignCorners } }) => [
    node('GridSample', inputs, {
      mode: text(ONNX_MODES[mode]),
      padding_mode: text(outside),
      align_corners: int(alignCorners ? 1 : 0),
    }),
  ],
};

/**
 * Reads pictures at given places (torch's `grid_sample`); no gradient passes.
 *
 * @param x `[batch, channels, height, width]`
 * @param grid `[batch, height', width', 2]` of (x, y), −1 and 1 being the outer edges of the picture
 * @returns `[batch, channels, height', width']`
 * @throws ShapeError when the grid does not fit
 */
export function sampleGrid(x: Tensor, grid: Tensor, options: Partial<Sampling> = {}): Tensor {
  const { mode = 'bilinear', outside = 'zeros', alignCorners = false } = options;
  return apply(SAMPLE, [x, grid], { mode, outside, alignCorners });
}
