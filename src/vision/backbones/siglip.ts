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
import { architecture, pictureSize } from './backbone.ts';
import { transformerBlockOf } from './partition.ts';
import { positionEmbedding } from './position-embedding.ts';
import { countSchema, sizeSchema } from './settings.ts';
import { type BlockSpec, patchEmbedding, tokenMap, transformerBlocks } from './transformer.ts';

const EPSILON = 1e-6;

const ACTIVATIONS = { gelu, gelu_tanh: geluTanh } as const;

const schema = z
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
 * The vision tower of SigLIP and SigLIP 2 (Zhai et al. 2023, Tschannen et al. 2025; timm `VisionTransformer`,
 * `vit_*_siglip_*`): pre-norm blocks without CLS or LayerScale; pooled is what a learnt query draws from all
 * tokens by attention, plus an MLP of it.
 */
export const SIGLIP = architecture('siglip', schema, (config) => {
  const { patch, dim, depth, heads, imgSize } = config;
  const native = [Math.floor(imgSize[0] / patch), Math.floor(imgSize[1] / patch)] as const;
  const inputSize = { multipleOf: patch, native: imgSize, fixed: false };
  const hidden = config.mlpHidden ?? 4 * dim;
  const feedForward: BlockSpec['mlp'] = (scope, x) =>
    mlp(scope, x, { hidden, activation: ACTIVATIONS[config.activation] });
  const spec: BlockSpec = {
    dim,
    depth,
    heads,
    epsilon: EPSILON,
    qkvBias: 'fused',
    layerScale: 'none',
    mlp: feedForward,
  };
  return {
    width: dim,
    depth,
    prefixTokens: 0,
    inputSize,
    blockOf: transformerBlockOf(depth),
    forward(scope, images, options) {
      pictureSize('siglip', images, inputSize);
      const { tokens, grid } = patchEmbedding(scope, images, { dim, patch });
      const placed = add(tokens, positionEmbedding(scope, dim, { native, grid, prefix: 0 }));
      const stream = transformerBlocks(scope, placed, spec, options);
      const features = layerNormLayer(scope.in('norm'), stream.at(-1) as Tensor, EPSILON);
      return {
        features,
        pooled: attentionPool(scope.in('attn_pool'), features, heads, feedForward),
        tokens: tokenMap(features, 0, grid),
        blocks: stream.map((x) => tokenMap(x, 0, grid)),
      };
    },
  };
});

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
