import { ShapeError } from '../../ground/errors.ts';

/** Axis lengths, outermost first; `[]` is a scalar. Every length is a positive integer. */
export type Shape = readonly number[];

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, length) => product * length, 1);

/** `[2, 3]`, as errors print it. */
export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** Whether two shapes are the same. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((length, axis) => length === b[axis]);

/** The axis length, for an axis known to exist. @throws ShapeError when it does not */
export function lengthAt(shape: Shape, axis: number): number {
  const length = shape[axis < 0 ? axis + shape.length : axis];
  if (length === undefined) throw new ShapeError(`no axis ${axis} in ${showShape(shape)}`);
  return length;
}

/** The shape itself when every axis is a positive integer. @throws ShapeError otherwise */
export function requireShape(shape: Shape, where: string): Shape {
  if (shape.some((length) => !Number.isSafeInteger(length) || length < 1)) {
    throw new ShapeError(`${where}: ${showShape(shape)} has an axis that is not a positive whole number`);
  }
  return shape;
}

/** A possibly negative axis as a non-negative one. @throws ShapeError when out of range */
export function resolveAxis(axis: number, rank: number, where: string): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank) {
    throw new ShapeError(`${where}: axis ${axis} does not exist in a tensor of ${rank} axes`);
  }
  return resolved;
}

/** Distinct, sorted, non-negative axes; all of them when `axes` is undefined. @throws ShapeError */
export function resolveAxes(axes: readonly number[] | undefined, rank: number, where: string): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const resolved = axes.map((axis) => resolveAxis(axis, rank, where)).sort((a, b) => a - b);
  if (new Set(resolved).size !== resolved.length) {
    throw new ShapeError(`${where}: axes ${showShape(axes)} name an axis twice`);
  }
  return resolved;
}

/** NumPy broadcasting of two shapes, or undefined when they do not fit. */
export function broadcastShapes(a: Shape, b: Shape): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const result: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return undefined;
    result.push(Math.max(left, right));
  }
  return result;
}

/** The shape with some axes replaced: `replaceAxes([2, 3], { 1: 5 })` is `[2, 5]`. */
export const replaceAxes = (shape: Shape, lengths: Readonly<Record<number, number>>): number[] =>
  shape.map((length, axis) => lengths[axis] ?? length);

/** The largest divisor of `size` that is at most `most`. */
export function largestDivisor(size: number, most: number): number {
  for (let count = Math.ceil(size / most); count <= size; count++) {
    if (size % count === 0) return size / count;
  }
  return 1;
}
