import { ShapeError } from '../../ground/errors.ts';
import { type Attribute, describe, ints, type Tensor } from '../graph/operator.ts';
import { lengthAt, type Shape } from '../graph/shape.ts';

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

/** A number of pixels on every side, or `same` as TensorFlow pads: output = ⌈input / stride⌉, more after. */
export type Padding = number | Two | Border | 'same';

/** The same number for rows and columns, or both as given. */
export const both = (value: number | Two | undefined, fallback: number): Two =>
  typeof value === 'object' ? value : [value ?? fallback, value ?? fallback];

export interface WindowOptions {
  /** Default 1. */
  readonly stride?: number | Two;
  /** Default 1. */
  readonly dilation?: number | Two;
  /** Default 0. */
  readonly padding?: Padding;
}

/** How a window of a size moves over pictures of `[…, height, width]`. */
export function windowingOf(shape: Shape, kernel: Two, options: WindowOptions): Windowing {
  const stride = both(options.stride, 1);
  const dilation = both(options.dilation, 1);
  return { kernel, stride, dilation, border: borderFor(shape, kernel, stride, dilation, options.padding) };
}

function borderFor(shape: Shape, kernel: Two, stride: Two, dilation: Two, padding: Padding = 0): Border {
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
