import { sum } from 'd3-array';
import { UsageError } from '../../ground/errors.ts';
import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  add,
  batchNormLayer,
  type ConvolutionOptions,
  cast,
  convolution,
  convolutionLayer,
  divide,
  fanIn,
  gateMaps,
  type Initializer,
  mean,
  multiply,
  ones,
  reshape,
  type Scope,
  sigmoid,
  squareRoot,
  stochasticDepth,
  subtract,
  type Tensor,
  zeros,
} from '../../tensor/index.ts';
import {
  type Backbone,
  type BackboneOutput,
  blockRunner,
  channelsLast,
  type ForwardOptions,
  type InputSizeRule,
  pictureSize,
  stageIn,
  tokensOfMap,
} from './backbone.ts';

/**
 * How a stage's blocks look: `plain` a convolution; `separable` depthwise, then pointwise; `inverted` (MBConv)
 * a depthwise convolution between two pointwise ones; `fused` an expanding convolution, then a pointwise one.
 */
type BlockKind = 'plain' | 'separable' | 'inverted' | 'fused';

/** One stage; only its first block moves by `stride`. */
export interface Stage {
  readonly kind: BlockKind;
  readonly repeats: number;
  readonly kernel: 3 | 5;
  readonly stride: 1 | 2;
  /** Channels inside a block as a multiple of its input's. */
  readonly expand: number;
  readonly channels: number;
  readonly squeeze: boolean;
}

/** A whole network, channels and repeats as they are. */
export interface NetworkSpec {
  readonly stem: number;
  readonly stages: readonly Stage[];
  /** Width of the pooled output. */
  readonly head: number;
  /** TensorFlow's conventions: padding `same`, batch normalisation with ε 10⁻³ instead of 10⁻⁵. */
  readonly tensorflow: boolean;
  readonly activation: (x: Tensor) => Tensor;
}

/**
 * Channels times a multiplier, rounded to a multiple of eight that loses no more than a tenth (timm's
 * `make_divisible`, after MobileNetV2).
 */
