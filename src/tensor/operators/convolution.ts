import { ShapeError } from '../../ground/errors.ts';
import {
  apply,
  describe,
  type GradientRule,
  int,
  ints,
  type Operator,
  type Tensor,
} from '../graph/operator.ts';
import { lengthAt, type Shape, sameShape } from '../graph/shape.ts';
import { operationsBefore } from '../graph/traverse.ts';
import { depthwiseInBlocks, isDepthwise } from './channel-blocks.ts';
import { flip, gather } from './gather.ts';
import { reshape, swapAxes, transpose } from './layout.ts';
import { matmul } from './matmul.ts';
import type { Pair } from './pointwise.ts';
import { sum, sumTo } from './reduction.ts';
import { pad, select, slice, stack } from './slicing.ts';
import {
  type Two,
  type Windowing,
  type WindowOptions,
  windowAttributes,
  windowedSize,
  windowingOf,
} from './windowing.ts';

export interface ConvolutionOptions extends WindowOptions {
  /** Default 1. */
  readonly groups?: number;
}

/** A window and into how many groups the channels fall. */
interface Convolution extends Windowing {
  readonly groups: number;
}

const CONVOLUTION: Operator<readonly Tensor[], Convolution> = {
  name: 'convolution',
  outputs(inputs, options) {
    const [x, weight, bias] = inputs as [Tensor, Tensor, Tensor?];
    const [batch, channels] = x.shape as [number, number];
    const [features, depth] = weight.shape as [number, number];
    const biasFits = bias === undefined || sameShape(bias.shape, [features]);
    const groupsFit = depth * options.groups === channels && features % options.groups === 0;
    if (x.dtype !== weight.dtype || !groupsFit || !biasFits) {
      const all = inputs.map(describe).join(', ');
      throw new ShapeError(`convolution: ${all} do not fit with ${options.groups} groups`);
    }
    return [{ dtype: x.dtype, shape: [batch, features, ...windowedSize(x, options, 'convolution')] }];
  },
  emit(emission, inputs, operation) {
    const { attributes } = operation;
    const whole = { ...windowAttributes(attributes), group: int(attributes.groups) };
    return [depthwiseInBlocks(emission, inputs, operation) ?? emission.node('Conv', inputs, whole)];
  },
  gradient({ inputs, attributes, gradient }): readonly GradientRule[] {
    const [x, weight, bias] = inputs as [Tensor, Tensor, Tensor?];
    return [
      () => inputGradient(x, weight, gradient, attributes),
      () => weightGradient(x, weight, gradient, attributes),
      ...(bias ? [() => sum(gradient, { axes: [0, 2, 3] })] : []),
    ];
  },
};

/**
 * 2-D convolution (cross-correlation, as in torch).
 *
 * @param x `[batch, channels, height, width]`
 * @param weight `[features, channels / groups, rows, columns]`
 * @param bias `[features]`
 * @returns `[batch, features, height', width']`
 * @throws ShapeError when channels, groups or the window do not fit
 */
export function convolution(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: ConvolutionOptions = {},
): Tensor {
  if (x.shape.length !== 4 || weight.shape.length !== 4) {
    throw new ShapeError(`convolution: ${describe(x)} and ${describe(weight)} need four axes each`);
  }
  const kernel: Two = [lengthAt(weight.shape, 2), lengthAt(weight.shape, 3)];
  const attributes = { ...windowingOf(x.shape, kernel, options), groups: options.groups ?? 1 };
  return apply(CONVOLUTION, bias ? [x, weight, bias] : [x, weight], attributes);
}

type Four = readonly [number, number, number, number];

