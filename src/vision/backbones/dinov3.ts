import { z } from 'zod';
import { concat, layerNormLayer, mean, mlp, swiGlu, type Tensor } from '../../tensor/index.ts';
import { architecture, pictureSize } from './backbone.ts';
import { transformerBlockOf } from './partition.ts';
import { rotaryEmbedding } from './rope.ts';
import { countSchema } from './settings.ts';
import { type BlockSpec, learntTokens, patchEmbedding, tokenMap, transformerBlocks } from './transformer.ts';

const EPSILON = 1e-5;

const schema = z
  .strictObject({
    patch: countSchema.default(16),
    dim: countSchema,
    depth: countSchema,
    heads: countSchema,
    registers: z.int().nonnegative().default(4),
    /** Whether there are `q_bias` and `v_bias` (timm's `_qkvb` names). */
    qkvBias: z.boolean().default(false),
    /** `swiglu` is the gated MLP of S+ and H+. */
    mlp: z.enum(['gelu', 'swiglu']).default('gelu'),
    /** Default: 4 · dim. */
    mlpHidden: countSchema.optional(),
  })
  .refine(({ dim, heads }) => dim % (4 * heads) === 0, {
    message: 'dim / heads must be a whole multiple of 4, for rotary embedding',
  });

/**
 * DINOv3's vision transformer (Siméoni et al. 2025; timm `Eva`, `vit_*_patch16_dinov3`): pre-norm blocks with
 * LayerScale, rotary position embedding on patches, for any picture of whole patches. Tokens are CLS,
 * registers, patches; pooled is the mean of the patch tokens after the norm, as in timm (Meta's code takes CLS,
 * which is `tokens.prefix`'s first).
 */
export const DINOV3 = architecture('dinov3', schema, (config) => {
  const { patch, dim, depth, heads, registers, qkvBias } = config;
  const prefixTokens = 1 + registers;
  const inputSize = { multipleOf: patch, fixed: false };
  const hidden = config.mlpHidden ?? 4 * dim;
  const spec: BlockSpec = {
    dim,
    depth,
    heads,
    epsilon: EPSILON,
    qkvBias: qkvBias ? 'apart' : 'none',
    layerScale: 'parameters',
    mlp: (scope, x) => (config.mlp === 'swiglu' ? swiGlu(scope, x, { hidden }) : mlp(scope, x, { hidden })),
  };
  return {
    width: dim,
    depth,
    prefixTokens,
    inputSize,
    blockOf: transformerBlockOf(depth),
    forward(scope, images, options) {
      pictureSize('dinov3', images, inputSize);
      const { tokens, grid } = patchEmbedding(scope, images, { dim, patch });
      const prefix = [learntTokens(scope, 'cls_token', 1, tokens)];
      if (registers > 0) prefix.push(learntTokens(scope, 'reg_token', registers, tokens));
      const rotate = rotaryEmbedding(grid, {
        prefix: prefixTokens,
        headWidth: dim / heads,
        dtype: scope.computeType,
      });
      const stream = transformerBlocks(scope, concat([...prefix, tokens], 1), { ...spec, rotate }, options);
      const features = layerNormLayer(scope.in('norm'), stream.at(-1) as Tensor, EPSILON);
      const parts = tokenMap(features, prefixTokens, grid);
      return {
        features,
        pooled: mean(parts.patches, { axes: [1] }),
        tokens: parts,
        blocks: stream.map((x) => tokenMap(x, prefixTokens, grid)),
      };
    },
  };
});
