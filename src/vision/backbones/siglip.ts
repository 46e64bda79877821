import { z } from 'zod';
import {
  add,
  attention,
  expand,
  gelu,
  geluTanh,
  layerNormLayer,
  linearLayer,
  mlp,
  type Scope,
  select,
  splitEvenly,
  type Tensor,
  truncatedNormal,
} from '../../tensor/index.ts';
import {
  architecture,
  countSchema,
  lengthIn,
  type Recognised,
  type Shapes,
  sizeSchema,
} from './architecture.ts';
import { affine, joinedQkv, type Layout, plain } from './layout.ts';
import { positionEmbedding } from './position-embedding.ts';
import { centerCrop, HALVES, timmWeights } from './published.ts';
import { type BlockSpec, positionsIn, transformerShape, visionTransformer } from './transformer.ts';

const EPSILON = 1e-6;

const ACTIVATIONS = { gelu, gelu_tanh: geluTanh } as const;

const SCHEMA = z
  .strictObject({
    patch: countSchema.default(16),
    dim: countSchema,
    depth: countSchema,
    heads: countSchema,
    /** The picture the position embedding was learnt for. */
    imgSize: sizeSchema,
    /** Default: 4 · dim. */
    mlpHidden: countSchema.optional(),
    /** Exact GELU as in timm, or its tanh formula as in Hugging Face's configuration of the same weights. */
    activation: z.enum(['gelu', 'gelu_tanh']).default('gelu'),
  })
  .refine(({ dim, heads }) => dim % heads === 0, { message: 'dim must be a multiple of heads' });

/**
 * One learnt query over all tokens (timm's `AttentionPoolLatent`).
 *
 * @param x `[batch, tokens, dim]`
 * @returns `[batch, dim]`
 */
function attentionPool(scope: Scope, x: Tensor, heads: number, feedForward: BlockSpec['mlp']): Tensor {
  const [batch, , dim] = x.shape as [number, number, number];
  const latent = scope.parameter('latent', [1, 1, dim], truncatedNormal());
  const q = expand(linearLayer(scope.in('q'), latent, dim), [batch, 1, dim]);
  const [k, v] = splitEvenly(linearLayer(scope.in('kv'), x, 2 * dim), 2, -1) as [Tensor, Tensor];
  const drawn = linearLayer(scope.in('proj'), attention(q, k, v, { heads }), dim);
  const inner = feedForward(scope.in('mlp'), layerNormLayer(scope.in('norm'), drawn, EPSILON));
  return select(add(drawn, inner), 1, 0);
}

/** Heads of published models by width: shapes do not show them, and a wrong guess would go unnoticed. */
const HEADS: Readonly<Record<number, number>> = { 768: 12, 1024: 16, 1152: 16, 1536: 16 };

function recognise(shapes: Shapes): Recognised | undefined {
  if (!shapes.has('attn_pool.latent')) return undefined;
  const { dim, patch, depth } = transformerShape(shapes);
  return {
    config: {
      patch,
      dim,
      depth,
      mlpHidden: lengthIn(shapes, 'blocks.0.mlp.fc1.weight', 0),
    },
    open: { heads: HEADS[dim] },
    ...positionsIn(shapes, patch),
  };
}

const HUGGING_FACE: Layout = {
  title: 'Hugging Face SigLIP',
  // Its own default is the approximation.
  defaults: { activation: 'gelu_tanh' },
  marks: [
    /(?:^|\.)embeddings\.patch_embedding\.weight$/,
    /^head\.probe$/,
    /^encoder\.layers\.0\.self_attn\.q_proj\.weight$/,
  ],
  rules() {
    const layer = 'encoder\\.layers\\.(\\d+)';
    const first = (rows: number): readonly [number, number] => [0, rows / 3];
    const rest = (rows: number): readonly [number, number] => [rows / 3, (2 * rows) / 3];
    return [
      affine('embeddings\\.patch_embedding', 'patch_embed.proj'),
      plain('embeddings\\.position_embedding\\.weight', 'pos_embed', { leadingOne: true }),
      affine(`${layer}\\.layer_norm([12])`, 'blocks.$1.norm$2'),
      ...['weight', 'bias'].flatMap((what) =>
        joinedQkv(
          (letter) => `${layer}\\.self_attn\\.${letter}_proj\\.${what}`,
          `blocks.$1.attn.qkv.${what}`,
        ),
      ),
      affine(`${layer}\\.self_attn\\.out_proj`, 'blocks.$1.attn.proj'),
      affine(`${layer}\\.mlp\\.(fc1|fc2)`, 'blocks.$1.mlp.$2'),
      affine('post_layernorm', 'norm'),
      plain('head\\.probe', 'attn_pool.latent'),
      plain('head\\.attention\\.in_proj_(weight|bias)', 'attn_pool.q.$1', { rows: first }),
      plain('head\\.attention\\.in_proj_(weight|bias)', 'attn_pool.kv.$1', { rows: rest }),
      affine('head\\.attention\\.out_proj', 'attn_pool.proj'),
      affine('head\\.layernorm', 'attn_pool.norm'),
      affine('head\\.mlp\\.(fc1|fc2)', 'attn_pool.mlp.$1'),
    ];
  },
};

