import { z } from 'zod';
import { concat, mean, mlp, swiGlu } from '../../tensor/index.ts';
import { architecture, countSchema, lengthIn, type Recognised, type Shapes } from './architecture.ts';
import { affine, joinedQkv, type Layout, plain, REPOSITORY_BLOCK, REPOSITORY_BLOCKS } from './layout.ts';
import {
  centerCrop,
  IMAGENET,
  metaDinov3,
  type Pins,
  type PublishedWeights,
  timmWeights,
} from './published.ts';
import { rotaryEmbedding } from './rope.ts';
import { learntTokens, transformerShape, visionTransformer } from './transformer.ts';

const SCHEMA = z
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

/** Heads of published models by width: shapes do not show them, and a wrong guess would go unnoticed. */
const HEADS: Readonly<Record<number, number>> = { 384: 6, 768: 12, 1024: 16, 1280: 20, 1536: 24 };

function recognise(shapes: Shapes): Recognised | undefined {
  if (!shapes.has('blocks.0.gamma_1') || !shapes.has('reg_token') || shapes.has('pos_embed'))
    return undefined;
  const { dim, patch, depth } = transformerShape(shapes);
  const inner = lengthIn(shapes, 'blocks.0.mlp.fc2.weight', 1);
  return {
    config: {
      patch,
      dim,
      depth,
      registers: lengthIn(shapes, 'reg_token', 1) ?? 0,
      qkvBias: shapes.has('blocks.0.attn.q_bias'),
      mlp: shapes.has('blocks.0.mlp.fc1_g.weight') ? 'swiglu' : 'gelu',
      ...(inner === 4 * dim ? {} : { mlpHidden: inner }),
    },
    open: { heads: HEADS[dim] },
  };
}

const HUGGING_FACE: Layout = {
  title: 'Hugging Face DINOv3',
  marks: [
    /(?:^|\.)embeddings\.patch_embeddings\.weight$/,
    /^embeddings\.register_tokens$/,
    /^(?:model\.)?layer\.0\.attention\.q_proj\.weight$/,
  ],
  rules(names) {
    const layer = '(?:model\\.)?layer\\.(\\d+)';
    const gated = [...names].some((name) => name.endsWith('.mlp.gate_proj.weight'));
    return [
      plain('embeddings\\.cls_token', 'cls_token'),
      plain('embeddings\\.register_tokens', 'reg_token'),
      affine('embeddings\\.patch_embeddings', 'patch_embed.proj'),
      affine(`${layer}\\.(norm1|norm2)`, 'blocks.$1.$2'),
      ...joinedQkv((letter) => `${layer}\\.attention\\.${letter}_proj\\.weight`, 'blocks.$1.attn.qkv.weight'),
      plain(`${layer}\\.attention\\.(q|v)_proj\\.bias`, 'blocks.$1.attn.$2_bias'),
      affine(`${layer}\\.attention\\.o_proj`, 'blocks.$1.attn.proj'),
      plain(`${layer}\\.layer_scale([12])\\.lambda1`, 'blocks.$1.gamma_$2'),
      affine(`${layer}\\.mlp\\.gate_proj`, 'blocks.$1.mlp.fc1_g'),
      affine(`${layer}\\.mlp\\.up_proj`, gated ? 'blocks.$1.mlp.fc1_x' : 'blocks.$1.mlp.fc1'),
      affine(`${layer}\\.mlp\\.down_proj`, 'blocks.$1.mlp.fc2'),
      affine('norm', 'norm'),
    ];
  },
};

