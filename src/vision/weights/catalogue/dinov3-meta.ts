import { CONVNEXT_ENTRIES } from './convnext.ts';
import { DINOV3_ENTRIES } from './dinov3.ts';
import { type CatalogueEntry, metaSource, type Preprocessing } from './entry.ts';

/** [Meta's repository, the entry of timm that holds the same weights]; huggingface.co/facebook/models. */
const REPOSITORIES: readonly (readonly [name: string, same: string])[] = [
  ['dinov3-vits16-pretrain-lvd1689m', 'vit_small_patch16_dinov3_qkvb.lvd1689m'],
  ['dinov3-vits16plus-pretrain-lvd1689m', 'vit_small_plus_patch16_dinov3_qkvb.lvd1689m'],
  ['dinov3-vitb16-pretrain-lvd1689m', 'vit_base_patch16_dinov3_qkvb.lvd1689m'],
  ['dinov3-vitl16-pretrain-lvd1689m', 'vit_large_patch16_dinov3_qkvb.lvd1689m'],
  ['dinov3-vith16plus-pretrain-lvd1689m', 'vit_huge_plus_patch16_dinov3_qkvb.lvd1689m'],
  ['dinov3-convnext-tiny-pretrain-lvd1689m', 'convnext_tiny.dinov3_lvd1689m'],
  ['dinov3-convnext-small-pretrain-lvd1689m', 'convnext_small.dinov3_lvd1689m'],
  ['dinov3-convnext-base-pretrain-lvd1689m', 'convnext_base.dinov3_lvd1689m'],
  ['dinov3-convnext-large-pretrain-lvd1689m', 'convnext_large.dinov3_lvd1689m'],
];

/** As transformers' processor of DINOv3 has it where the repository does not say otherwise. */
const PROCESSOR: Pick<Preprocessing, 'inputSize' | 'interpolation' | 'cropFraction' | 'cropMode'> = {
  inputSize: [224, 224],
  interpolation: 'bilinear',
  cropFraction: 1,
  cropMode: 'squash',
};

/** DINOv3 from Meta itself, gated and in Hugging Face's layout; timm's copies need no permission. */
export const META_DINOV3_ENTRIES: readonly CatalogueEntry[] = REPOSITORIES.map(([name, same]) => {
  const twin = [...DINOV3_ENTRIES, ...CONVNEXT_ENTRIES].find((entry) => entry.name === same);
  if (twin === undefined) throw new Error(`${name} has no twin ${same}`);
  // The transformers' files hold a mask token too.
  const maskToken = twin.arch === 'dinov3' ? 4 * twin.width : 0;
  return {
    ...twin,
    ...metaSource(name),
    dataBytes: twin.dataBytes + maskToken,
    preprocessing: { ...twin.preprocessing, ...PROCESSOR },
  };
});
