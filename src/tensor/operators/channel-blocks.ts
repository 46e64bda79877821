import { type Emission, int, ints, type Operation, operationOf, type Tensor } from '../graph/operator.ts';
import { lengthAt, sameShape } from '../graph/shape.ts';
import { type Windowing, windowAttributes } from './windowing.ts';

/*
 * ONNX Runtime's fastest convolutions keep a block of channels of every pixel together. It takes them by itself where
 * weights are constant. Where a run may change the weight it does not, although its kernels would: a depthwise one of
 * 7 × 7 then takes 2 to 10 times as long. Here the nodes are written as its own optimizer would write them.
 */

/** The domain of those operators. */
export const BLOCKED_DOMAIN = 'com.microsoft.nchwc';

/** Whether a convolution sees each channel by itself and makes one of it. */
export const isDepthwise = ({ shape: [features, depth] }: Tensor, groups: number): boolean =>
  depth === 1 && features === groups;

interface BlockedConvolution extends Windowing {
  readonly groups: number;
}

/**
 * A depthwise convolution of maps in blocks, where the processor has such kernels and ONNX Runtime would not take them.
 *
 * @param inputs ONNX names of the maps, the weight and where there is one the bias
 * @returns the name of its result, `[batch, channels, height, width]`; undefined where it is not to be had
 */
export function depthwiseInBlocks(
  emission: Emission,
  inputs: readonly string[],
  { inputs: [x, weight], attributes, outputs: [y] }: Operation<readonly Tensor[], BlockedConvolution>,
): string | undefined {
  const { channelBlock: block, node, indices } = emission;
  if (block === undefined || x === undefined || weight === undefined || y === undefined) return undefined;
  const [channels, , rows, columns] = weight.shape as readonly [number, number, number, number];
  const fits = x.dtype === 'float32' && channels % block === 0 && isDepthwise(weight, attributes.groups);
  if (!fits || !emission.varies(weight)) return undefined;
  const [, filter = '', ...bias] = inputs;
  const filters = node('Reshape', [filter, indices([channels / block, block, rows * columns])]);
  const together = node('Transpose', [filters], { perm: ints([0, 2, 1]) });
  const weights = node('Reshape', [together, indices([channels, 1, rows, columns])]);
  const settings = { ...windowAttributes(attributes), group: int(attributes.groups) };
  const result = node('Conv', [blocksOf(emission, x), weights, ...bias], settings, BLOCKED_DOMAIN);
  emission.inBlocks.set(y, result);
  return node('ReorderOutput', [result], { channels: int(channels) }, BLOCKED_DOMAIN);
}

const CHANNELS_FIRST = [0, 3, 1, 2];
const CHANNELS_LAST = [0, 2, 3, 1];

/** The name of the maps in blocks, made of them as they lay before their channels came first, if that was so. */
function blocksOf(emission: Emission, x: Tensor): string {
  const known = emission.inBlocks.get(x);
  if (known !== undefined) return known;
  const before = operationOf(x);
  const source = before?.inputs[0];
  const isTurned =
    source !== undefined &&
    before?.operator.name === 'transpose' &&
    sameShape(before.attributes as number[], CHANNELS_FIRST);
  const name = isTurned
    ? emission.node('ReorderInput', [emission.name(source)], { channels_last: int(1) }, BLOCKED_DOMAIN)
    : emission.node('ReorderInput', [emission.name(x)], {}, BLOCKED_DOMAIN);
  emission.inBlocks.set(x, name);
  return name;
}

/**
 * Maps that lie in blocks with their channels last.
 *
 * @param order of the axes asked for
 * @returns the name of them; undefined where they do not lie in blocks or another order is asked for
 */
export function channelsLastOfBlocks(
  emission: Emission,
  x: Tensor,
  order: readonly number[],
): string | undefined {
  const blocked = emission.inBlocks.get(x);
  if (blocked === undefined || !sameShape(order, CHANNELS_LAST)) return undefined;
  const attributes = { channels: int(lengthAt(x.shape, 1)), channels_last: int(1) };
  return emission.node('ReorderOutput', [blocked], attributes, BLOCKED_DOMAIN);
}
