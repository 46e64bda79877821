import { ShapeError } from '../../ground/errors.ts';
import { apply, type GradientRule, int, type Operator } from '../graph/operator.ts';
import { lengthAt } from '../graph/shape.ts';
import { describe, type Tensor } from '../graph/tensor.ts';
import { type Convolution, inputGradient, weightGradient } from './convolution-gradients.ts';
import { sum } from './reduction.ts';
import { borderFor, both, type Padding, type Two, windowAttributes, windowedSize } from './windowing.ts';

export interface ConvolutionOptions {
  readonly stride?: number | Two;
  readonly dilation?: number | Two;
  readonly padding?: Padding;
  readonly groups?: number;
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
  const stride = both(options.stride, 1);
  const dilation = both(options.dilation, 1);
  const border = borderFor(x.shape, kernel, stride, dilation, options.padding);
  const attributes = { kernel, stride, dilation, border, groups: options.groups ?? 1 };
  return apply(CONVOLUTION, bias ? [x, weight, bias] : [x, weight], attributes);
}
