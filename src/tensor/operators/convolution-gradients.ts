import { apply, int, ints, type Operator } from '../graph/operator.ts';
import { lengthAt, type Shape } from '../graph/shape.ts';
import type { Tensor } from '../graph/tensor.ts';
import { convolution } from './convolution.ts';
import { flip, pad, slice } from './indexing.ts';
import { reshape, stack, swapAxes, transpose } from './layout.ts';
import { matmul } from './matmul.ts';
import { sumTo } from './reduction.ts';
import { type Windowing, windowAttributes } from './windowing.ts';

/** A window and into how many groups the channels fall. */
export interface Convolution extends Windowing {
  readonly groups: number;
}

type Four = readonly [number, number, number, number];

const SPREAD: Operator<readonly [Tensor, Tensor], { readonly of: Convolution; readonly shape: Shape }> = {
  name: 'transposedConvolution',
  outputs: ([y], { shape }) => [{ dtype: y.dtype, shape }],
  emit({ node }, inputs, { inputs: [y], attributes: { of, shape } }) {
    // Rows and columns that no window reached: the transposed form would leave them out.
    const rest = ([0, 1] as const).map((axis) => {
      const reached =
        (lengthAt(y.shape, axis - 2) - 1) * of.stride[axis] + of.dilation[axis] * (of.kernel[axis] - 1) + 1;
      const borders = axis === 0 ? of.border.top + of.border.bottom : of.border.left + of.border.right;
      return lengthAt(shape, axis - 2) + borders - reached;
    });
    return [
      node('ConvTranspose', inputs, {
        ...windowAttributes(of),
        group: int(of.groups),
        output_padding: ints(rest),
      }),
    ];
  },
};

/** Every output pixel spreads over the window it came from: the linear map of a convolution transposed. */
export const spread = (y: Tensor, weight: Tensor, shape: Shape, of: Convolution): Tensor =>
  apply(SPREAD, [y, weight], { of, shape });

const visitsEveryPixel = ({ stride }: Windowing): boolean => stride[0] === 1 && stride[1] === 1;

/** The gradient of a convolution's input `x`, when `g` is that of its output. */
export function inputGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  const [features, depth, rows, columns] = weight.shape as Four;
  const { top, left, bottom, right } = of.border;
  const border = {
    top: rows - 1 - top,
    left: columns - 1 - left,
    bottom: rows - 1 - bottom,
    right: columns - 1 - right,
  };
  const isDepthwise = depth === 1 && features === of.groups;
  const isDense = visitsEveryPixel(of) && of.dilation[0] === 1 && of.dilation[1] === 1;
  if (!isDepthwise || !isDense || Object.values(border).some((pixels) => pixels < 0)) {
    return spread(g, weight, x.shape, of);
  }
  // ONNX Runtime has a fast kernel for depthwise convolution, none for its transpose.
  return convolution(g, flip(flip(weight, 2), 3), undefined, { padding: border, groups: of.groups });
}

/** The gradient of a convolution's weight, when `g` is that of its output. */
export function weightGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  return visitsEveryPixel(of) && of.groups === 1
    ? productGradient(x, weight, g, of)
    : swappedGradient(x, weight, g, of);
}

/**
 * As one matrix product: what a place of the kernel sees of the picture, shifted slices of it, times the
 * output's gradient. Holds as many copies of the picture as the kernel has places.
 */
function productGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  const [features, depth, rows, columns] = weight.shape as Four;
  const [batch, , height, width] = g.shape as Four;
  const { top, left, bottom, right } = of.border;
  const framed = top + left + bottom + right > 0 ? pad(x, { 2: [top, bottom], 3: [left, right] }) : x;
  const seen = Array.from({ length: rows * columns }, (_, place) => {
    const row = Math.floor(place / columns) * of.dilation[0];
    const column = (place % columns) * of.dilation[1];
    const part = slice(framed, { 2: [row, row + height], 3: [column, column + width] });
    return reshape(part, [batch, depth, height * width]);
  });
  const pictures = reshape(stack(seen, 1), [batch, seen.length * depth, height * width]);
  const products = matmul(reshape(g, [batch, features, height * width]), pictures, { transposeB: true });
  const kernel = reshape(sumTo(products, [1, features, seen.length * depth]), [features, seen.length, depth]);
  return reshape(swapAxes(kernel, 1, 2), weight.shape);
}

/** As a convolution: pictures act as channels, `g` as the kernel, stride and dilation change places. */
function swappedGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  const [batch, , height, width] = x.shape as Four;
  const [features, depth, rows, columns] = weight.shape as Four;
  const pictures = reshape(transpose(reshape(x, [batch, of.groups, depth, height, width]), [2, 1, 0, 3, 4]), [
    depth,
    of.groups * batch,
    height,
    width,
  ]);
  const product = convolution(pictures, swapAxes(g, 0, 1), undefined, {
    stride: of.dilation,
    dilation: of.stride,
    padding: of.border,
    groups: of.groups,
  });
  const kernel = swapAxes(slice(product, { 2: [0, rows], 3: [0, columns] }), 0, 1);
  return reshape(kernel, [features, depth, rows, columns]);
}
