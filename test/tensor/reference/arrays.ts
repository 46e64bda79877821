import { type Shape, sizeOf } from '../../../src/tensor/graph/shape.ts';

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  }
  return strides;
}

/** An array in double precision, row-major; integers and bools are kept as numbers as well. */
export interface Doubles {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** Fills an array from the coordinates of each element. */
export function build(shape: Shape, value: (at: readonly number[]) => number): Doubles {
  const data = new Float64Array(sizeOf(shape));
  const at = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < data.length; i++) {
    data[i] = value(at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = (at[axis] as number) + 1;
      if ((at[axis] as number) < (shape[axis] as number)) break;
      at[axis] = 0;
    }
  }
  return { shape, data };
}

/** The element at coordinates. */
export function read(x: Doubles, at: readonly number[]): number {
  const strides = stridesOf(x.shape);
  let index = 0;
  at.forEach((coordinate, axis) => {
    const length = x.shape[axis] as number;
    if (coordinate < 0 || coordinate >= length) throw new RangeError(`read ${at} of ${x.shape}`);
    index += coordinate * (strides[axis] as number);
  });
  return x.data[index] as number;
}

/** As {@link read}, with NumPy broadcasting of `x` to the rank of `at`. */
export function readBroadcast(x: Doubles, at: readonly number[]): number {
  const own = at.slice(at.length - x.shape.length);
  return read(
    x,
    own.map((coordinate, axis) => (x.shape[axis] === 1 ? 0 : coordinate)),
  );
}

/** As {@link read}, 0 outside. */
export function readPadded(x: Doubles, at: readonly number[]): number {
  return at.every((c, axis) => c >= 0 && c < (x.shape[axis] as number)) ? read(x, at) : 0;
}

export const at = <T>(list: readonly T[], index: number): T => {
  const found = list[index];
  if (found === undefined) throw new RangeError(`no element ${index}`);
  return found;
};

/** erf to double precision: Maclaurin series near 0, Lentz's continued fraction of erfc beyond. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 2.5) {
    let term = size;
    let sum = size;
    for (let n = 1; n < 80; n++) {
      term *= -(size * size) / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-size * size) / Math.sqrt(Math.PI) / (size + fraction));
}

export const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
