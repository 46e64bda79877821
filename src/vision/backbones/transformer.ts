import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  add,
  attention,
  concat,
  convolutionLayer,
  expand,
  filledWith,
  full,
  layerNormLayer,
  linearLayer,
  multiply,
  reshape,
  type Scope,
  select,
  slice,
  splitEvenly,
  stochasticDepth,
  type Tensor,
  transpose,
  truncatedNormal,
  zeros,
} from '../../tensor/index.ts';
import { countIn, lengthIn, type Recognised, type Shapes } from './architecture.ts';
import {
  type Backbone,
  blockRunner,
  type ForwardOptions,
  type InputSizeRule,
  pictureSize,
  type Size,
  type TokenMap,
} from './backbone.ts';
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
function patchEmbedding(
  scope: Scope,
  images: Tensor,
  dim: number,
  patch: number,
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
function tokenMap(tokens: Tensor, prefix: number, grid: Size): TokenMap {
  const count = prefix + grid[0] * grid[1];
  return {
    patches: slice(tokens, { 1: [prefix, count] }),
    prefix: prefix > 0 ? slice(tokens, { 1: [0, prefix] }) : null,
    grid,
  };
}

/** What tells one vision transformer from another. */
interface Transformer {
  readonly arch: string;
  readonly spec: BlockSpec;
  readonly patch: number;
  readonly prefixTokens: number;
  readonly inputSize: InputSizeRule;
  /** Adds prefix tokens and positions to patch tokens `[batch, rows · columns, dim]`. */
  embed(scope: Scope, patches: Tensor, grid: Size): { readonly tokens: Tensor; readonly rotate?: Rotation };
  /** What one vector the normed tokens make: CLS, or another `[batch, dim]`. */
  readonly pool: 'cls' | ((scope: Scope, map: TokenMap, tokens: Tensor) => Tensor);
}

/** A vision transformer as a backbone: patches, blocks `blocks.0` to `blocks.(depth − 1)`, a norm, a pooled vector. */
export function visionTransformer(transformer: Transformer): Omit<Backbone, 'arch'> {
  const { arch, spec, patch, prefixTokens, inputSize, embed, pool } = transformer;
  const { dim, depth, epsilon } = spec;
  /** Raw outputs of all blocks, and the last one's normed; the last block's for its first tokens alone if so many are read. */
  const pass = (scope: Scope, images: Tensor, options: ForwardOptions, read?: number) => {
    pictureSize(arch, images, inputSize);
    const { tokens: patches, grid } = patchEmbedding(scope, images, dim, patch);
    const { tokens, rotate } = embed(scope, patches, grid);
    const rotated = rotate ? { ...spec, rotate } : spec;
    const run = blockRunner(options, depth);
    const stream: Tensor[] = [];
    for (let index = 0; index < depth; index++) {
      const inside = scope.in('blocks').in(index);
      const first = index === depth - 1 ? read : undefined;
      stream.push(
        run(stream.at(-1) ?? tokens, (x, rate) => transformerBlock(inside, x, rotated, rate, first)),
      );
    }
    return { grid, stream, normed: layerNormLayer(scope.in('norm'), stream.at(-1) as Tensor, epsilon) };
  };
  return {
    width: dim,
    depth,
    resolutions: quartersOf(depth),
    prefixTokens,
    inputSize,
    blockOf(name) {
      const block = /^blocks\.(\d+)\./.exec(name)?.[1];
      if (block !== undefined) return Number(block);
      return /^(patch_embed\.|pos_embed$|cls_token$|reg_token$)/.test(name) ? -1 : depth;
    },
    forward(scope, images, options = {}) {
      const { grid, stream, normed } = pass(scope, images, options);
      const map = tokenMap(normed, prefixTokens, grid);
      return {
        features: normed,
        pooled: pool === 'cls' ? select(normed, 1, 0) : pool(scope, map, normed),
        tokens: map,
        blocks: stream.map((x) => tokenMap(x, prefixTokens, grid)),
      };
    },
    ...(prefixTokens > 0 && {
      cls: {
        isPooled: pool === 'cls',
        forward(scope, images, options = {}) {
          const { stream, normed } = pass(scope, images, options, 1);
          return { normed: select(normed, 1, 0), blocks: stream.map((x) => select(x, 1, 0)) };
        },
      },
    }),
  };
}

/** The last block of every quarter: 2, 5, 8 and 11 of twelve. */
const quartersOf = (depth: number): readonly number[] => [
  ...new Set([1, 2, 3, 4].map((quarter) => Math.max(0, Math.round((quarter * depth) / 4) - 1))),
];

/**
 * The pre-norm block: x + ls₁·attention(norm₁ x), then that plus ls₂·mlp(norm₂ of it).
 *
 * @param read of how many first tokens; of all where it is undefined
 */
function transformerBlock(
  scope: Scope,
  x: Tensor,
  spec: BlockSpec,
  dropPath: number,
  read: number | undefined,
): Tensor {
  const normed = layerNormLayer(scope.in('norm1'), x, spec.epsilon);
  const mixed = selfAttention(scope.in('attn'), normed, spec, read);
  const first = stochasticDepth(scope.in('drop_path1'), scaled(scope, mixed, 1, spec), dropPath);
  const middle = add(firstTokens(x, read), first);
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

const firstTokens = (x: Tensor, count: number | undefined): Tensor =>
  count === undefined ? x : slice(x, { 1: [0, count] });

function selfAttention(scope: Scope, x: Tensor, spec: BlockSpec, read: number | undefined): Tensor {
  const { dim, heads, rotate = (tokens: Tensor) => tokens } = spec;
  const [q, k, v] = splitEvenly(qkvLayer(scope, x, spec), 3, -1) as [Tensor, Tensor, Tensor];
  const queries = firstTokens(rotate(q), read);
  return linearLayer(scope.in('proj'), attention(queries, rotate(k), v, { heads }), dim);
}

function qkvLayer(scope: Scope, x: Tensor, { dim, qkvBias }: BlockSpec): Tensor {
  if (qkvBias === 'apart') return keylessQkv(scope, x);
  return linearLayer(scope.in('qkv'), x, 3 * dim, { bias: qkvBias === 'fused' });
}

/**
 * One product for q, k and v whose biases lie apart, as `q_bias` and `v_bias`; keys have none (timm's `Eva` with
 * `qkv_bias_separate`, and SwinV2). The weight is `qkv.weight`.
 *
 * @param x [batch, tokens, dim]
 * @returns [batch, tokens, 3 · dim]
 */
export function keylessQkv(scope: Scope, x: Tensor): Tensor {
  const dim = lengthAt(x.shape, -1);
  const q = scope.parameter('q_bias', [dim], zeros);
  const v = scope.parameter('v_bias', [dim], zeros);
  const bias = concat([q, full([dim], 0, q.dtype), v], 0);
  return linearLayer(scope.in('qkv'), x, 3 * dim, { bias, weightInitializer: truncatedNormal() });
}

/** Widths and numbers that the shapes of a transformer's tensors tell. */
export function transformerShape(shapes: Shapes): { dim: number; patch: number; depth: number } {
  return {
    dim: lengthIn(shapes, 'patch_embed.proj.weight', 0) ?? 0,
    patch: lengthIn(shapes, 'patch_embed.proj.weight', 2) ?? 0,
    depth: countIn(shapes, 'blocks.'),
  };
}

/** What the position embedding of a transformer covers, without the prefix tokens it may have positions for. */
export function positionsIn(shapes: Shapes, patch: number, prefix = 0): Pick<Recognised, 'positions'> {
  const rows = lengthIn(shapes, 'pos_embed', 1);
  return rows === undefined ? {} : { positions: { patches: rows - prefix, patch, before: prefix } };
}
