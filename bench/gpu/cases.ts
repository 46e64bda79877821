import type { Provider } from '../../src/tensor/index.ts';
import { MODELS, type Model } from '../backbones/models.ts';

/** A backbone over pictures, here and in timm. */
export interface Case extends Model {
  readonly batch: number;
  /** What timm's model is made with besides its name. */
  readonly timmOptions: object;
}

/** What is measured in one run. */
export interface Cases {
  readonly backbones: readonly Case[];
  /** Trained whole, with a linear head; `checked` pictures at once where losses are compared with the CPU's. */
  readonly step: Case & { readonly checked: number };
}

const named = (name: string, batch: number): Case => {
  const model = MODELS.find((known) => known.name === name);
  if (model === undefined) throw new RangeError(`no model ${name}`);
  return { ...model, batch, timmOptions: {} };
};

const LARGE: Cases = {
  backbones: [
    named('DINOv2-B 518', 16),
    named('DINOv3-L 512', 16),
    named('ConvNeXt-L 288', 16),
    named('EfficientNet-B4 320', 16),
  ],
  step: {
    ...{ name: 'ViT-B/14 224, AdamW', arch: 'dinov2', timm: 'vit_base_patch14_dinov2', timmOptions: {} },
    config: { patch: 14, dim: 768, depth: 12, heads: 12, imgSize: [224, 224] },
    ...{ size: [224, 224], batch: 32, checked: 2 },
  },
};

const SMALL_VIT: Case = {
  ...{ name: 'small ViT 56', arch: 'dinov2', timm: 'vit_base_patch14_dinov2' },
  config: { patch: 14, dim: 96, depth: 2, heads: 3, imgSize: [56, 56] },
  timmOptions: { embed_dim: 96, depth: 2, num_heads: 3 },
  ...{ size: [56, 56], batch: 2 },
};

/** The whole in a minute without a card. */
const SMALL: Cases = {
  backbones: [
    SMALL_VIT,
    {
      ...{ name: 'small ConvNeXt 64', arch: 'convnext', timm: 'convnext_tiny' },
      config: { depths: [1, 1, 1, 1], dims: [16, 32, 64, 96] },
      timmOptions: { depths: [1, 1, 1, 1], dims: [16, 32, 64, 96] },
      ...{ size: [64, 64], batch: 2 },
    },
  ],
  step: { ...SMALL_VIT, name: 'small ViT 56, AdamW', batch: 4, checked: 2 },
};

/** Small ones on a CPU, and where `SWARD_BENCH=small`: a card that is none takes minutes for the large. */
export const casesFor = (provider: Provider): Cases =>
  provider === 'cpu' || process.env.SWARD_BENCH === 'small' ? SMALL : LARGE;
