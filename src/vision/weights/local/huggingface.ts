import { affine, type Layout, numbered, plain, type Rule } from './layout.ts';

/** What is left out of any model: heads for classes, text towers, mask tokens, buffers that are recomputed. */
const OF_NO_USE =
  /(^|\.)(classifier|mask_token|text_model|logit_scale|logit_bias|cls_head|pooler)(\.|$)|(^|\.)(position_ids|inv_freq|relative_position_index|relative_coords_table|num_batches_tracked)$/;

const QKV = ['q', 'k', 'v'] as const;

/** Separate q, k and v as one, in that order; the names are given as patterns. */
const joined = (from: (letter: (typeof QKV)[number]) => string, what: string, to: string): Rule[] =>
  QKV.map((letter, order) => plain(`${from(letter)}\\.${what}`, to, { order }));

const WORDS = { q: 'query', k: 'key', v: 'value' } as const;

/** `attention.attention.query` of older files, `attention.q_proj` of newer ones. */
const eitherName = (letter: (typeof QKV)[number]): string =>
  `attention\\.(?:attention\\.${WORDS[letter]}|${letter}_proj)`;

const BLOCK = 'encoder\\.layer\\.(\\d+)';

const DINOV2: Layout = {
  title: 'Hugging Face DINOv2',
  marks: [
    /(?:^|\.)embeddings\.patch_embeddings\.projection\.weight$/,
    /^embeddings\.position_embeddings$/,
    /^encoder\.layer\.0\.layer_scale1\.lambda1$/,
  ],
  ignored: OF_NO_USE,
  rules: (names) =>
    numbered([
      ...(names.has('embeddings.register_tokens') ? WITH_REGISTERS : WITHOUT_REGISTERS),
      affine('embeddings\\.patch_embeddings\\.projection', 'patch_embed.proj'),
      affine(`${BLOCK}\\.(norm1|norm2)`, 'blocks.$1.$2'),
      ...(['weight', 'bias'] as const).flatMap((what) =>
        joined((letter) => `${BLOCK}\\.${eitherName(letter)}`, what, `blocks.$1.attn.qkv.${what}`),
      ),
      affine(`${BLOCK}\\.attention\\.(?:output\\.dense|o_proj)`, 'blocks.$1.attn.proj'),
      plain(`${BLOCK}\\.layer_scale([12])\\.lambda1`, 'blocks.$1.ls$2.gamma'),
      affine(`${BLOCK}\\.mlp\\.(fc1|fc2)`, 'blocks.$1.mlp.$2'),
      affine(`${BLOCK}\\.mlp\\.weights_in`, 'blocks.$1.mlp.fc1'),
      affine(`${BLOCK}\\.mlp\\.(?:weights_out|down_proj)`, 'blocks.$1.mlp.fc2'),
      ...(['weight', 'bias'] as const).flatMap((what) => [
        plain(`${BLOCK}\\.mlp\\.gate_proj\\.${what}`, `blocks.$1.mlp.fc1.${what}`, { order: 0 }),
        plain(`${BLOCK}\\.mlp\\.up_proj\\.${what}`, `blocks.$1.mlp.fc1.${what}`, { order: 1 }),
      ]),
      affine('layernorm', 'norm'),
    ]),
};

const WITHOUT_REGISTERS: readonly Rule[] = [
  plain('embeddings\\.cls_token', 'cls_token'),
  plain('embeddings\\.position_embeddings', 'pos_embed'),
];

/** timm adds the CLS token's position to the token and keeps positions of patches only. */
const WITH_REGISTERS: readonly Rule[] = [
  plain('embeddings\\.cls_token', 'cls_token', { order: 0, added: true }),
  plain('embeddings\\.position_embeddings', 'cls_token', { order: 1, added: true, rows: () => [0, 1] }),
  plain('embeddings\\.position_embeddings', 'pos_embed', { rows: (rows) => [1, rows - 1] }),
  plain('embeddings\\.register_tokens', 'reg_token'),
];

