import { ShapeError } from '../../ground/errors.ts';
import { full } from '../graph/leaves.ts';
import {
  apply,
  describe,
  float,
  type GradientRule,
  int,
  type Operator,
  type Tensor,
} from '../graph/operator.ts';
import { lengthAt, resolveAxis, sameShape, sizeOf } from '../graph/shape.ts';
import {
  add,
  exponential,
  inverseSquareRoot,
  multiply,
  square,
  stopGradient,
  subtract,
} from './elementwise.ts';
import { mapProducts } from './gating.ts';
import { reshape } from './layout.ts';
import type { One } from './pointwise.ts';
import { mean, sum } from './reduction.ts';

/** An operator along one axis whose result has the input's shape, with the rule of its gradient from g and y. */
function alongAxis(
  name: string,
  opType: string,
  rule: (g: Tensor, y: Tensor, total: (x: Tensor) => Tensor) => Tensor,
): (x: Tensor, axis?: number) => Tensor {
  const operator: Operator<One, number> = {
    name,
    outputs: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
    emit: ({ node }, inputs, { attributes: axis }) => [node(opType, inputs, { axis: int(axis) })],
    gradient: ({ attributes: axis, gradient, output }) => [
      () => rule(gradient, output, (x) => sum(x, { axes: [axis], keepAxes: true })),
    ],
  };
  return (x, axis = -1) => apply(operator, [x], resolveAxis(axis, x.shape.length, name));
}

/** eˣ / Σ eˣ along an axis (default the last). */
export const softmax = alongAxis('softmax', 'Softmax', (g, y, total) => {
  const product = multiply(g, y);
  return subtract(product, multiply(y, total(product)));
});

/** ln softmax along an axis (default the last), safe against underflow. */
export const logSoftmax = alongAxis('logSoftmax', 'LogSoftmax', (g, y, total) =>
  subtract(g, multiply(exponential(y), total(g))),
);

const LAYER_NORM: Operator<readonly [Tensor, Tensor, Tensor], number> = {
  name: 'layerNorm',
  outputs([x, weight, bias]) {
    const width = lengthAt(x.shape, -1);
    for (const part of [weight, bias]) {
      if (part.shape.length !== 1 || part.shape[0] !== width || part.dtype !== x.dtype) {
        throw new ShapeError(`layerNorm: ${describe(part)} does not fit ${describe(x)}`);
      }
    }
    const statistics = { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] };
    return [{ dtype: x.dtype, shape: x.shape }, statistics, statistics];
  },
  emit: ({ nodes, uses }, inputs, { attributes, outputs }) => {
    // Mean and deviation come for free, and only the backward pass wants them.
    const wanted = outputs.slice(1).some(uses) ? 3 : 1;
    return nodes('LayerNormalization', inputs, wanted, { axis: int(-1), epsilon: float(attributes) });
  },
  gradient({ inputs: [x, weight], outputs: [, centre, inverse], gradient: g }): readonly GradientRule[] {
    const width = lengthAt(x.shape, -1);
    const normal = multiply(subtract(x, centre as Tensor), inverse as Tensor);
    const rows = (tensor: Tensor): Tensor => sum(reshape(tensor, [-1, width]), { axes: [0] });
    return [
      () => {
        const scaled = multiply(g, weight);
        const along = mean(multiply(scaled, normal), { axes: [-1], keepAxes: true });
        const level = mean(scaled, { axes: [-1], keepAxes: true });
        return multiply(subtract(subtract(scaled, level), multiply(normal, along)), inverse as Tensor);
      },
      () => rows(multiply(g, normal)),
      () => rows(g),
    ];
  },
};

type Five = readonly [Tensor, Tensor, Tensor, Tensor, Tensor];