const SPREAD: Operator<Pair, { readonly of: Convolution; readonly shape: Shape }> = {
  name: 'transposedConvolution',
  outputs: ([y], { shape }) => [{ dtype: y.dtype, shape }],
  emit({ node }, inputs, { inputs: [y], attributes: { of, shape } }) {
    // Rows and columns that no window covers: the transposed form would leave them out.
    const rest = ([0, 1] as const).map((axis) => {
      const covered =
        (lengthAt(y.shape, axis - 2) - 1) * of.stride[axis] + of.dilation[axis] * (of.kernel[axis] - 1) + 1;
      const borders = axis === 0 ? of.border.top + of.border.bottom : of.border.left + of.border.right;
      return lengthAt(shape, axis - 2) + borders - covered;
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
function inputGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  const [, , rows, columns] = weight.shape as Four;
  const { top, left, bottom, right } = of.border;
  // A pixel's own product, which ONNX Runtime computes faster than its transpose.
  const isPixelwise = rows * columns === 1 && top + left + bottom + right === 0 && of.groups === 1;
  if (isPixelwise && visitsEveryPixel(of)) return convolution(g, swapAxes(weight, 0, 1));
  const border = {
    top: rows - 1 - top,
    left: columns - 1 - left,
    bottom: rows - 1 - bottom,
    right: columns - 1 - right,
  };
  const isDense = visitsEveryPixel(of) && of.dilation[0] === 1 && of.dilation[1] === 1;
  if (!isDepthwise(weight, of.groups) || !isDense || Object.values(border).some((pixels) => pixels < 0)) {
    return spread(g, weight, x.shape, of);
  }
  // ONNX Runtime has a fast kernel for depthwise convolution, none for its transpose.
  return convolution(g, flip(flip(weight, 2), 3), undefined, { padding: border, groups: of.groups });
}

/** The gradient of a convolution's weight, when `g` is that of its output. */
function weightGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  if (isDepthwise(weight, of.groups)) return diagonalGradient(x, weight, g, of);
  return of.groups === 1 ? productGradient(x, weight, g, of) : swappedGradient(x, weight, g, of);
}

/**
 * Of a depthwise convolution, as one product a channel. Beside every row of `g` lie the rows of the picture that the
 * kernel's rows saw; the product pairs each column of `g` with each column of those and sums over rows and pictures.
 * What a place of the kernel saw are the pairs at a fixed distance, a diagonal: shifting every line of the product by
 * the stride makes columns of the diagonals.
 */
function diagonalGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  const [channels, , rows, columns] = weight.shape as Four;
  const [batch, , height, width] = g.shape as Four;
  const framed = swapAxes(framedBy(x, of), 0, 1);
  const [, , framedHeight, framedWidth] = framed.shape as Four;
  const lines = reshape(framed, [channels, batch * framedHeight, framedWidth]);
  const at = Array.from({ length: batch * height * rows }, (_, index) => {
    const [line, row] = [Math.floor(index / rows), index % rows];
    const [picture, y] = [Math.floor(line / height), line % height];
    return picture * framedHeight + y * of.stride[0] + row * of.dilation[0];
  });
  const length = rows * framedWidth;
  const seen = reshape(gather(lines, at, 1), [channels, batch * height, length]);
  const slopes = reshape(swapAxes(g, 0, 1), [channels, batch * height, width]);
  const pairs = reshape(matmul(slopes, seen, { transposeA: true }), [channels, width * length]);
  const shift = of.stride[1];
  const skewed = reshape(pad(pairs, { 1: [0, width * shift] }), [channels, width, length + shift]);
  const places = slice(sum(skewed, { axes: [1] }), { 1: [0, length] });
  const kernel = gather(
    reshape(places, [channels, rows, framedWidth]),
    Array.from({ length: columns }, (_, column) => column * of.dilation[1]),
    2,
  );
  return reshape(kernel, weight.shape);
}

/** The picture with the border that windows reach into. */
function framedBy(x: Tensor, { border: { top, left, bottom, right } }: Convolution): Tensor {
  return top + left + bottom + right > 0 ? pad(x, { 2: [top, bottom], 3: [left, right] }) : x;
}

/** The gradient of a dense convolution's weight as matrix products: what its places see, times the output's gradient. */
function productGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  const [, , rows, columns] = weight.shape as Four;
  const isPatches =
    rows === of.stride[0] && columns === of.stride[1] && of.dilation[0] * of.dilation[1] === 1;
  const isOnePixel = rows * columns === 1;
  return isPatches && !isOnePixel ? patchGradient(x, weight, g, of) : placesGradient(x, weight, g, of);
}