export function roundChannels(channels: number, multiplier: number): number {
  const wanted = channels * multiplier;
  const rounded = Math.max(8, Math.floor((wanted + 4) / 8) * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

/** A stage scaled as EfficientNet scales: channels rounded, repeats rounded up. */
export const scaledStage = (stage: Stage, channels: number, depth: number): Stage => ({
  ...stage,
  channels: roundChannels(stage.channels, channels),
  repeats: Math.ceil(stage.repeats * depth),
});

/** What all layers of one build share. */
interface Conventions extends Pick<NetworkSpec, 'tensorflow' | 'activation'> {
  readonly batchStatistics: boolean;
}

/** Padding and strides make any size fit, as long as something is left. */
const ANY_SIZE: InputSizeRule = { multipleOf: 1, fixed: false };

/** A network as a backbone; names are those of timm's `EfficientNet`. */
export function convolutionalBackbone(arch: string, spec: NetworkSpec): Omit<Backbone, 'arch'> {
  return {
    width: spec.head,
    depth: spec.stages.length,
    resolutions: [...spec.stages.keys()].filter((number) => spec.stages[number + 1]?.stride !== 1),
    prefixTokens: 0,
    inputSize: ANY_SIZE,
    forward: (scope, images, options) => forward(arch, spec, scope, images, options),
    blockOf: (name) => stageIn(name, 'blocks') ?? (/^(conv_stem|bn1)\./.test(name) ? -1 : spec.stages.length),
  };
}

function forward(
  arch: string,
  spec: NetworkSpec,
  scope: Scope,
  images: Tensor,
  options: ForwardOptions = {},
): BackboneOutput {
  pictureSize(arch, images, ANY_SIZE);
  const batchStatistics = scope.training && (options.batchStatistics ?? false);
  if (batchStatistics && options.checkpoint) {
    throw new UsageError(
      `${arch}: batch statistics leave a block, so it cannot be computed twice; switch off checkpoint or batchStatistics`,
    );
  }
  const { tensorflow, activation } = spec;
  const conventions = { tensorflow, activation, batchStatistics };
  const run = blockRunner(
    options,
    sum(spec.stages, ({ repeats }) => repeats),
  );
  const first = { kernel: 3, stride: 2, activate: true };
  let x = normalised(scope, ['conv_stem', 'bn1'], images, spec.stem, conventions, first);
  const stages = spec.stages.map((stage, number) => {
    for (let at = 0; at < stage.repeats; at++) {
      const inside = scope.in('blocks').in(number).in(at);
      const own = { ...stage, stride: at === 0 ? stage.stride : 1 } as const;
      x = run(x, (input, rate) => block(inside, input, own, conventions, rate));
    }
    return tokensOfMap(channelsLast(x));
  });
  const last = { kernel: 1, stride: 1, activate: true };
  const features = normalised(scope, ['conv_head', 'bn2'], x, spec.head, conventions, last);
  return {
    features,
    pooled: mean(features, { axes: [2, 3] }),
    tokens: tokensOfMap(channelsLast(features)),
    blocks: stages,
  };
}

interface Layer {
  readonly kernel: number;
  readonly stride?: number;
  readonly depthwise?: boolean;
  readonly activate?: boolean;
}

/** Convolution without bias, batch normalisation, the network's activation where asked for. */
function normalised(
  scope: Scope,
  [convolutionName, normName]: readonly [string, string],
  x: Tensor,
  out: number,
  { tensorflow, activation, batchStatistics }: Conventions,
  { kernel, stride = 1, depthwise = false, activate = false }: Layer,
): Tensor {
  const groups = depthwise ? out : 1;
  const shape = [out, lengthAt(x.shape, 1) / groups, kernel, kernel];
  const weight = scope.in(convolutionName).parameter('weight', shape, fanIn());
  const options: ConvolutionOptions = { stride, padding: tensorflow ? 'same' : (kernel - 1) / 2, groups };
  const epsilon = tensorflow ? 1e-3 : 1e-5;
  const norm = scope.in(normName);
  const normal = batchStatistics
    ? batchNormLayer(norm, convolution(x, weight, undefined, options), { epsilon })
    : convolveNormalised(norm, x, weight, epsilon, options);
  return activate ? activation(normal) : normal;
}

/**
 * Convolution and batch normalisation by stored statistics in one: those are a factor and an offset a channel,
 * which go into weight and bias. Frozen, that happens once, when the program is compiled; in training it
 * spares every pass over the map that normalisation and its gradients would take.
 */
function convolveNormalised(
  norm: Scope,
  x: Tensor,
  weight: Tensor,
  epsilon: number,
  options: ConvolutionOptions,
): Tensor {
  const out = lengthAt(weight.shape, 0);
  const statistic = (name: string, initializer: Initializer): Tensor =>
    cast(norm.variable(name, [out], initializer, { trained: false }), 'float32');
  const deviation = squareRoot(add(statistic('running_var', ones), epsilon));
  const factor = divide(norm.parameter('weight', [out], ones), deviation);
  const offset = subtract(
    norm.parameter('bias', [out], zeros),
    multiply(statistic('running_mean', zeros), factor),
  );
  return convolution(x, multiply(weight, reshape(factor, [out, 1, 1, 1])), offset, options);
}

/** A block with its residual connection, where shape allows one. */
function block(scope: Scope, x: Tensor, stage: Stage, conventions: Conventions, rate: number): Tensor {
  const y = INSIDES[stage.kind](scope, x, stage, conventions);
  const hasSkip = stage.stride === 1 && lengthAt(x.shape, 1) === stage.channels;
  return hasSkip ? add(stochasticDepth(scope, y, rate), x) : y;
}

type Inside = (scope: Scope, x: Tensor, stage: Stage, conventions: Conventions) => Tensor;

const INSIDES: Record<BlockKind, Inside> = {
  plain: (scope, x, { kernel, stride, channels }, conventions) =>
    normalised(scope, ['conv', 'bn1'], x, channels, conventions, { kernel, stride, activate: true }),
  separable(scope, x, { kernel, stride, channels, squeeze }, conventions) {
    const width = lengthAt(x.shape, 1);
    const deep = { kernel, stride, depthwise: true, activate: true };
    const near = normalised(scope, ['conv_dw', 'bn1'], x, width, conventions, deep);
    const gated = squeeze ? squeezeExcite(scope.in('se'), near, width / 4, conventions) : near;
    return normalised(scope, ['conv_pw', 'bn2'], gated, channels, conventions, { kernel: 1 });
  },
  inverted(scope, x, { kernel, stride, expand, channels, squeeze }, conventions) {
    const width = lengthAt(x.shape, 1);
    const inner = roundChannels(width, expand);
    const point = { kernel: 1, activate: true };
    const deep = { kernel, stride, depthwise: true, activate: true };
    const wide = normalised(scope, ['conv_pw', 'bn1'], x, inner, conventions, point);
    const near = normalised(scope, ['conv_dw', 'bn2'], wide, inner, conventions, deep);
    const gated = squeeze ? squeezeExcite(scope.in('se'), near, width / 4, conventions) : near;
    return normalised(scope, ['conv_pwl', 'bn3'], gated, channels, conventions, { kernel: 1 });
  },
  fused(scope, x, { kernel, stride, expand, channels }, conventions) {
    const inner = roundChannels(lengthAt(x.shape, 1), expand);
    const layer = { kernel, stride, activate: true };
    const wide = normalised(scope, ['conv_exp', 'bn1'], x, inner, conventions, layer);
    return normalised(scope, ['conv_pwl', 'bn2'], wide, channels, conventions, { kernel: 1 });
  },
};

/**
 * Channels weighed by what the whole map holds (Hu et al. 2018). The bottleneck is a quarter of the block's
 * input, not of its inside.
 */
function squeezeExcite(scope: Scope, x: Tensor, bottleneck: number, { activation }: Conventions): Tensor {
  const whole = mean(x, { axes: [2, 3], keepAxes: true });
  const inside = activation(convolutionLayer(scope.in('conv_reduce'), whole, bottleneck, [1, 1]));
  const gate = sigmoid(convolutionLayer(scope.in('conv_expand'), inside, lengthAt(x.shape, 1), [1, 1]));
  return gateMaps(x, gate);
}
