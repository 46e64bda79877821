import { affine, type Layout, numbered, plain, type Rule } from './layout.ts';

/*
 * Names of tensors in the repositories the models come from, as far as timm's differ: facebookresearch/dinov2 and
 * dinov3 (`vision_transformer.py`) and facebookresearch/ConvNeXt; timm's `checkpoint_filter_fn` maps them alike.
 */

/** What pre-training or a task has besides the backbone, and buffers that are computed anew. */
const OF_NO_USE =
  /(^|\.)(mask_token|rope_embed\.periods|attn\.qkv\.bias_mask)$|^(head|linear_head|local_cls_norm|norms\.\d+)\./;

/** A block's number; blocks in chunks keep their number in the whole: `blocks.2.17`. */
const BLOCK = 'blocks\\.(?:\\d+\\.)?(\\d+)';

const BLOCKS: readonly Rule[] = [
  affine('patch_embed\\.proj', 'patch_embed.proj'),
  affine(`${BLOCK}\\.(norm1|norm2)`, 'blocks.$1.$2'),
  plain(`${BLOCK}\\.attn\\.qkv\\.weight`, 'blocks.$1.attn.qkv.weight'),
  affine(`${BLOCK}\\.attn\\.proj`, 'blocks.$1.attn.proj'),
  affine(`${BLOCK}\\.mlp\\.(fc1|fc2)`, 'blocks.$1.mlp.$2'),
  affine(`${BLOCK}\\.mlp\\.w3`, 'blocks.$1.mlp.fc2'),
  affine('norm', 'norm'),
];

/** DINOv2 where its names are not timm's: with registers, with a gated MLP, or with blocks in chunks. */
const DINOV2: Layout = {
  title: 'the DINOv2 repository',
  marks: [
    /(?:^|\.)patch_embed\.proj\.weight$/,
    /^pos_embed$/,
    /^blocks\.(?:\d+\.)+ls1\.gamma$/,
    /^(?:register_tokens$|blocks\.(?:\d+\.)+mlp\.w12\.|blocks\.\d+\.\d+\.)/,
  ],
  ignored: OF_NO_USE,
  rules: (names) =>
    numbered([
      ...(names.has('register_tokens') ? WITH_REGISTERS : WITHOUT_REGISTERS),
      ...BLOCKS,
      plain(`${BLOCK}\\.attn\\.qkv\\.bias`, 'blocks.$1.attn.qkv.bias'),
      plain(`${BLOCK}\\.ls([12])\\.gamma`, 'blocks.$1.ls$2.gamma'),
      affine(`${BLOCK}\\.mlp\\.w12`, 'blocks.$1.mlp.fc1'),
    ]),
};

const WITHOUT_REGISTERS: readonly Rule[] = [plain('cls_token', 'cls_token'), plain('pos_embed', 'pos_embed')];

/** timm adds the CLS token's position to the token and keeps positions of patches only. */
const WITH_REGISTERS: readonly Rule[] = [
  plain('cls_token', 'cls_token', { order: 0, added: true }),
  plain('pos_embed', 'cls_token', { order: 1, added: true, rows: () => [0, 1] }),
  plain('pos_embed', 'pos_embed', { rows: (rows) => [1, rows - 1] }),
  plain('register_tokens', 'reg_token'),
];

/** The keys' third of the bias is masked there, so that it counts for nothing. */
const DINOV3: Layout = {
  title: 'the DINOv3 repository',
  marks: [
    /(?:^|\.)patch_embed\.proj\.weight$/,
    /^storage_tokens$/,
    /^blocks\.(?:\d+\.)+ls1\.gamma$/,
    /^blocks\.(?:\d+\.)+attn\.qkv\.weight$/,
  ],
  ignored: OF_NO_USE,
  rules: () =>
    numbered([
      plain('cls_token', 'cls_token'),
      plain('storage_tokens', 'reg_token'),
      ...BLOCKS,
      plain(`${BLOCK}\\.attn\\.qkv\\.bias`, 'blocks.$1.attn.q_bias', { rows: (rows) => [0, rows / 3] }),
      plain(`${BLOCK}\\.attn\\.qkv\\.bias`, 'blocks.$1.attn.v_bias', {
        rows: (rows) => [(2 * rows) / 3, rows / 3],
      }),
      plain(`${BLOCK}\\.ls([12])\\.gamma`, 'blocks.$1.gamma_$2'),
      affine(`${BLOCK}\\.mlp\\.w1`, 'blocks.$1.mlp.fc1_g'),
      affine(`${BLOCK}\\.mlp\\.w2`, 'blocks.$1.mlp.fc1_x'),
    ]),
};

/** Also DINOv3's ConvNeXts, whose last norm has a second name. */
const CONVNEXT: Layout = {
  title: 'the ConvNeXt repository',
  marks: [/(?:^|\.)downsample_layers\.0\.0\.weight$/, /^stages\.0\.0\.dwconv\.weight$/],
  ignored: OF_NO_USE,
  rules: () => {
    const layer = 'stages\\.(\\d+)\\.(\\d+)';
    const to = 'stages.$1.blocks.$2';
    return numbered([
      affine('downsample_layers\\.0\\.([01])', 'stem.$1'),
      affine('downsample_layers\\.([1-9]\\d*)\\.([01])', 'stages.$1.downsample.$2'),
      plain(`${layer}\\.gamma`, `${to}.gamma`),
      affine(`${layer}\\.dwconv`, `${to}.conv_dw`),
      affine(`${layer}\\.norm`, `${to}.norm`),
      affine(`${layer}\\.pwconv([12])`, `${to}.mlp.fc$3`),
      affine('norm', 'head.norm'),
    ]);
  },
};

/** Every layout of the models' own repositories that can be mapped to timm's. */
export const ORIGINAL_LAYOUTS: readonly Layout[] = [DINOV2, DINOV3, CONVNEXT];