const DINOV3: Layout = {
  title: 'Hugging Face DINOv3',
  marks: [
    /(?:^|\.)embeddings\.patch_embeddings\.weight$/,
    /^embeddings\.register_tokens$/,
    /^(?:model\.)?layer\.0\.attention\.q_proj\.weight$/,
  ],
  ignored: OF_NO_USE,
  rules: (names) => {
    const layer = '(?:model\\.)?layer\\.(\\d+)';
    const gated = [...names].some((name) => name.endsWith('.mlp.gate_proj.weight'));
    return numbered([
      plain('embeddings\\.cls_token', 'cls_token'),
      plain('embeddings\\.register_tokens', 'reg_token'),
      affine('embeddings\\.patch_embeddings', 'patch_embed.proj'),
      affine(`${layer}\\.(norm1|norm2)`, 'blocks.$1.$2'),
      ...joined((letter) => `${layer}\\.attention\\.${letter}_proj`, 'weight', 'blocks.$1.attn.qkv.weight'),
      plain(`${layer}\\.attention\\.(q|v)_proj\\.bias`, 'blocks.$1.attn.$2_bias'),
      affine(`${layer}\\.attention\\.o_proj`, 'blocks.$1.attn.proj'),
      plain(`${layer}\\.layer_scale([12])\\.lambda1`, 'blocks.$1.gamma_$2'),
      affine(`${layer}\\.mlp\\.gate_proj`, 'blocks.$1.mlp.fc1_g'),
      affine(`${layer}\\.mlp\\.up_proj`, gated ? 'blocks.$1.mlp.fc1_x' : 'blocks.$1.mlp.fc1'),
      affine(`${layer}\\.mlp\\.down_proj`, 'blocks.$1.mlp.fc2'),
      affine('norm', 'norm'),
    ]);
  },
};