const SIZES = {
  base: { dim: 768, depth: 12, heads: 12, mlpHidden: 3072 },
  large: { dim: 1024, depth: 24, heads: 16, mlpHidden: 4096 },
  so400m: { dim: 1152, depth: 27, heads: 16, mlpHidden: 4304 },
} as const;

/** [size, patch, pixels, parameters, weights of that shape] */
const WEIGHTS: readonly (readonly [keyof typeof SIZES, number, number, number, readonly string[]])[] = [
  ['base', 16, 224, 92_884_224, ['webli', 'v2_webli']],
  ['base', 16, 256, 92_930_304, ['webli', 'webli_i18n', 'v2_webli']],
  ['base', 16, 384, 93_176_064, ['webli', 'v2_webli']],
  ['base', 16, 512, 93_520_128, ['webli', 'v2_webli']],
  ['base', 32, 256, 94_552_320, ['v2_webli']],
  ['large', 16, 256, 315_956_224, ['webli', 'v2_webli']],
  ['large', 16, 384, 316_283_904, ['webli', 'v2_webli']],
  ['large', 16, 512, 316_742_656, ['v2_webli']],
  ['so400m', 14, 224, 427_680_704, ['webli', 'v2_webli']],
  ['so400m', 14, 378, 428_225_600, ['webli', 'v2_webli']],
  ['so400m', 14, 384, 428_225_600, ['webli']],
  ['so400m', 16, 256, 427_888_064, ['webli_i18n', 'v2_webli']],
  ['so400m', 16, 384, 428_256_704, ['v2_webli']],
  ['so400m', 16, 512, 428_772_800, ['v2_webli']],
];

/**
 * The vision tower of SigLIP and SigLIP 2 (`v2_webli`; Zhai et al. 2023, Tschannen et al. 2025; timm
 * `VisionTransformer`, `vit_*_siglip_*`): pre-norm blocks without CLS or LayerScale; pooled is what a learnt query
 * draws from all tokens by attention, plus an MLP of it.
 */
export const SIGLIP = architecture({
  arch: 'siglip',
  schema: SCHEMA,
  build({ patch, dim, depth, heads, imgSize, activation, mlpHidden: hidden = 4 * dim }) {
    const native = [Math.floor(imgSize[0] / patch), Math.floor(imgSize[1] / patch)] as const;
    const feedForward: BlockSpec['mlp'] = (scope, x) =>
      mlp(scope, x, { hidden, activation: ACTIVATIONS[activation] });
    return visionTransformer({
      arch: 'siglip',
      spec: {
        dim,
        depth,
        heads,
        epsilon: EPSILON,
        qkvBias: 'fused',
        layerScale: 'none',
        mlp: feedForward,
      },
      patch,
      prefixTokens: 0,
      inputSize: { multipleOf: patch, native: imgSize, fixed: false },
      embed: (scope, patches, grid) => ({
        tokens: add(patches, positionEmbedding(scope, dim, { native, grid, prefix: 0 })),
      }),
      pool: (scope, _, tokens) => attentionPool(scope.in('attn_pool'), tokens, heads, feedForward),
    });
  },
  recognise,
  layouts: [HUGGING_FACE],
  timmName: /^vit_.*_siglip/,
  timmArguments: { patch_size: 'patch', embed_dim: 'dim', depth: 'depth', num_heads: 'heads' },
  huggingFace: { modelTypes: ['siglip_vision_model'], settings: ['heads', 'imgSize', 'activation'] },
  pooling: 'attention',
  weights: WEIGHTS.flatMap(([size, patch, side, parameters, datasets]) =>
    datasets.map((data) =>
      timmWeights(`vit_${size}_patch${patch}_siglip_${side}.${data}`, {
        config: { patch, ...SIZES[size], imgSize: [side, side] },
        licence: 'Apache-2.0',
        preprocessing: centerCrop(side, 0.9, HALVES),
        width: SIZES[size].dim,
        parameters,
      }),
    ),
  ),
});
