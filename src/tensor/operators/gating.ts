import { ShapeError } from '../../ground/errors.ts';
import { apply, describe, type Operator, type Tensor } from '../graph/operator.ts';
import { lengthAt, sameShape } from '../graph/shape.ts';
import { multiply } from './elementwise.ts';
import { reshape } from './layout.ts';
import { matmul } from './matmul.ts';
import type { Pair } from './pointwise.ts';

/** Σ a·b of every map, as products of rows with columns: without a map of the products. `[batch · channels]` */
export function mapProducts(a: Tensor, b: Tensor): Tensor {
  const rows = (x: Tensor): Tensor => reshape(x, [lengthAt(x.shape, 0) * lengthAt(x.shape, 1), 1, -1]);
  return reshape(matmul(rows(a), rows(b), { transposeB: true }), [-1]);
}

const GATE_MAPS: Operator<Pair, undefined> = {
  name: 'gateMaps',
  elementwise: true,
  outputs: ([{ dtype, shape }]) => [{ dtype, shape }],
  emit: ({ node }, inputs) => [node('Mul', inputs)],
  gradient: ({ inputs: [x, gate], gradient: g }) => [
    () => multiply(g, gate),
    () => reshape(mapProducts(g, x), gate.shape),
  ],
};

/**
 * Every map times a number of its own, as squeeze-and-excitation weighs channels.
 *
 * @param x `[batch, channels, …]`
 * @param gate `[batch, channels, 1, …]`
 * @throws ShapeError when they do not fit
 */
export function gateMaps(x: Tensor, gate: Tensor): Tensor {
  const fits = sameShape(
    gate.shape,
    x.shape.map((length, axis) => (axis < 2 ? length : 1)),
  );
  if (x.shape.length < 3 || !fits || x.dtype !== gate.dtype) {
    throw new ShapeError(`gateMaps: ${describe(gate)} has not one number for every map of ${describe(x)}`);
  }
  return apply(GATE_MAPS, [x, gate], undefined);
}
