import { ShapeError } from '../../ground/errors.ts';
import { requireFloating } from '../graph/dtype.ts';
import { constant } from '../graph/leaves.ts';
import { apply, describe, float, int, type Operator, type Tensor, text } from '../graph/operator.ts';
import { lengthAt, requireShape } from '../graph/shape.ts';
import { matmul } from './matmul.ts';
import type { One, Pair } from './pointwise.ts';
import type { Two } from './windowing.ts';

export interface ResizeOptions {
  readonly mode: 'bilinear' | 'bicubic';
  /** Widen the filter when shrinking, as PIL and torch's `antialias=True` do. Default true. */
  readonly antialias?: boolean;
}

interface Resize {
  readonly size: Two;
  readonly mode: 'bilinear' | 'bicubic';
  readonly antialias: boolean;
}

const RESIZE: Operator<One, Resize> = {
  name: 'resize',
  outputs([x], { size }) {
    requireFloating(x.dtype, 'resize');
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...size] }];
  },
  emit: ({ node, indices }, [x], { inputs: [source], attributes: { size, mode, antialias } }) => [
    // All four lengths and no axes attribute, which ONNX Runtime's transpose optimizer trips over.
    node('Resize', [x, '', '', indices([...source.shape.slice(0, 2), ...size])], {
      mode: text(mode === 'bilinear' ? 'linear' : 'cubic'),
      coordinate_transformation_mode: text('half_pixel'),
      antialias: int(antialias ? 1 : 0),
      // Keys' −0.5 is what PIL and torch's antialiased path use; torch's plain bicubic uses −0.75.
      cubic_coeff_a: float(cubicSharpness(antialias)),
      // Beyond the border torch repeats the edge where it does not antialias, and leaves it out where it does.
      exclude_outside: int(antialias ? 1 : 0),
    }),
  ],
  gradient: ({ inputs: [x], attributes: { size, mode, antialias }, gradient }) => [
    () => {
      const matrix = (axis: 0 | 1): Tensor => {
        const from = lengthAt(x.shape, axis + 2);
        const weights = interpolationMatrix(from, size[axis], mode, antialias);
        return constant(weights, [size[axis], from], x.dtype);
      };
      // Resizing is linear and separable: the gradient is the two transposed interpolation matrices.
      const rows = matmul(matrix(0), gradient, { transposeA: true });
      return matmul(rows, matrix(1));
    },
  ],
};

const cubicSharpness = (antialias: boolean): number => (antialias ? -0.5 : -0.75);

/** Row-major `[to, from]`: the share of every source pixel in every resized one, along one axis. */
function interpolationMatrix(
  from: number,
  to: number,
  mode: Resize['mode'],
  antialias: boolean,
): Float64Array {
  const scale = from / to;
  const stretch = antialias ? Math.max(scale, 1) : 1;
  const radius = (mode === 'bilinear' ? 1 : 2) * stretch;
  const matrix = new Float64Array(to * from);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale - 0.5;
    let total = 0;
    for (let j = Math.ceil(centre - radius); j <= Math.floor(centre + radius); j++) {
      if (antialias && (j < 0 || j >= from)) continue;
      const at = i * from + Math.min(Math.max(j, 0), from - 1);
      const weight = kernelAt(Math.abs(j - centre) / stretch, mode, cubicSharpness(antialias));
      matrix[at] = (matrix[at] as number) + weight;
      total += weight;
    }
    for (let j = 0; j < from; j++) matrix[i * from + j] = (matrix[i * from + j] as number) / total;
  }
  return matrix;
}

/** The triangle, or Keys' cubic convolution kernel (IEEE Trans. ASSP 29, 1981) with parameter a. */
function kernelAt(t: number, mode: Resize['mode'], a: number): number {
  if (mode === 'bilinear') return Math.max(1 - t, 0);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
}

/**
 * Resamples pictures or position embeddings to another height and width, pixel centres at half. With
 * antialiasing (default) it equals PIL's and torch's `antialias=True`; without it, torch's plain `interpolate`.
 *
 * @param x `[batch, channels, height, width]`
 * @throws ShapeError when `x` has not four axes
 */
export function resize(x: Tensor, size: Two, { mode, antialias = true }: ResizeOptions): Tensor {
  if (x.shape.length !== 4) throw new ShapeError(`resize: ${describe(x)} needs four axes`);
  requireShape(size, 'resize');
  return apply(RESIZE, [x], { size, mode, antialias });
}

interface Sampling {
  readonly mode: 'bilinear' | 'bicubic' | 'nearest';
  readonly outside: 'zeros' | 'border' | 'reflection';
  readonly alignCorners: boolean;
}

const ONNX_MODES = { bilinear: 'linear', bicubic: 'cubic', nearest: 'nearest' } as const;

const SAMPLE: Operator<Pair, Sampling> = {
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