/** Where windows lie side by side: one product over all of them. */
function patchGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  const [features, depth, rows, columns] = weight.shape as Four;
  const [batch, , height, width] = g.shape as Four;
  const whole = slice(framedBy(x, of), { 2: [0, height * rows], 3: [0, width * columns] });
  const patches = transpose(apart(whole, of.stride), [1, 3, 5, 0, 2, 4]);
  const windows = batch * height * width;
  const product = matmul(
    reshape(swapAxes(g, 0, 1), [features, windows]),
    reshape(patches, [depth * rows * columns, windows]),
    { transposeB: true },
  );
  return reshape(product, weight.shape);
}

/** Otherwise one product a picture, with shifted slices of it. Holds what all places of the kernel see at once. */
function placesGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  const [features, depth, rows, columns] = weight.shape as Four;
  const [batch, , height, width] = g.shape as Four;
  const [down, across] = of.stride;
  const phases = phasesOf(framedBy(x, of), of.stride);
  const seen = Array.from({ length: rows * columns }, (_, place) => {
    const row = Math.floor(place / columns) * of.dilation[0];
    const column = (place % columns) * of.dilation[1];
    const phase = phases[(row % down) * across + (column % across)] as Tensor;
    const [top, left] = [Math.floor(row / down), Math.floor(column / across)];
    const part = slice(phase, { 2: [top, top + height], 3: [left, left + width] });
    return reshape(part, [batch, depth, height * width]);
  });
  const pictures = reshape(stack(seen, 1), [batch, seen.length * depth, height * width]);
  const products = matmul(reshape(g, [batch, features, height * width]), pictures, { transposeB: true });
  const kernel = reshape(sumTo(products, [1, features, seen.length * depth]), [features, seen.length, depth]);
  return reshape(swapAxes(kernel, 1, 2), weight.shape);
}

/** A picture's pixels that lie a stride apart, once from each pixel of the first stride. */
function phasesOf(x: Tensor, stride: Two): readonly Tensor[] {
  const [down, across] = stride;
  if (down * across === 1) return [x];
  const [, , height, width] = x.shape as Four;
  const lack = (length: number, step: number): number => Math.ceil(length / step) * step - length;
  const whole = pad(x, { 2: [0, lack(height, down)], 3: [0, lack(width, across)] });
  const all = transpose(apart(whole, stride), [3, 5, 0, 1, 2, 4]);
  const [, , batch, depth, rows, columns] = all.shape as readonly [number, number, ...Four];
  const phases = reshape(all, [down * across, batch, depth, rows, columns]);
  return Array.from({ length: down * across }, (_, phase) => select(phases, 0, phase));
}

/** Rows and columns as strides and places within a stride. */
function apart(x: Tensor, [down, across]: Two): Tensor {
  const [batch, depth, height, width] = x.shape as Four;
  return reshape(x, [batch, depth, height / down, down, width / across, across]);
}

/** As a convolution: pictures act as channels, `g` as the kernel, stride and dilation change places. */
function swappedGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  const [batch, , height, width] = x.shape as Four;
  const [features, depth, rows, columns] = weight.shape as Four;
  const grouped = transpose(reshape(x, [batch, of.groups, depth, height, width]), [2, 1, 0, 3, 4]);
  const pictures = reshape(grouped, [depth, of.groups * batch, height, width]);
  const product = convolution(pictures, swapAxes(g, 0, 1), undefined, {
    stride: of.dilation,
    dilation: of.stride,
    padding: of.border,
    groups: of.groups,
  });
  const kernel = swapAxes(slice(product, { 2: [0, rows], 3: [0, columns] }), 0, 1);
  return reshape(kernel, [features, depth, rows, columns]);
}

/** Whether any of what the outputs depend on is a depthwise convolution. */
export const hasDepthwise = (outputs: readonly Tensor[]): boolean =>
  operationsBefore(outputs).some(
    ({ operator, inputs: [, weight], attributes }) =>
      operator.name === CONVOLUTION.name && weight && isDepthwise(weight, (attributes as Convolution).groups),
  );
