import { ShapeError } from '../../ground/errors.ts';
import { type Attribute, apply, type GradientRule, int, ints, type Operator } from '../graph/operator.ts';
import { lengthAt, type Shape } from '../graph/shape.ts';
import { describe, type Tensor } from '../graph/tensor.ts';
import { slice } from './indexing.ts';
import { reshape, swapAxes, transpose } from './layout.ts';
import { sum } from './reduction.ts';

/** Rows, then columns. */
export type Two = readonly [rows: number, columns: number];

/** Zeros added around a picture. */
export interface Border {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** How a window moves over a picture. */
export interface Windowing {
  readonly kernel: Two;
  readonly stride: Two;
  readonly dilation: Two;
  readonly border: Border;
}

export interface ConvolutionOptions {
  readonly stride?: number | Two;
  readonly dilation?: number | Two;
  /** A number of pixels on every side, or `same` as TensorFlow pads: output = ⌈input / stride⌉, more after. */
  readonly padding?: number | Two | Border | 'same';
  readonly groups?: number;
}

interface Convolution extends Windowing {
  readonly groups: number;
}

/** The same number for rows and columns, or both as given. */
export const both = (value: number | Two | undefined, fallback: number): Two =>
  typeof value === 'object' ? value : [value ?? fallback, value ?? fallback];

/** Pixels added around a picture of `[…, height, width]` for the options. */
export function borderFor(
  shape: Shape,
  kernel: Two,
  stride: Two,
  dilation: Two,
  padding: ConvolutionOptions['padding'] = 0,
): Border {
  if (padding === 'same') {
    const [top, bottom] = samePadding(lengthAt(shape, -2), kernel[0], stride[0], dilation[0]);
    const [left, right] = samePadding(lengthAt(shape, -1), kernel[1], stride[1], dilation[1]);
    return { top, left, bottom, right };
  }
  if (typeof padding === 'object' && 'top' in padding) return padding;
  const [rows, columns] = both(padding, 0);
  return { top: rows, left: columns, bottom: rows, right: columns };
}

function samePadding(length: number, kernel: number, stride: number, dilation: number): [number, number] {
  const reach = (Math.ceil(length / stride) - 1) * stride + dilation * (kernel - 1) + 1;
  const total = Math.max(reach - length, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Height and width that a window leaves of `[…, height, width]`. @throws ShapeError when it does not fit */
export function windowedSize(x: Tensor, { kernel, stride, dilation, border }: Windowing, name: string): Two {
  const along = (axis: 0 | 1, before: number, after: number): number => {
    const room = lengthAt(x.shape, axis - 2) + before + after - dilation[axis] * (kernel[axis] - 1) - 1;
    return Math.floor(room / stride[axis]) + 1;
  };
  const rows = along(0, border.top, border.bottom);
  const columns = along(1, border.left, border.right);
  const settings = [...kernel, ...stride, ...dilation];
  if (!(rows > 0 && columns > 0) || settings.some((n) => !Number.isInteger(n) || n < 1)) {
    throw new ShapeError(`${name}: a ${kernel.join('×')} window does not fit ${describe(x)}`);
  }
  return [rows, columns];
}

/** The ONNX attributes of a window. */
export function windowAttributes({ kernel, stride, dilation, border }: Windowing): Record<string, Attribute> {
  return {
    kernel_shape: ints(kernel),
    strides: ints(stride),
    dilations: ints(dilation),
    pads: ints([border.top, border.left, border.bottom, border.right]),
  };
}

const CONVOLUTION: Operator<readonly Tensor[], Convolution> = {
  name: 'convolution',
  outputs(inputs, options) {
    const [x, weight, bias] = inputs as [Tensor, Tensor, Tensor?];
    const [batch, channels] = x.shape as [number, number];
    const [features, depth] = weight.shape as [number, number];
    const biasFits = bias === undefined || (bias.shape.length === 1 && bias.shape[0] === features);
    if (
      x.dtype !== weight.dtype ||
      depth * options.groups !== channels ||
      features % options.groups ||
      !biasFits
    ) {
      const all = inputs.map(describe).join(', ');
      throw new ShapeError(`convolution: ${all} do not fit with ${options.groups} groups`);
    }
    return [{ dtype: x.dtype, shape: [batch, features, ...windowedSize(x, options, 'convolution')] }];
  },
  emit({ node }, inputs, { attributes }) {
    return [node('Conv', inputs, { ...windowAttributes(attributes), group: int(attributes.groups) })];
  },
  gradient({ inputs, attributes, gradient }): readonly GradientRule[] {
    const [x, weight, bias] = inputs as [Tensor, Tensor, Tensor?];
    return [
      () => spread(gradient, weight, x.shape, attributes),
      () => weightGradient(x, weight, gradient, attributes),
      ...(bias ? [() => sum(gradient, { axes: [0, 2, 3] })] : []),
    ];
  },
};

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

/** The gradient of a convolution's input: every output pixel spreads over the window it came from. */
export const spread = (y: Tensor, weight: Tensor, shape: Shape, of: Convolution): Tensor =>
  apply(SPREAD, [y, weight], { of, shape });

/**
 * The gradient of a convolution's weight, as a convolution itself: pictures act as channels, the output's
 * gradient as the kernel, stride and dilation change places.
 */
function weightGradient(x: Tensor, weight: Tensor, g: Tensor, of: Convolution): Tensor {
  const [batch, , height, width] = x.shape as [number, number, number, number];
  const [features, depth, rows, columns] = weight.shape as [number, number, number, number];
  const pictures = reshape(transpose(reshape(x, [batch, of.groups, depth, height, width]), [2, 1, 0, 3, 4]), [
    depth,
    of.groups * batch,
    height,
    width,
  ]);
  const product = apply(CONVOLUTION, [pictures, swapAxes(g, 0, 1)], {
    kernel: [lengthAt(g.shape, 2), lengthAt(g.shape, 3)],
    stride: of.dilation,
    dilation: of.stride,
    border: of.border,
    groups: of.groups,
  });
  const kernel = swapAxes(slice(product, { 2: [0, rows], 3: [0, columns] }), 0, 1);
  return reshape(kernel, [features, depth, rows, columns]);
}

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
  const stride = both(options.stride, 1);
  const dilation = both(options.dilation, 1);
  const border = borderFor(x.shape, kernel, stride, dilation, options.padding);
  const attributes = { kernel, stride, dilation, border, groups: options.groups ?? 1 };
  return apply(CONVOLUTION, bias ? [x, weight, bias] : [x, weight], attributes);
}