/** `facebookresearch/dinov3`. The keys' third of the bias is masked there, so that it counts for nothing. */
const REPOSITORY: Layout = {
  title: 'the DINOv3 repository',
  marks: [
    /(?:^|\.)patch_embed\.proj\.weight$/,
    /^storage_tokens$/,
    /^blocks\.(?:\d+\.)+ls1\.gamma$/,
    /^blocks\.(?:\d+\.)+attn\.qkv\.weight$/,
  ],
  rules: () => [
    plain('cls_token', 'cls_token'),
    plain('storage_tokens', 'reg_token'),
    ...REPOSITORY_BLOCKS,
    plain(`${REPOSITORY_BLOCK}\\.attn\\.qkv\\.bias`, 'blocks.$1.attn.q_bias', {
      rows: (rows) => [0, rows / 3],
    }),
    plain(`${REPOSITORY_BLOCK}\\.attn\\.qkv\\.bias`, 'blocks.$1.attn.v_bias', {
      rows: (rows) => [(2 * rows) / 3, rows / 3],
    }),
    plain(`${REPOSITORY_BLOCK}\\.ls([12])\\.gamma`, 'blocks.$1.gamma_$2'),
    affine(`${REPOSITORY_BLOCK}\\.mlp\\.w1`, 'blocks.$1.mlp.fc1_g'),
    affine(`${REPOSITORY_BLOCK}\\.mlp\\.w2`, 'blocks.$1.mlp.fc1_x'),
  ],
};

const SIZES = {
  small: { dim: 384, depth: 12, heads: 6, mlp: 'gelu' },
  small_plus: { dim: 384, depth: 12, heads: 6, mlp: 'swiglu' },
  base: { dim: 768, depth: 12, heads: 12, mlp: 'gelu' },
  large: { dim: 1024, depth: 24, heads: 16, mlp: 'gelu' },
  huge_plus: { dim: 1280, depth: 32, heads: 20, mlp: 'swiglu' },
} as const;

/** Means and deviations of satellite pictures. */
const SATELLITE = { mean: [0.43, 0.411, 0.296], std: [0.213, 0.156, 0.143] } as const;

/** [size, data, parameters without and with q and v biases, Meta's name] */
const WEIGHTS: readonly (readonly [
  keyof typeof SIZES,
  'lvd1689m' | 'sat493m',
  number,
  number,
  string | null,
])[] = [
  ['small', 'lvd1689m', 21_586_944, 21_596_160, 'vits16'],
  ['small_plus', 'lvd1689m', 28_683_264, 28_692_480, 'vits16plus'],
  ['base', 'lvd1689m', 85_641_216, 85_659_648, 'vitb16'],
  ['large', 'lvd1689m', 303_079_424, 303_128_576, 'vitl16'],
  ['large', 'sat493m', 303_079_424, 303_128_576, null],
  ['huge_plus', 'lvd1689m', 840_509_440, 840_591_360, 'vith16plus'],
];

const PINS: Pins = {
  'vit_small_patch16_dinov3.lvd1689m': [
    '3bf4720a82ec2066db88137180ff1f83a675cef0',
    86_362_376,
    '2a1ec16ae28ffa07bc0ead0241ee7df9fc26451fe6f9f839b7b3afa0a906b040',
  ],
  'vit_base_patch16_dinov3.lvd1689m': [
    'c6a5fb7d12bbd3cf3b0079253141c3332aaed7da',
    342_579_728,
    '1f9ed8a2378d65e24bb710ba522ac9fa7be4e036d7aefb4384ce022833926332',
  ],
  'vit_large_patch16_dinov3.lvd1689m': [
    '30c1109559f65dea34316b0d4842d35c5771fe11',
    1_212_347_640,
    '45172f209c9583c40538afc26b60a07033e6fcc2e8c30228338e6b2e932e7941',
  ],
  'facebook/dinov3-vits16-pretrain-lvd1689m': [
    '114c1379950215c8b35dfcd4e90a5c251dde0d32',
    86_406_384,
    '4610ad75edef83e75afdebf162d148dc628045ea6cbb83d67d4708c709c4f91d',
  ],
  'facebook/dinov3-vits16plus-pretrain-lvd1689m': [
    'c93d816fc9e567563bc068f01475bec89cc634a6',
    114_794_096,
    '208146e499dace99e4c9376ddb8a26f77d64c31c46c4dc4b86ff8bc63b0235e2',
  ],
  'facebook/dinov3-vitb16-pretrain-lvd1689m': [
    '5931719e67bbdb9737e363e781fb0c67687896bc',
    342_662_192,
    '9a21ac3df0c63839d62612dda6f454d816c25611cc7a52966ed5a5a94921dc8b',
  ],
  'facebook/dinov3-vitl16-pretrain-lvd1689m': [
    'ea8dc2863c51be0a264bab82070e3e8836b02d51',
    1_212_559_808,
    'dcb2e45127cccbf1601e5f42fef165eea275c8e5213197e8dcf3f48822718179',
  ],
  'facebook/dinov3-vith16plus-pretrain-lvd1689m': [
    'c807c9eeea853df70aec4069e6f56b28ddc82acc',
    3_362_432_800,
    '3e1d4d18b9bfa9f28fad8e9de6a783f1313532d3460efa4cd0b12521d81d1a4d',
  ],
};