const SIGLIP: Layout = {
  title: 'Hugging Face SigLIP',
  marks: [
    /(?:^|\.)embeddings\.patch_embedding\.weight$/,
    /^head\.probe$/,
    /^encoder\.layers\.0\.self_attn\.q_proj\.weight$/,
  ],
  ignored: OF_NO_USE,
  rules: () => {
    const layer = 'encoder\\.layers\\.(\\d+)';
    const first = (rows: number): readonly [number, number] => [0, rows / 3];
    const rest = (rows: number): readonly [number, number] => [rows / 3, (2 * rows) / 3];
    return numbered([
      affine('embeddings\\.patch_embedding', 'patch_embed.proj'),
      plain('embeddings\\.position_embedding\\.weight', 'pos_embed', { leadingOne: true }),
      affine(`${layer}\\.layer_norm([12])`, 'blocks.$1.norm$2'),
      ...(['weight', 'bias'] as const).flatMap((what) =>
        joined((letter) => `${layer}\\.self_attn\\.${letter}_proj`, what, `blocks.$1.attn.qkv.${what}`),
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
    ]);
  },
};

const CONVNEXT: Layout = {
  title: 'Hugging Face ConvNeXt',
  marks: [
    /(?:^|\.)embeddings\.patch_embeddings\.weight$/,
    /^encoder\.stages\.0\.layers\.0\.dwconv\.weight$/,
    /^encoder\.stages\.0\.layers\.0\.layer_scale_parameter$/,
  ],
  ignored: OF_NO_USE,
  rules: () => {
    const layer = 'encoder\\.stages\\.(\\d+)\\.layers\\.(\\d+)';
    const to = 'stages.$1.blocks.$2';
    return numbered([
      affine('embeddings\\.patch_embeddings', 'stem.0'),
      affine('embeddings\\.layernorm', 'stem.1'),
      affine('encoder\\.stages\\.(\\d+)\\.downsampling_layer\\.([01])', 'stages.$1.downsample.$2'),
      plain(`${layer}\\.layer_scale_parameter`, `${to}.gamma`),
      affine(`${layer}\\.dwconv`, `${to}.conv_dw`),
      affine(`${layer}\\.layernorm`, `${to}.norm`),
      affine(`${layer}\\.pwconv([12])`, `${to}.mlp.fc$3`),
      affine('layernorm', 'head.norm'),
    ]);
  },
};

const DINOV3_CONVNEXT: Layout = {
  title: 'Hugging Face DINOv3 ConvNeXt',
  marks: [
    /(?:^|\.)stages\.0\.downsample_layers\.0\.weight$/,
    /^stages\.0\.layers\.0\.depthwise_conv\.weight$/,
  ],
  ignored: OF_NO_USE,
  rules: () => {
    const layer = 'stages\\.(\\d+)\\.layers\\.(\\d+)';
    const to = 'stages.$1.blocks.$2';
    return numbered([
      affine('stages\\.0\\.downsample_layers\\.([01])', 'stem.$1'),
      affine('stages\\.([1-9]\\d*)\\.downsample_layers\\.([01])', 'stages.$1.downsample.$2'),
      plain(`${layer}\\.gamma`, `${to}.gamma`),
      affine(`${layer}\\.depthwise_conv`, `${to}.conv_dw`),
      affine(`${layer}\\.layer_norm`, `${to}.norm`),
      affine(`${layer}\\.pointwise_conv([12])`, `${to}.mlp.fc$3`),
      // Newer files have `model.` before the stages and nothing before the last norm.
      affine('layer_norm', 'head.norm'),
    ]);
  },
};

const SWINV2: Layout = {
  title: 'Hugging Face Swin V2',
  marks: [
    /(?:^|\.)embeddings\.patch_embeddings\.projection\.weight$/,
    /^encoder\.layers\.0\.blocks\.0\.attention\.self\.logit_scale$/,
  ],
  ignored: OF_NO_USE,
  rules: (names) => {
    const block = 'encoder\\.layers\\.(\\d+)\\.blocks\\.(\\d+)';
    const to = 'layers.$1.blocks.$2';
    const stages = [...names].flatMap(
      (name) => /^encoder\.layers\.(\d+)\.downsample\./.exec(name)?.[1] ?? [],
    );
    return numbered([
      affine('embeddings\\.patch_embeddings\\.projection', 'patch_embed.proj'),
      affine('embeddings\\.norm', 'patch_embed.norm'),
      plain(`${block}\\.attention\\.self\\.logit_scale`, `${to}.attn.logit_scale`),
      plain(`${block}\\.attention\\.self\\.continuous_position_bias_mlp\\.(.+)`, `${to}.attn.cpb_mlp.$3`),
      ...joined(
        (letter) => `${block}\\.attention\\.self\\.${WORDS[letter]}`,
        'weight',
        `${to}.attn.qkv.weight`,
      ),
      plain(`${block}\\.attention\\.self\\.query\\.bias`, `${to}.attn.q_bias`),
      plain(`${block}\\.attention\\.self\\.value\\.bias`, `${to}.attn.v_bias`),
      affine(`${block}\\.attention\\.output\\.dense`, `${to}.attn.proj`),
      affine(`${block}\\.layernorm_before`, `${to}.norm1`),
      affine(`${block}\\.layernorm_after`, `${to}.norm2`),
      affine(`${block}\\.intermediate\\.dense`, `${to}.mlp.fc1`),
      affine(`${block}\\.output\\.dense`, `${to}.mlp.fc2`),
      // Hugging Face merges at the end of a stage, timm at the beginning of the next.
      ...[...new Set(stages)].map((stage) =>
        plain(`encoder\\.layers\\.${stage}\\.downsample\\.(.+)`, `layers.${Number(stage) + 1}.downsample.$1`),
      ),
      affine('layernorm', 'norm'),
    ]);
  },
};

/** Every layout of Hugging Face's transformers that can be mapped to timm's. */
export const HUGGING_FACE_LAYOUTS: readonly Layout[] = [
  DINOV2,
  DINOV3,
  SIGLIP,
  CONVNEXT,
  DINOV3_CONVNEXT,
  SWINV2,
];
