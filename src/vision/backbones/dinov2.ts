import { z } from 'zod';
import {
  add,
  concat,
  linearLayer,
  mlp,
  multiply,
  type Scope,
  silu,
  splitEvenly,
  type Tensor,
} from '../../tensor/index.ts';
import {
  architecture,
  countSchema,
  lengthIn,
  type Recognised,
  type Shapes,
  sizeSchema,
} from './architecture.ts';
import {
  affine,
  joinedQkv,
  type Layout,
  plain,
  QKV_WORDS,
  REPOSITORY_BLOCK,
  REPOSITORY_BLOCKS,
  withRegisters,
} from './layout.ts';
import { positionEmbedding } from './position-embedding.ts';
import { centerCrop, type Pins, timmWeights } from './published.ts';
import {
  type BlockSpec,
  learntTokens,
  positionsIn,
  transformerShape,
  visionTransformer,
} from './transformer.ts';

const SCHEMA = z
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

function mlpOf({ dim, mlp: kind, mlpHidden }: z.output<typeof SCHEMA>): BlockSpec['mlp'] {
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

/** Heads of published models by width: shapes do not show them, and a wrong guess would go unnoticed. */
const HEADS: Readonly<Record<number, number>> = { 384: 6, 768: 12, 1024: 16, 1280: 20, 1536: 24 };

function recognise(shapes: Shapes): Recognised | undefined {
  if (!shapes.has('blocks.0.ls1.gamma') || !shapes.has('cls_token')) return undefined;
  const { dim, patch, depth } = transformerShape(shapes);
  const registers = lengthIn(shapes, 'reg_token', 1) ?? 0;
  const inner = lengthIn(shapes, 'blocks.0.mlp.fc2.weight', 1);
  const isGated = lengthIn(shapes, 'blocks.0.mlp.fc1.weight', 0) === 2 * (inner ?? 0);
  const mlp = isGated ? { mlp: 'swiglu', mlpHidden: inner } : inner === 4 * dim ? {} : { mlpHidden: inner };
  return {
    config: { patch, dim, depth, registers, ...mlp },
    open: { heads: HEADS[dim] },
    ...positionsIn(shapes, patch, registers > 0 ? 0 : 1),
  };
}

const HUGGING_FACE: Layout = {
  title: 'Hugging Face DINOv2',
  marks: [
    /(?:^|\.)embeddings\.patch_embeddings\.projection\.weight$/,
    /^embeddings\.position_embeddings$/,
    /^encoder\.layer\.0\.layer_scale1\.lambda1$/,
  ],
  rules(names) {
    const [cls, positions] = ['embeddings\\.cls_token', 'embeddings\\.position_embeddings'];
    const block = 'encoder\\.layer\\.(\\d+)';
    return [
      ...(names.has('embeddings.register_tokens')
        ? withRegisters(cls, positions, 'embeddings\\.register_tokens')
        : [plain(cls, 'cls_token'), plain(positions, 'pos_embed')]),
      affine('embeddings\\.patch_embeddings\\.projection', 'patch_embed.proj'),
      affine(`${block}\\.(norm1|norm2)`, 'blocks.$1.$2'),
      ...['weight', 'bias'].flatMap((what) => [
        // `attention.attention.query` in older files, `attention.q_proj` in newer ones.
        ...joinedQkv(
          (letter) => `${block}\\.attention\\.(?:attention\\.${QKV_WORDS[letter]}|${letter}_proj)\\.${what}`,
          `blocks.$1.attn.qkv.${what}`,
        ),
        plain(`${block}\\.mlp\\.gate_proj\\.${what}`, `blocks.$1.mlp.fc1.${what}`, { order: 0 }),
        plain(`${block}\\.mlp\\.up_proj\\.${what}`, `blocks.$1.mlp.fc1.${what}`, { order: 1 }),
      ]),
      affine(`${block}\\.attention\\.(?:output\\.dense|o_proj)`, 'blocks.$1.attn.proj'),
      plain(`${block}\\.layer_scale([12])\\.lambda1`, 'blocks.$1.ls$2.gamma'),
      affine(`${block}\\.mlp\\.(fc1|fc2)`, 'blocks.$1.mlp.$2'),
      affine(`${block}\\.mlp\\.weights_in`, 'blocks.$1.mlp.fc1'),
      affine(`${block}\\.mlp\\.(?:weights_out|down_proj)`, 'blocks.$1.mlp.fc2'),
      affine('layernorm', 'norm'),
    ];
  },
};

/** `facebookresearch/dinov2` where its names are not timm's: with registers, a gated MLP, or blocks in chunks. */
const REPOSITORY: Layout = {
  title: 'the DINOv2 repository',
  marks: [
    /(?:^|\.)patch_embed\.proj\.weight$/,
    /^pos_embed$/,
    /^blocks\.(?:\d+\.)+ls1\.gamma$/,
    /^(?:register_tokens$|blocks\.(?:\d+\.)+mlp\.w12\.|blocks\.\d+\.\d+\.)/,
  ],
  rules: (names) => [
    ...(names.has('register_tokens')
      ? withRegisters('cls_token', 'pos_embed', 'register_tokens')
      : [plain('cls_token', 'cls_token'), plain('pos_embed', 'pos_embed')]),
    ...REPOSITORY_BLOCKS,
    plain(`${REPOSITORY_BLOCK}\\.attn\\.qkv\\.bias`, 'blocks.$1.attn.qkv.bias'),
    plain(`${REPOSITORY_BLOCK}\\.ls([12])\\.gamma`, 'blocks.$1.ls$2.gamma'),
    affine(`${REPOSITORY_BLOCK}\\.mlp\\.w12`, 'blocks.$1.mlp.fc1'),
  ],
};

const SIDE = 518;

const SIZES = {
  small: { dim: 384, depth: 12, heads: 6 },
  base: { dim: 768, depth: 12, heads: 12 },
  large: { dim: 1024, depth: 24, heads: 16 },
  giant: { dim: 1536, depth: 40, heads: 24, mlp: 'swiglu', mlpHidden: 4096 },
} as const;

/** [size, registers, parameters] */
const WEIGHTS: readonly (readonly [keyof typeof SIZES, number, number])[] = [
  ['small', 0, 22_056_192],
  ['small', 4, 22_057_344],
  ['base', 0, 86_579_712],
  ['base', 4, 86_582_016],
  ['large', 0, 304_367_616],
  ['large', 4, 304_370_688],
  ['giant', 0, 1_136_479_232],
  ['giant', 4, 1_136_483_840],
];

const PINS: Pins = {
  'vit_small_patch14_dinov2.lvd142m': [
    '4610ca143709d58a633b6397a74412c2c3842454',
    88_240_510,
    '04d27f3400d059fc0cfd7d17dd1909a75bf3ea8fb3eeb48b97cb99e57ee20081',
  ],
  'vit_base_patch14_dinov2.lvd142m': [
    '4685c99dabffe5affac90bd99dbffd25801ae58d',
    346_334_872,
    '55cbb5d887b336d430e649c277b85a1429e724871f9d02ac16203235886d8c7b',
  ],
  'vit_large_patch14_dinov2.lvd142m': [
    '4741e1cafbf45415e77074bb0cb42dba76c8684a',
    1_217_502_758,
    '0424a5d1b515278cba3c6640ccbeaacc41de59d3a93df0dd5e494285eea2b355',
  ],
  'vit_large_patch14_reg4_dinov2.lvd142m': [
    'f3c408e77602bb412aa65fb03dfa0d5f95cb3832',
    1_217_515_128,
    'c893d72294d4c327e631ff92f428dbc14c4f93cb5581b6c5f9d89bb5d17def27',
  ],
};

/**
 * DINOv2's vision transformer (Oquab et al. 2023, Darcet et al. 2023 for registers; timm `VisionTransformer`,
 * `vit_*_patch14_dinov2` and `vit_*_patch14_reg4_dinov2`): pre-norm blocks with LayerScale and exact GELU, a
 * position embedding resampled to any grid. Tokens are CLS, registers, patches; pooled is CLS after the norm. The
 * weights learnt from LVD-142M at 518 pixels.
 */
export const DINOV2 = architecture({
  arch: 'dinov2',
  schema: SCHEMA,
  build(config) {
    const { patch, dim, depth, heads, imgSize, registers } = config;
    const native = [Math.floor(imgSize[0] / patch), Math.floor(imgSize[1] / patch)] as const;
    return visionTransformer({
      arch: 'dinov2',
      spec: {
        dim,
        depth,
        heads,
        epsilon: 1e-6,
        qkvBias: 'fused',
        layerScale: 'modules',
        mlp: mlpOf(config),
      },
      patch,
      prefixTokens: 1 + registers,
      inputSize: { multipleOf: patch, native: imgSize, fixed: false },
      embed(scope, patches, grid) {
        const position = (prefix: number) => positionEmbedding(scope, dim, { native, grid, prefix });
        const learnt = (name: string, count: number) => learntTokens(scope, name, count, patches);
        const cls = learnt('cls_token', 1);
        const tokens =
          registers === 0
            ? add(concat([cls, patches], 1), position(1))
            : concat([cls, learnt('reg_token', registers), add(patches, position(0))], 1);
        return { tokens };
      },
      pool: 'cls',
    });
  },
  recognise,
  layouts: [HUGGING_FACE, REPOSITORY],
  timmName: /^vit_.*_dinov2/,
  timmArguments: {
    patch_size: 'patch',
    embed_dim: 'dim',
    depth: 'depth',
    num_heads: 'heads',
    reg_tokens: 'registers',
  },
  huggingFace: { modelTypes: ['dinov2', 'dinov2_with_registers'], settings: ['heads', 'imgSize'] },
  pooling: 'cls',
  weights: WEIGHTS.map(([size, registers, parameters]) =>
    timmWeights(
      `vit_${size}_patch14_${registers > 0 ? 'reg4_' : ''}dinov2.lvd142m`,
      {
        config: { patch: 14, ...SIZES[size], imgSize: [SIDE, SIDE], registers },
        licence: 'Apache-2.0',
        preprocessing: centerCrop(SIDE, 1),
        width: SIZES[size].dim,
        parameters,
      },
      { pins: PINS },
    ),
  ),
});
