import { ShapeError } from '../../ground/errors.ts';
import { requireFloating } from '../graph/dtype.ts';
import { apply, describe, int, type Operator, type Tensor } from '../graph/operator.ts';
import { resolveAxes, type Shape, sameShape, showShape } from '../graph/shape.ts';
import {
  add,
  cast,
  divide,
  equal,
  exponential,
  inverseSquareRoot,
  log,
  multiply,
  subtract,
} from './elementwise.ts';
import { expand, reshape } from './layout.ts';
import type { One } from './pointwise.ts';

/** Which axes a reduction takes (default all) and whether they stay with length 1 (default no). */
export interface Reduction {
  readonly axes?: readonly number[];
  readonly keepAxes?: boolean;
}

interface Reduced {
  readonly axes: readonly number[];
  readonly keepAxes: boolean;
}

function reducedShape(shape: Shape, { axes, keepAxes }: Reduced): number[] {
  return keepAxes
    ? shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** The gradient (or the result) with the reduced axes back as length 1, so that it broadcasts. */
const withAxes = (reduced: Tensor, { axes }: Reduced, shape: Shape): Tensor =>
  reshape(reduced, reducedShape(shape, { axes, keepAxes: true }));

type Reduce = (x: Tensor, options?: Reduction) => Tensor;

function reduction(
  name: string,
  opType: string,
  rule: (g: Tensor, x: Tensor, y: Tensor, reduced: Reduced) => Tensor,
): Reduce {
  const operator: Operator<One, Reduced> = {
    name,
    outputs([x], reduced) {
      requireFloating(x.dtype, name);
      return [{ dtype: x.dtype, shape: reducedShape(x.shape, reduced) }];
    },
    emit({ node, indices }, [x], { attributes: { axes, keepAxes } }) {
      return [node(opType, [x, indices(axes)], { keepdims: int(keepAxes ? 1 : 0) })];
    },
    gradient: ({ inputs: [x], attributes, gradient, output }) => [
      () =>
        rule(withAxes(gradient, attributes, x.shape), x, withAxes(output, attributes, x.shape), attributes),
    ],
  };
  return (x, options = {}) => {
    if (options.axes?.length === 0) {
      throw new ShapeError(`${name} of ${describe(x)}: no axis given; leave axes out to take all`);
    }
    const axes = resolveAxes(options.axes, x.shape.length, name);
    return axes.length === 0 ? x : apply(operator, [x], { axes, keepAxes: options.keepAxes ?? false });
  };
}

const countOver = (shape: Shape, axes: readonly number[]): number =>
  axes.reduce((count, axis) => count * (shape[axis] ?? 1), 1);

/** Elements that share the extreme value share its gradient, as torch's amax does. */
function shareAmongEqual(g: Tensor, x: Tensor, y: Tensor, { axes }: Reduced): Tensor {
  const hits = cast(equal(x, y), x.dtype);
  return multiply(hits, divide(g, sum(hits, { axes, keepAxes: true })));
}

/** Sum over axes. @throws ShapeError for an empty list of axes */
export const sum: Reduce = reduction('sum', 'ReduceSum', (g, x) => expand(g, x.shape));

/** Mean over axes. @throws ShapeError for an empty list of axes */
export const mean: Reduce = reduction('mean', 'ReduceMean', (g, x, _, { axes }) =>
  expand(multiply(g, 1 / countOver(x.shape, axes)), x.shape),
);

/** Largest value over axes; equal ones share the gradient. @throws ShapeError for an empty list of axes */
export const max: Reduce = reduction('max', 'ReduceMax', shareAmongEqual);

/** Smallest value over axes; equal ones share the gradient. @throws ShapeError for an empty list of axes */
export const min: Reduce = reduction('min', 'ReduceMin', shareAmongEqual);

const squares = reduction('sumOfSquares', 'ReduceSumSquare', (g, x) => multiply(multiply(g, 2), x));

/** Sum of squares over axes, in one pass. */
export function sumOfSquares(x: Tensor, options: Reduction = {}): Tensor {
  return x.shape.length === 0 ? multiply(x, x) : squares(x, options);
}

/**
 * Mean squared deviation over axes.
 *
 * @param correction subtracted from the count: 0 for the population's, 1 for the unbiased estimate
 * @throws ShapeError when the axes hold no more than `correction` elements
 */
export function variance(x: Tensor, options: Reduction & { readonly correction?: number } = {}): Tensor {
  const axes = resolveAxes(options.axes, x.shape.length, 'variance');
  const correction = options.correction ?? 0;
  const degrees = countOver(x.shape, axes) - correction;
  if (degrees <= 0) {
    throw new ShapeError(`variance of ${describe(x)}: too few elements for correction ${correction}`);
  }
  const deviation = subtract(x, mean(x, { axes, keepAxes: true }));
  const total = sum(multiply(deviation, deviation), { ...options, axes });
  return multiply(total, 1 / degrees);
}

/** ln Σ eˣ over axes, safe against overflow. */
export function logSumExp(x: Tensor, options: Reduction = {}): Tensor {
  const axes = resolveAxes(options.axes, x.shape.length, 'logSumExp');
  const peak = max(x, { axes, keepAxes: true });
  const kept = add(log(sum(exponential(subtract(x, peak)), { axes, keepAxes: true })), peak);
  return options.keepAxes ? kept : reshape(kept, reducedShape(x.shape, { axes, keepAxes: false }));
}

/** `x / √(Σx² + epsilon)` along the axes (default the last): vectors of length 1. */
export function l2Normalize(x: Tensor, axes: readonly number[] = [-1], epsilon = 1e-12): Tensor {
  return multiply(x, inverseSquareRoot(add(sumOfSquares(x, { axes, keepAxes: true }), epsilon)));
}

/**
 * The sum over whatever axes broadcasting added or stretched, so that a gradient regains an operand's shape.
 *
 * @throws ShapeError when `shape` does not broadcast to the tensor's
 */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const added = x.shape.length - shape.length;
  const axes = x.shape.flatMap((length, axis) =>
    axis < added || (shape[axis - added] === 1 && length !== 1) ? [axis] : [],
  );
  const summed = axes.length > 0 ? sum(x, { axes, keepAxes: true }) : x;
  const result = reshape(summed, shape);
  if (added < 0) throw new ShapeError(`sumTo: ${describe(x)} cannot shrink to ${showShape(shape)}`);
  return result;
}
