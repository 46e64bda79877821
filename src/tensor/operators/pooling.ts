import { ShapeError } from '../../ground/errors.ts';
import { constant, full } from '../graph/leaves.ts';
import { apply, describe, int, type Operator, type Tensor } from '../graph/operator.ts';
import { lengthAt, sizeOf } from '../graph/shape.ts';
import { spread } from './convolution.ts';
import { multiply } from './elementwise.ts';
import { scatterAdd } from './gather.ts';
import { reshape } from './layout.ts';
import type { One } from './pointwise.ts';
import { mean } from './reduction.ts';
import {
  both,
  type Two,
  type Windowing,
  type WindowOptions,
  windowAttributes,
  windowedSize,
  windowingOf,
} from './windowing.ts';

export type PoolingOptions = WindowOptions;

const MAX_POOL: Operator<One, Windowing> = {
  name: 'maxPool',
  outputs([x], window) {
    const shape = [...x.shape.slice(0, 2), ...windowedSize(x, window, 'maxPool')];
    return [
      { dtype: x.dtype, shape },
      { dtype: 'int64', shape },
    ];
  },
  emit: ({ nodes }, inputs, { attributes }) => nodes('MaxPool', inputs, 2, windowAttributes(attributes)),
  gradient: ({ inputs: [x], outputs: [, winners], gradient }) => [
    () => {
      // ONNX counts the winners' positions over the whole flattened tensor.
      const at = reshape(winners as Tensor, [-1]);
      const flat = scatterAdd([sizeOf(x.shape)], at, reshape(gradient, [-1]), 0);
      return reshape(flat, x.shape);
    },
  ],
};

const AVERAGE_POOL: Operator<One, Windowing & { readonly countBorder: boolean }> = {
  name: 'averagePool',
  outputs: ([x], window) => [
    { dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...windowedSize(x, window, 'averagePool')] },
  ],
  emit: ({ node }, inputs, { attributes }) => [
    node('AveragePool', inputs, {
      ...windowAttributes(attributes),
      count_include_pad: int(attributes.countBorder ? 1 : 0),
    }),
  ],
  gradient: ({ inputs: [x], attributes, gradient: g }) => [
    () => {
      const channels = lengthAt(x.shape, 1);
      const ones = full([channels, 1, ...attributes.kernel], 1, x.dtype);
      const size: Two = [lengthAt(g.shape, 2), lengthAt(g.shape, 3)];
      const shares = constant(windowShares(x, size, attributes), [1, 1, ...size], x.dtype);
      return spread(multiply(g, shares), ones, x.shape, { ...attributes, groups: channels });
    },
  ],
};

/** One over the number of pixels each window averages. */
function windowShares(x: Tensor, size: Two, window: Windowing & { readonly countBorder: boolean }): number[] {
  const inside = (axis: 0 | 1): number[] => {
    const before = axis === 0 ? window.border.top : window.border.left;
    const length = lengthAt(x.shape, axis - 2);
    return Array.from({ length: size[axis] }, (_, i) => {
      if (window.countBorder) return window.kernel[axis];
      const positions = Array.from(
        { length: window.kernel[axis] },
        (_, k) => i * window.stride[axis] - before + k * window.dilation[axis],
      );
      return positions.filter((position) => position >= 0 && position < length).length;
    });
  };
  const columns = inside(1);
  return inside(0).flatMap((rows) => columns.map((column) => 1 / (rows * column)));
}

function windowOf(x: Tensor, kernel: number | Two, options: PoolingOptions, name: string): Windowing {
  if (x.shape.length !== 4) throw new ShapeError(`${name}: ${describe(x)} needs four axes`);
  const size = both(kernel, 1);
  const window = windowingOf(x.shape, size, { ...options, stride: options.stride ?? size });
  const { top, bottom, left, right } = window.border;
  if (Math.max(top, bottom) >= size[0] || Math.max(left, right) >= size[1]) {
    throw new ShapeError(`${name}: padding must be smaller than the ${size.join('×')} window`);
  }
  return window;
}

/**
 * Largest value in each window of `[batch, channels, height, width]`.
 *
 * @param options stride defaults to the window's own size
 * @throws ShapeError when the window or the padding does not fit
 */
export const maxPool = (x: Tensor, kernel: number | Two, options: PoolingOptions = {}): Tensor =>
  apply(MAX_POOL, [x], windowOf(x, kernel, options, 'maxPool'));

/**
 * Mean of each window of `[batch, channels, height, width]`.
 *
 * @param options stride defaults to the window's own size; `countBorder` (default true, as torch) counts
 *   padded zeros as pixels
 * @throws ShapeError when the window or the padding does not fit
 */
export function averagePool(
  x: Tensor,
  kernel: number | Two,
  options: PoolingOptions & { readonly countBorder?: boolean } = {},
): Tensor {
  const window = windowOf(x, kernel, options, 'averagePool');
  return apply(AVERAGE_POOL, [x], { ...window, countBorder: options.countBorder ?? true });
}

/** Mean over height and width: `[batch, channels, height, width]` → `[batch, channels]`. */
export const globalAveragePool = (x: Tensor): Tensor => mean(x, { axes: [2, 3] });
