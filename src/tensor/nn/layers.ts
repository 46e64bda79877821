import type { Tensor } from '../graph/operator.ts';
import { lengthAt, type Shape } from '../graph/shape.ts';
import { gelu, silu } from '../operators/activation.ts';
import { type AttentionOptions, attention } from '../operators/attention.ts';
import { type ConvolutionOptions, convolution } from '../operators/convolution.ts';
import { add, dropWith, multiply } from '../operators/elementwise.ts';
import { adaptedLinear, linear } from '../operators/matmul.ts';
import { batchNorm, batchNormTraining, layerNorm } from '../operators/normalisation.ts';
import { splitEvenly } from '../operators/slicing.ts';
import type { Two } from '../operators/windowing.ts';
import { fanIn, type Initializer, ones, zeros } from './initializers.ts';
import type { Scope } from './scope.ts';

export interface LinearOptions {
  /** A parameter `bias` of the layer's own (default), none, or one made elsewhere, `[out]`. */
  readonly bias?: boolean | Tensor;
  /** Default: torch's, uniform in ±1/√in. */
  readonly weightInitializer?: Initializer;
  readonly biasInitializer?: Initializer;
}

/**
 * `weight` `[out, in]` and `bias` `[out]` applied to the last axis; with a low-rank adapter where the scope
 * asks for one (LoRA, Hu et al. 2021: `lora_a` `[rank, in]` small, `lora_b` `[out, rank]` zero at first).
 *
 * @param x `[…, in]`
 * @returns `[…, out]`
 */
export function linearLayer(scope: Scope, x: Tensor, out: number, options: LinearOptions = {}): Tensor {
  const width = lengthAt(x.shape, -1);
  const weight = scope.parameter('weight', [out, width], options.weightInitializer ?? fanIn());
  const { bias: given = true, biasInitializer = fanIn(width) } = options;
  const own = given === true ? scope.parameter('bias', [out], biasInitializer) : undefined;
  const bias = typeof given === 'object' ? given : own;
  const { lora } = scope;
  if (lora === undefined || lora.targets?.(scope.path) === false) return linear(x, weight, bias);
  const down = scope.newParameter('lora_a', [lora.rank, width], fanIn());
  const up = scope.newParameter('lora_b', [out, lora.rank], zeros);
  const scale = (lora.alpha ?? lora.rank) / lora.rank;
  const { dropout: rate = 0 } = lora;
  if (scope.training && rate === 0) return adaptedLinear(x, { weight, down, up, scale }, bias);
  const inside = dropout(scope.in('lora'), x, rate);
  return add(linear(x, weight, bias), multiply(linear(linear(inside, down), up), scale));
}

/** Layer normalisation with `weight` and `bias` over the last axis. */
export function layerNormLayer(scope: Scope, x: Tensor, epsilon = 1e-5): Tensor {
  const width = lengthAt(x.shape, -1);
  const weight = scope.parameter('weight', [width], ones);
  return layerNorm(x, weight, scope.parameter('bias', [width], zeros), epsilon);
}

/**
 * Batch normalisation over axis 1 with `weight`, `bias`, `running_mean`, `running_var`. In training it uses the
 * batch's statistics and notes the running ones' updates in the scope, unless they are not trainable.
 */
export function batchNormLayer(
  scope: Scope,
  x: Tensor,
  options: { readonly epsilon?: number; readonly momentum?: number } = {},
): Tensor {
  const shape: Shape = [lengthAt(x.shape, 1)];
  const mean = scope.variable('running_mean', shape, zeros, { trained: false });
  const variance = scope.variable('running_var', shape, ones, { trained: false });
  const weight = scope.parameter('weight', shape, ones);
  const state = { weight, bias: scope.parameter('bias', shape, zeros), mean, variance };
  if (!scope.training || !mean.variable) return batchNorm(x, state, options.epsilon);
  const result = batchNormTraining(x, state, options.epsilon, options.momentum);
  scope.update(mean, result.mean);
  scope.update(variance, result.variance);
  return result.output;
}