/** timm's weights with the biases of q and v, or without: they are zero until tuned. */
function timmsOwn(
  [size, data, withoutBias, withBias]: (typeof WEIGHTS)[number],
  qkvBias: boolean,
): PublishedWeights {
  return timmWeights(
    `vit_${size}_patch16_dinov3${qkvBias ? '_qkvb' : ''}.${data}`,
    {
      config: { patch: 16, ...SIZES[size], registers: 4, qkvBias },
      licence: 'DINOv3',
      preprocessing: centerCrop(256, 1, data === 'sat493m' ? SATELLITE : IMAGENET),
      width: SIZES[size].dim,
      parameters: qkvBias ? withBias : withoutBias,
    },
    { pins: PINS },
  );
}

/**
 * DINOv3's vision transformer (Siméoni et al. 2025; timm `Eva`, `vit_*_patch16_dinov3`): pre-norm blocks with
 * LayerScale, rotary position embedding on patches, for any picture of whole patches. Tokens are CLS,
 * registers, patches; pooled is the mean of the patch tokens after the norm, as in timm (Meta's code takes CLS,
 * which is `tokens.prefix`'s first). The weights learnt from LVD-1689M or from satellite pictures.
 */
export const DINOV3 = architecture({
  arch: 'dinov3',
  schema: SCHEMA,
  build({ patch, dim, depth, heads, registers, qkvBias, mlp: kind, mlpHidden: hidden = 4 * dim }) {
    const prefixTokens = 1 + registers;
    return visionTransformer({
      arch: 'dinov3',
      spec: {
        dim,
        depth,
        heads,
        epsilon: 1e-5,
        qkvBias: qkvBias ? 'apart' : 'none',
        layerScale: 'parameters',
        mlp: (scope, x) => (kind === 'swiglu' ? swiGlu(scope, x, { hidden }) : mlp(scope, x, { hidden })),
      },
      patch,
      prefixTokens,
      inputSize: { multipleOf: patch, fixed: false },
      embed(scope, patches, grid) {
        const prefix = [learntTokens(scope, 'cls_token', 1, patches)];
        if (registers > 0) prefix.push(learntTokens(scope, 'reg_token', registers, patches));
        const headWidth = dim / heads;
        const rotate = rotaryEmbedding(grid, { prefix: prefixTokens, headWidth });
        return { tokens: concat([...prefix, patches], 1), rotate };
      },
      pool: (_, { patches }) => mean(patches, { axes: [1] }),
    });
  },
  recognise,
  layouts: [HUGGING_FACE, REPOSITORY],
  timmName: /^vit_.*_dinov3/,
  timmArguments: {
    patch_size: 'patch',
    embed_dim: 'dim',
    depth: 'depth',
    num_heads: 'heads',
    num_reg_tokens: 'registers',
  },
  huggingFace: { modelTypes: ['dinov3_vit'], settings: ['heads'] },
  pooling: 'patch-mean',
  weights: [
    ...WEIGHTS.flatMap((row) => [timmsOwn(row, false), timmsOwn(row, true)]),
    // The transformers' files hold a mask token too.
    ...WEIGHTS.flatMap((row) => {
      const [size, , , , name] = row;
      return name === null ? [] : [metaDinov3(name, PINS, timmsOwn(row, true), 4 * SIZES[size].dim)];
    }),
  ],
});
