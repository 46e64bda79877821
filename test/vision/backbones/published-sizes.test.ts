import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../../src/tensor/index.ts';
import { backboneParameters, makeBackbone } from '../../../src/vision/backbones/index.ts';

const CONVNEXT_SIZES = {
  tiny: { depths: [3, 3, 9, 3], dims: [96, 192, 384, 768] },
  small: { depths: [3, 3, 27, 3], dims: [96, 192, 384, 768] },
  base: { depths: [3, 3, 27, 3], dims: [128, 256, 512, 1024] },
  large: { depths: [3, 3, 27, 3], dims: [192, 384, 768, 1536] },
};

const SWINV2_SIZES = {
  tiny: { dim: 96, depths: [2, 2, 6, 2], heads: [3, 6, 12, 24] },
  small: { dim: 96, depths: [2, 2, 18, 2], heads: [3, 6, 12, 24] },
  base: { dim: 128, depths: [2, 2, 18, 2], heads: [4, 8, 16, 32] },
};

/** Classes of ImageNet, which published parameter counts include. */
const CLASSES = 1000;

interface Published {
  readonly name: string;
  readonly arch: string;
  readonly config: object;
  /** Learnt parameters without the classifier, as timm 1.0.29 counts them with `num_classes=0`. */
  readonly headless: number;
  /** SHA-256 of timm's sorted `name [shape]` lines, counters of batch norms left out; the first 16 digits. */
  readonly digest: string;
}

const swin = (size: keyof typeof SWINV2_SIZES, window: number, more: object = {}) => ({
  ...SWINV2_SIZES[size],
  window,
  imgSize: 256,
  ...more,
});

const row = (name: string, config: object, headless: number, digest: string): Published => ({
  name,
  arch: name.replace(/^tf_/, '').replace(/_.*/, ''),
  config,
  headless,
  digest,
});

const byVariant = (variant: string, headless: number, digest: string): Published =>
  row(variant, { variant }, headless, digest);

const PUBLISHED: readonly Published[] = [
  row('convnext_tiny', CONVNEXT_SIZES.tiny, 27_820_128, 'dbc0a4c0a908554d'),
  row('convnext_small', CONVNEXT_SIZES.small, 49_454_688, '0a9bdd54c1b04407'),
  row('convnext_base', CONVNEXT_SIZES.base, 87_566_464, '669c4feff82bd51e'),
  row('convnext_large', CONVNEXT_SIZES.large, 196_230_336, 'b1421751ee59d4f3'),
  row('swinv2_tiny_window8_256', swin('tiny', 8), 27_578_154, '1ec2e106b6e6c071'),
  row('swinv2_small_window16_256', swin('small', 16), 48_959_418, '11a9ec064705dde1'),
  row(
    'swinv2_base_window12to16_192to256',
    swin('base', 16, { pretrainedWindows: [12, 12, 12, 6] }),
    86_893_816,
    'ecde808f8ee74d67',
  ),
  byVariant('tf_efficientnetv2_s', 20_177_488, '2a5ab441d40ff45c'),
  byVariant('tf_efficientnetv2_m', 52_858_356, 'e6f514e36af6ffcc'),
  byVariant('tf_efficientnetv2_l', 117_234_272, '4f0580fe75d9022a'),
  byVariant('efficientnet_b0', 4_007_548, 'fc9a1d8e9438f7c5'),
  byVariant('efficientnet_b1', 6_513_184, '21f8d488c3554aa9'),
  byVariant('efficientnet_b2', 7_700_994, '9d6555e75c042e0d'),
  byVariant('efficientnet_b3', 10_696_232, '988496a2147304c4'),
  byVariant('efficientnet_b4', 17_548_616, '32e62ab21c8f403a'),
  byVariant('efficientnet_b5', 28_340_784, 'df36423601ee72b1'),
  byVariant('tf_efficientnet_b4', 17_548_616, '32e62ab21c8f403a'),
  byVariant('tf_efficientnet_b6', 40_735_704, '69d999040b4e39e5'),
  byVariant('tf_efficientnet_b7', 63_786_960, 'c20cf16c8b580e42'),
  byVariant('tf_efficientnet_lite0', 3_371_008, '981285915dbdd107'),
  byVariant('tf_efficientnet_lite1', 4_135_680, '4baa8dbfe271da39'),
  byVariant('tf_efficientnet_lite2', 4_811_072, '59cd0325d4595cc1'),
  byVariant('tf_efficientnet_lite3', 6_916_096, '90f6d8d7d0afd07a'),
  byVariant('tf_efficientnet_lite4', 11_725_568, '0d60f30210c8164c'),
];

describe('a hierarchical backbone at its published size', () => {
  it.each(PUBLISHED)('$name has exactly the tensors timm has', ({ arch, config, headless, digest }) => {
    const parameters = backboneParameters(makeBackbone(arch, config));
    const learnt = parameters.filter(({ name }) => !name.includes('running_'));
    expect(learnt.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(headless);
    const lines = parameters.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).sort();
    expect(createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)).toBe(digest);
  });

  it.each([
    ['convnext_large', 197.8],
    ['swinv2_base_window12to16_192to256', 87.9],
    ['tf_efficientnetv2_l', 118.5],
    ['efficientnet_b4', 19.3],
  ])('%s comes to %d million with a classifier of 1,000 classes', (name, millions) => {
    const found = PUBLISHED.find((published) => published.name === name);
    if (found === undefined) throw new Error(name);
    const { width } = makeBackbone(found.arch, found.config);
    expect(((found.headless + (width + 1) * CLASSES) / 1e6).toFixed(1)).toBe(millions.toFixed(1));
  });

  it.each([
    ['convnext', CONVNEXT_SIZES.large, 1536, 4],
    ['swinv2', swin('base', 16), 1024, 4],
    ['efficientnetv2', { variant: 'tf_efficientnetv2_l' }, 1280, 7],
    ['efficientnet', { variant: 'efficientnet_b4' }, 1792, 7],
    ['efficientnet', { variant: 'tf_efficientnet_lite4' }, 1280, 7],
  ])('%s states its width and stages', (arch, config, width, depth) => {
    const backbone = makeBackbone(arch, config);
    expect([backbone.width, backbone.depth, backbone.prefixTokens]).toEqual([width, depth, 0]);
  });

  it('of EfficientNet-B4 has the repeats of the paper, stage by stage', () => {
    const names = backboneParameters(makeBackbone('efficientnet', { variant: 'efficientnet_b4' }));
    const repeats = [0, 1, 2, 3, 4, 5, 6].map(
      (stage) =>
        new Set(names.flatMap(({ name }) => name.match(`^blocks\\.${stage}\\.(\\d+)\\.`)?.[1] ?? [])).size,
    );
    expect(repeats).toEqual([2, 4, 4, 6, 6, 8, 2]);
  });
});
