import {
  add,
  attention,
  checkpoint,
  convolutionLayer,
  expand,
  filledWith,
  layerNormLayer,
  linearLayer,
  multiply,
  reshape,
  type Scope,
  slice,
  splitEvenly,
  stochasticDepth,
  type Tensor,
  transpose,
  truncatedNormal,
} from '../../tensor/index.ts';
import { depthRate, type ForwardOptions, type Size, type TokenMap } from './backbone.ts';
import { keylessQkv } from './keyless-qkv.ts';
import type { Rotation } from './rope.ts';

/** What the blocks of a vision transformer have in common, and what they differ in. */
export interface BlockSpec {
  readonly dim: number;
  readonly depth: number;
  readonly heads: number;
  /** Of the layer norms. */
  readonly epsilon: number;
  /** Of q, k and v: one `qkv.bias`; `q_bias` and `v_bias` apart (none for k); or none. */
  readonly qkvBias: 'fused' | 'apart' | 'none';
  /** LayerScale as `ls1.gamma` and `ls2.gamma`, as `gamma_1` and `gamma_2`, or none. */
  readonly layerScale: 'modules' | 'parameters' | 'none';
  readonly mlp: (scope: Scope, x: Tensor) => Tensor;
  /** Applied to q and k. */
  readonly rotate?: Rotation;
}

/** LayerScale of new weights (DINOv2's and DINOv3's `init_values`). */
const FIRST_LAYER_SCALE = 1e-5;

/**
 * Pictures cut into squares, each a token: `patch_embed.proj`. What does not fill a square at the right and the
 * bottom is left out.
 *
 * @param images `[batch, 3, height, width]`
 * @returns tokens `[batch, rows · columns, dim]` and their grid
 */
export function patchEmbedding(
  scope: Scope,
  images: Tensor,
  { dim, patch }: { readonly dim: number; readonly patch: number },
): { readonly tokens: Tensor; readonly grid: Size } {
  const [, , height = 0, width = 0] = images.shape;
  const grid = [Math.floor(height / patch), Math.floor(width / patch)] as const;
  const whole = slice(images, { 2: [0, grid[0] * patch], 3: [0, grid[1] * patch] });
  const map = convolutionLayer(scope.in('patch_embed.proj'), whole, dim, [patch, patch], { stride: patch });
  return { tokens: transpose(reshape(map, [-1, dim, grid[0] * grid[1]]), [0, 2, 1]), grid };
}

/**
 * Learnt tokens that belong to no place (`cls_token`, `reg_token`), the same for every picture.
 *
 * @param like tokens `[batch, …, dim]` that they will stand beside
 * @returns `[batch, count, dim]`
 */
export function learntTokens(scope: Scope, name: string, count: number, like: Tensor): Tensor {
  const [batch, , dim] = like.shape as [number, number, number];
  return expand(scope.parameter(name, [1, count, dim], truncatedNormal()), [batch, count, dim]);
}

/** Takes tokens `[batch, prefix + rows · columns, dim]` apart. */
export function tokenMap(tokens: Tensor, prefix: number, grid: Size): TokenMap {
  const count = prefix + grid[0] * grid[1];
  return {
    patches: slice(tokens, { 1: [prefix, count] }),
    prefix: prefix > 0 ? slice(tokens, { 1: [0, prefix] }) : null,
    grid,
  };
}

/**
 * All blocks, `blocks.0` to `blocks.(depth − 1)`, one after another.
 *
 * @param x `[batch, tokens, dim]`
 * @returns the residual stream after every block
 */
export function transformerBlocks(
  scope: Scope,
  x: Tensor,
  spec: BlockSpec,
  options: ForwardOptions = {},
): readonly Tensor[] {
  const outputs: Tensor[] = [];
  let stream = x;
  for (let index = 0; index < spec.depth; index++) {
    const inside = scope.in('blocks').in(index);
    const rate = depthRate(options.dropPath ?? 0, index, spec.depth);
    const block = (input: Tensor): Tensor => transformerBlock(inside, input, spec, rate);
    stream = options.checkpoint ? checkpoint(block, stream) : block(stream);
    outputs.push(stream);
  }
  return outputs;
}

/** The pre-norm block: x + ls₁·attention(norm₁ x), then that plus ls₂·mlp(norm₂ of it). */
function transformerBlock(scope: Scope, x: Tensor, spec: BlockSpec, dropPath: number): Tensor {
  const mixed = selfAttention(scope.in('attn'), layerNormLayer(scope.in('norm1'), x, spec.epsilon), spec);
  const first = stochasticDepth(scope.in('drop_path1'), scaled(scope, mixed, 1, spec), dropPath);
  const middle = add(x, first);
  const inner = spec.mlp(scope.in('mlp'), layerNormLayer(scope.in('norm2'), middle, spec.epsilon));
  const second = stochasticDepth(scope.in('drop_path2'), scaled(scope, inner, 2, spec), dropPath);
  return add(middle, second);
}

function scaled(scope: Scope, x: Tensor, branch: 1 | 2, { dim, layerScale }: BlockSpec): Tensor {
  if (layerScale === 'none') return x;
  const [inside, name] =
    layerScale === 'modules' ? [scope.in(`ls${branch}`), 'gamma'] : [scope, `gamma_${branch}`];
  return multiply(x, inside.parameter(name, [dim], filledWith(FIRST_LAYER_SCALE)));
}

function selfAttention(scope: Scope, x: Tensor, spec: BlockSpec): Tensor {
  const { dim, heads, rotate = (tokens: Tensor) => tokens } = spec;
  const [q, k, v] = splitEvenly(qkvLayer(scope, x, spec), 3, -1) as [Tensor, Tensor, Tensor];
  return linearLayer(scope.in('proj'), attention(rotate(q), rotate(k), v, { heads }), dim);
}

function qkvLayer(scope: Scope, x: Tensor, { dim, qkvBias }: BlockSpec): Tensor {
  if (qkvBias === 'apart') return keylessQkv(scope, x);
  return linearLayer(scope.in('qkv'), x, 3 * dim, { bias: qkvBias === 'fused' });
}
