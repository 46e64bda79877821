import { z } from 'zod';
import {
  add,
  concat,
  layerNormLayer,
  linearLayer,
  mlp,
  multiply,
  type Scope,
  select,
  silu,
  splitEvenly,
  type Tensor,
} from '../../tensor/index.ts';
import { architecture, pictureSize } from './backbone.ts';
import { transformerBlockOf } from './partition.ts';
import { positionEmbedding } from './position-embedding.ts';
import { countSchema, sizeSchema } from './settings.ts';
import { type BlockSpec, learntTokens, patchEmbedding, tokenMap, transformerBlocks } from './transformer.ts';

const EPSILON = 1e-6;

const schema = z
  .strictObject({
    patch: countSchema.default(14),
    dim: countSchema,
    depth: countSchema,
    heads: countSchema,
    /** The picture the position embedding was learnt for. */
    imgSize: sizeSchema.default([518, 518]),
    /** Register tokens; where there are any, the position embedding covers patches only. */
    registers: z.int().nonnegative().default(0),
    /** `swiglu` is the giant's gated MLP, gate and value packed in one `fc1`. */
    mlp: z.enum(['gelu', 'swiglu']).default('gelu'),
    /** Default: 4 · dim, or for `swiglu` two thirds of it, rounded up to a multiple of 8. */
    mlpHidden: countSchema.optional(),
  })
  .refine(({ dim, heads }) => dim % heads === 0, { message: 'dim must be a multiple of heads' });

/**
 * DINOv2's vision transformer (Oquab et al. 2023, Darcet et al. 2023 for registers; timm `VisionTransformer`,
 * `vit_*_patch14_dinov2` and `vit_*_patch14_reg4_dinov2`): pre-norm blocks with LayerScale and exact GELU, a
 * position embedding resampled to any grid. Tokens are CLS, registers, patches; pooled is CLS after the norm.
 */
export const DINOV2 = architecture('dinov2', schema, (config) => {
  const { patch, dim, depth, heads, imgSize, registers } = config;
  const prefixTokens = 1 + registers;
  const native = [Math.floor(imgSize[0] / patch), Math.floor(imgSize[1] / patch)] as const;
  const inputSize = { multipleOf: patch, native: imgSize, fixed: false };
  const spec: BlockSpec = {
    dim,
    depth,
    heads,
    epsilon: EPSILON,
    qkvBias: 'fused',
    layerScale: 'modules',
    mlp: mlpOf(config),
  };
  return {
    width: dim,
    depth,
    prefixTokens,
    inputSize,
    blockOf: transformerBlockOf(depth),
    forward(scope, images, options) {
      pictureSize('dinov2', images, inputSize);
      const { tokens, grid } = patchEmbedding(scope, images, { dim, patch });
      const position = (prefix: number) => positionEmbedding(scope, dim, { native, grid, prefix });
      const learnt = (name: string, count: number) => learntTokens(scope, name, count, tokens);
      const cls = learnt('cls_token', 1);
      const placed =
        registers === 0
          ? add(concat([cls, tokens], 1), position(1))
          : concat([cls, learnt('reg_token', registers), add(tokens, position(0))], 1);
      const stream = transformerBlocks(scope, placed, spec, options);
      const features = layerNormLayer(scope.in('norm'), stream.at(-1) as Tensor, EPSILON);
      return {
        features,
        pooled: select(features, 1, 0),
        tokens: tokenMap(features, prefixTokens, grid),
        blocks: stream.map((x) => tokenMap(x, prefixTokens, grid)),
      };
    },
  };
});

function mlpOf({ dim, mlp: kind, mlpHidden }: z.output<typeof schema>): BlockSpec['mlp'] {
  if (kind === 'gelu') return (scope, x) => mlp(scope, x, { hidden: mlpHidden ?? 4 * dim });
  const hidden = mlpHidden ?? Math.ceil(Math.floor((8 * dim) / 3) / 8) * 8;
  return (scope, x) => packedSwiGlu(scope, x, dim, hidden);
}

/** fc2(silu(a) · b) with a and b the halves of fc1(x) (timm's `SwiGLUPacked`). */
function packedSwiGlu(scope: Scope, x: Tensor, dim: number, hidden: number): Tensor {
  const both = linearLayer(scope.in('fc1'), x, 2 * hidden);
  const [gate, value] = splitEvenly(both, 2, -1) as [Tensor, Tensor];
  return linearLayer(scope.in('fc2'), multiply(silu(gate), value), dim);
}
