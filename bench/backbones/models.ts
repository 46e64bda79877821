/** All measurements use as many threads as the reference machine has cores. */
export const THREADS = 2;

/** A backbone at the size it is used at. */
export interface Model {
  readonly name: string;
  readonly arch: string;
  readonly config: object;
  /** Height and width of the picture. */
  readonly size: readonly [number, number];
  /** timm's name for it, for the comparison where timm can be imported. */
  readonly timm: string;
}

const square = (side: number): readonly [number, number] => [side, side];

function dinov2(name: string, timm: string, dim: number, depth: number, registers = 0): Model {
  const config = { patch: 14, dim, depth, heads: dim / 64, imgSize: square(518), registers };
  return { name, arch: 'dinov2', config, size: square(518), timm };
}

function dinov3(name: string, timm: string, dim: number, depth: number, config: object = {}): Model {
  const all = { patch: 16, dim, depth, heads: dim / 64, registers: 4, qkvBias: true, ...config };
  return { name, arch: 'dinov3', config: all, size: square(512), timm };
}

/** What is measured, in this order; architectures that are not registered are left out. */
export const MODELS: readonly Model[] = [
  dinov2('DINOv2-S 518', 'vit_small_patch14_dinov2', 384, 12),
  dinov2('DINOv2-B 518', 'vit_base_patch14_dinov2', 768, 12),
  dinov2('DINOv2-L 518', 'vit_large_patch14_dinov2', 1024, 24),
  dinov3('DINOv3-B 512', 'vit_base_patch16_dinov3_qkvb', 768, 12),
  dinov3('DINOv3-L 512', 'vit_large_patch16_dinov3_qkvb', 1024, 24),
  dinov3('DINOv3-H+ 512', 'vit_huge_plus_patch16_dinov3', 1280, 32, { qkvBias: false, mlp: 'swiglu' }),
  {
    name: 'SigLIP-B 224',
    arch: 'siglip',
    config: { patch: 16, dim: 768, depth: 12, heads: 12, imgSize: square(224) },
    size: square(224),
    timm: 'vit_base_patch16_siglip_224',
  },
  {
    name: 'SigLIP-so400m 384',
    arch: 'siglip',
    config: { patch: 14, dim: 1152, depth: 27, heads: 16, imgSize: square(384), mlpHidden: 4304 },
    size: square(384),
    timm: 'vit_so400m_patch14_siglip_384',
  },
  {
    name: 'ConvNeXt-L 288',
    arch: 'convnext',
    config: { depths: [3, 3, 27, 3], dims: [192, 384, 768, 1536] },
    size: square(288),
    timm: 'convnext_large',
  },
  {
    name: 'SwinV2-B 256',
    arch: 'swinv2',
    config: {
      dim: 128,
      depths: [2, 2, 18, 2],
      heads: [4, 8, 16, 32],
      window: 16,
      imgSize: square(256),
      pretrainedWindows: [12, 12, 12, 6],
    },
    size: square(256),
    timm: 'swinv2_base_window12to16_192to256',
  },
  {
    name: 'EfficientNetV2-L 384',
    arch: 'efficientnetv2',
    config: { variant: 'tf_efficientnetv2_l', channelMultiplier: 1, depthMultiplier: 1 },
    size: square(384),
    timm: 'tf_efficientnetv2_l',
  },
  {
    name: 'EfficientNet-B4 320',
    arch: 'efficientnet',
    config: { variant: 'efficientnet_b4', channelMultiplier: 1.4, depthMultiplier: 1.8 },
    size: square(320),
    timm: 'efficientnet_b4',
  },
];