/** `weight` `[out, in / groups, rows, columns]` and `bias` `[out]` as a convolution. */
export function convolutionLayer(
  scope: Scope,
  x: Tensor,
  out: number,
  kernel: Two,
  options: ConvolutionOptions & { bias?: boolean } & Pick<LinearOptions, 'weightInitializer'> = {},
): Tensor {
  const depth = lengthAt(x.shape, 1) / (options.groups ?? 1);
  const initializer = options.weightInitializer ?? fanIn();
  const weight = scope.parameter('weight', [out, depth, ...kernel], initializer);
  const inputs = depth * kernel[0] * kernel[1];
  const bias = options.bias === false ? undefined : scope.parameter('bias', [out], fanIn(inputs));
  return convolution(x, weight, bias, options);
}

/** Zeroes a share of the elements in training and scales up the rest, so that the mean stays. */
export function dropout(scope: Scope, x: Tensor, rate: number): Tensor {
  return scope.training && rate > 0 ? dropWith(x, scope.mask('dropout', x.shape, 1 - rate), 1 - rate) : x;
}

/** Stochastic depth (Huang et al. 2016): leaves whole samples of a residual branch out in training. */
export function stochasticDepth(scope: Scope, branch: Tensor, rate: number): Tensor {
  if (!scope.training || rate === 0) return branch;
  const shape = branch.shape.map((length, axis) => (axis === 0 ? length : 1));
  return dropWith(branch, scope.mask('depth', shape, 1 - rate), 1 - rate);
}

/** A trained factor a channel (`gamma`), small at first (LayerScale, Touvron et al. 2021). */
export function layerScale(scope: Scope, x: Tensor, initial: Initializer): Tensor {
  return multiply(x, scope.parameter('gamma', [lengthAt(x.shape, -1)], initial));
}

export interface MlpOptions {
  readonly hidden: number;
  /** Default: the input's width. */
  readonly out?: number;
  /** Default exact GELU. */
  readonly activation?: (x: Tensor) => Tensor;
}

/** `fc1`, activation, `fc2`, as in a transformer block. */
export function mlp(scope: Scope, x: Tensor, options: MlpOptions): Tensor {
  const { hidden, out = lengthAt(x.shape, -1), activation = gelu } = options;
  return linearLayer(scope.in('fc2'), activation(linearLayer(scope.in('fc1'), x, hidden)), out);
}

/** `fc2(silu(fc1_g x) · fc1_x x)`: the gated MLP of DINOv3's larger models (timm's `SwiGLU`). */
export function swiGlu(scope: Scope, x: Tensor, { hidden }: { readonly hidden: number }): Tensor {
  const gate = silu(linearLayer(scope.in('fc1_g'), x, hidden));
  const inside = multiply(gate, linearLayer(scope.in('fc1_x'), x, hidden));
  return linearLayer(scope.in('fc2'), inside, lengthAt(x.shape, -1));
}

/**
 * Multi-head self-attention with one `qkv` and one `proj` layer.
 *
 * @param x `[batch, tokens, dim]`
 */
export function multiHeadAttention(scope: Scope, x: Tensor, options: AttentionOptions): Tensor {
  const dim = lengthAt(x.shape, -1);
  const [q, k, v] = splitEvenly(linearLayer(scope.in('qkv'), x, 3 * dim), 3, -1) as [Tensor, Tensor, Tensor];
  return linearLayer(scope.in('proj'), attention(q, k, v, options), dim);
}

/**
 * Feature-wise linear modulation (Perez et al. 2018): a network `mlp.0`, ReLU-like activation, `mlp.2` turns
 * the context into γ and β.
 *
 * @param context `[batch, dim]`
 * @param options `bound` is applied to γ, to keep it in a range; by default it is free
 * @returns how to modulate features `[batch, dim]`: x·(1 + γ) + β
 */
export function film(
  scope: Scope,
  context: Tensor,
  options: {
    readonly hidden: number;
    readonly activation: (x: Tensor) => Tensor;
    readonly bound?: (gamma: Tensor) => Tensor;
  },
): (features: Tensor) => Tensor {
  const dim = lengthAt(context.shape, -1);
  const inside = options.activation(linearLayer(scope.in('mlp.0'), context, options.hidden));
  const both = linearLayer(scope.in('mlp.2'), inside, 2 * dim);
  const [free, beta] = splitEvenly(both, 2, -1) as [Tensor, Tensor];
  const gamma = options.bound?.(free) ?? free;
  return (features) => add(multiply(features, add(gamma, 1)), beta);
}