const BATCH_NORM: Operator<Five, number> = {
  name: 'batchNorm',
  outputs([x, ...parts]) {
    for (const part of parts) requireChannels(x, part);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  emit: ({ node }, inputs, { attributes }) => [
    node('BatchNormalization', inputs, { epsilon: float(attributes) }),
  ],
  gradient({ inputs: [x, weight, , centre, spread], attributes: epsilon, gradient: g }) {
    const inverse = channelwise(inverseSquareRoot(add(spread, epsilon)), x);
    const others = allButChannels(x);
    return [
      () => multiply(multiply(g, channelwise(weight, x)), inverse),
      () => sum(multiply(g, multiply(subtract(x, channelwise(centre, x)), inverse)), { axes: others }),
      () => sum(g, { axes: others }),
      // Frozen statistics are data, not parameters.
      undefined,
      undefined,
    ];
  },
};

/**
 * Deviations from a batch's own mean, scaled a channel by weight and 1/σ of the same batch. Both statistics depend on
 * what is normalised: the gradient of the deviation is that of the map itself,
 * dx = (γ/σ)·(g − mean g − x̂·mean(g·x̂)), written with three numbers a channel as a·(g + (b·deviation + c)).
 */
const SCALE_DEVIATION: Operator<readonly [Tensor, Tensor, Tensor], undefined> = {
  name: 'scaleDeviation',
  elementwise: true,
  outputs: ([{ dtype, shape }]) => [{ dtype, shape }],
  emit: ({ node }, [deviation, weight, inverse]) => [
    node('Mul', [deviation, node('Mul', [weight, inverse])]),
  ],
  gradient({ inputs: [deviation, weight, inverse], gradient: g }) {
    const slope = channelProducts(g, deviation);
    return [
      () => {
        const count = sizeOf(g.shape) / lengthAt(g.shape, 1);
        const a = multiply(weight, inverse);
        const b = multiply(square(inverse), multiply(slope, -1 / count));
        const c = multiply(sum(g, { axes: allButChannels(g), keepAxes: true }), -1 / count);
        // All of it waits for the sums, so that no part is computed, and written, with the operations before.
        return multiply(add(g, add(multiply(deviation, b), c)), a);
      },
      () => multiply(slope, inverse),
      undefined,
    ];
  },
};

/** Σ a·b of every channel. `[1, channels, 1, …]` */
function channelProducts(a: Tensor, b: Tensor): Tensor {
  const products = reshape(mapProducts(a, b), a.shape.slice(0, 2));
  return channelwise(sum(products, { axes: [0] }), a);
}

function requireChannels(x: Tensor, part: Tensor): void {
  const channels = x.shape.slice(1, 2);
  if (channels.length === 0 || !sameShape(part.shape, channels) || part.dtype !== x.dtype) {
    throw new ShapeError(`batchNorm: ${describe(part)} does not fit the channels of ${describe(x)}`);
  }
}

const allButChannels = (x: Tensor): number[] => x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));

function channelwise(part: Tensor, x: Tensor): Tensor {
  const shape = x.shape.map((length, axis) => (axis === 1 ? length : 1));
  return reshape(part, shape);
}

/**
 * Layer normalisation over the last axis (Ba et al. 2016).
 *
 * @param x `[…, dim]`
 * @param weight `[dim]`, default ones
 * @param bias `[dim]`, default zeros
 * @throws ShapeError when weight or bias do not fit
 */
export function layerNorm(x: Tensor, weight?: Tensor, bias?: Tensor, epsilon = 1e-5): Tensor {
  const width = lengthAt(x.shape, -1);
  const scale = weight ?? full([width], 1, x.dtype);
  return apply(LAYER_NORM, [x, scale, bias ?? full([width], 0, x.dtype)], epsilon);
}

/** What batch normalisation keeps a channel: `[channels]` each. */
export interface BatchNormState {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/**
 * Batch normalisation with stored statistics; those get no gradient.
 *
 * @param x `[batch, channels, …]`
 * @throws ShapeError when the channels do not fit
 */
export const batchNorm = (x: Tensor, state: BatchNormState, epsilon = 1e-5): Tensor =>
  apply(BATCH_NORM, [x, state.weight, state.bias, state.mean, state.variance], epsilon);

/**
 * Batch normalisation with the batch's own statistics (Ioffe & Szegedy 2015), and what the stored ones become:
 * `(1 − momentum)·old + momentum·batch`, with the unbiased variance, as in torch. No gradient flows through the two
 * updates.
 *
 * @param x `[batch, channels, …]`
 * @throws ShapeError when the channels do not fit, or a channel holds a single element
 */
export function batchNormTraining(
  x: Tensor,
  state: BatchNormState,
  epsilon = 1e-5,
  momentum = 0.1,
): { readonly output: Tensor; readonly mean: Tensor; readonly variance: Tensor } {
  for (const part of Object.values(state)) requireChannels(x, part);
  const count = sizeOf(x.shape) / lengthAt(x.shape, 1);
  if (count < 2) throw new ShapeError(`batchNorm of ${describe(x)}: one element a channel has no variance`);
  const centre = stopGradient(mean(x, { axes: allButChannels(x), keepAxes: true }));
  const deviation = subtract(x, centre);
  const spread = stopGradient(multiply(channelProducts(deviation, deviation), 1 / count));
  const inverse = inverseSquareRoot(add(spread, epsilon));
  const scaled = apply(SCALE_DEVIATION, [deviation, channelwise(state.weight, x), inverse], undefined);
  const output = add(scaled, channelwise(state.bias, x));
  const blend = (old: Tensor, fresh: Tensor): Tensor =>
    add(multiply(old, 1 - momentum), multiply(reshape(fresh, old.shape), momentum));
  return {
    output,
    mean: blend(state.mean, centre),
    variance: blend(state.variance, multiply(spread, count / (count - 1))),
  };
}
