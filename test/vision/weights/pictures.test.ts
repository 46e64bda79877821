import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backboneParameters, makeBackbone } from '../../../src/vision/backbones/index.ts';
import { featurePlan, viewSize } from '../../../src/vision/features/index.ts';
import { type LocalWeights, localWeights, resolveWeights } from '../../../src/vision/weights/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { writeDistinct } from './layout-files.ts';

const root = temporaryFolder('pictures');
const cache = join(root, 'cache');
let made = 0;

const MODELS = {
  dinov2: { patch: 14, dim: 384, depth: 1, heads: 6, registers: 0 },
  siglip: { patch: 14, dim: 768, depth: 1, heads: 12, mlpHidden: 16 },
} as const;
type Arch = keyof typeof MODELS;

/** Weights for pictures of so many patches, with files beside them that state what they do. */
async function weightsFor(
  arch: Arch,
  [rows, columns]: readonly [number, number],
  beside: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const config = { ...MODELS[arch], imgSize: [rows * 14, columns * 14] };
  const shapes = backboneParameters(makeBackbone(arch, config)).map(({ name, shape }) => [name, shape]);
  const folder = join(root, `model-${made++}`);
  mkdirSync(folder);
  await writeDistinct(join(folder, 'model.safetensors'), Object.fromEntries(shapes), made);
  for (const [name, value] of Object.entries(beside))
    writeFileSync(join(folder, name), JSON.stringify(value));
  return join(folder, 'model.safetensors');
}

const taken = async (...given: Parameters<typeof weightsFor>): Promise<LocalWeights> =>
  localWeights(await weightsFor(...given), cache);

const own = (arch: Arch, imgSize: unknown): Readonly<Record<string, unknown>> => ({
  'model.json': { arch, config: { imgSize } },
});
const timm = (cfg: object, more: object = {}): Readonly<Record<string, unknown>> => ({
  'config.json': { architecture: 'vit_small_mine_dinov2', pretrained_cfg: cfg, ...more },
});

describe.each(Object.keys(MODELS) as Arch[])('the picture that positions of %s are for', (arch) => {
  it('is the stated one where it has as many patches, though a square has too', async () => {
    const stated = await taken(arch, [9, 16], own(arch, [126, 224]));
    expect(stated.config.imgSize).toEqual([126, 224]);
    expect(stated.preprocessing.inputSize).toEqual([126, 224]);
    expect(stated).not.toHaveProperty('assumed');
    expect((await taken(arch, [16, 9], own(arch, [224, 126]))).config.imgSize).toEqual([224, 126]);
    const { config } = await taken(arch, [9, 16], {
      'model.json': { arch, config: {}, preprocessing: { inputSize: [126, 224] } },
    });
    expect(config.imgSize).toEqual([126, 224]);
  });

  it('is the square where nothing is stated, which is said where others are likely', async () => {
    const { config, assumed } = await taken(arch, [12, 12]);
    expect(config.imgSize).toEqual([168, 168]);
    expect(assumed).toMatch(
      /^positions of 144 patches are taken for 12 × 12 \(pictures of 168 × 168 pixels\); were they 9 × 16 or 8 × 18, state it in .*model\.json: \{"arch":"\w+","config":\{"imgSize":\[126,224\]\}\}$/,
    );
    expect(await taken(arch, [5, 5])).not.toHaveProperty('assumed');
  });

  it('is asked for where there is no square and nothing is stated', async () => {
    await expect(taken(arch, [9, 12])).rejects.toThrow(
      /model\.safetensors: has positions of 108 patches, which make no square, and nothing states the picture they are for; they may be 9 × 12 or 6 × 18, or the other way round; state it in .*model\.json: .*"imgSize":\[126,168\]/,
    );
    expect((await taken(arch, [9, 12], own(arch, [126, 168]))).config.imgSize).toEqual([126, 168]);
    await expect(taken(arch, [1, 7])).rejects.toThrow(/they may be 1 × 7/);
  });

  it('is asked for where what is stated has another number of patches', async () => {
    for (const stated of [
      [126, 238],
      [42, 42],
    ]) {
      await expect(taken(arch, [9, 16], own(arch, stated))).rejects.toThrow(
        /has positions of 144 patches, but .*model\.json states config\.imgSize \d+ × \d+, which is \d × \d+ = \d+ patches of 14 pixels; 144 may be 12 × 12 or 9 × 16 or 8 × 18/,
      );
    }
  });
});

describe("what timm's config.json states", () => {
  it.each<readonly [string, object, object]>([
    ['input_size', { input_size: [3, 126, 224] }, {}],
    ['img_size', { img_size: [126, 224], input_size: [3, 518, 518] }, {}],
    [
      'model_args',
      { input_size: [3, 518, 518] },
      { model_args: { img_size: [126, 224], global_pool: 'avg' } },
    ],
  ])('is used: %s', async (_, cfg, more) => {
    const { config, ...weights } = await taken('dinov2', [9, 16], timm(cfg, more));
    expect(config.imgSize).toEqual([126, 224]);
    expect(weights).not.toHaveProperty('assumed');
  });

  it('completes a description of sward that says nothing of it, or of a part of the file alone', async () => {
    for (const own of [{ arch: 'dinov2', config: { heads: 6 } }, { prefix: '' }]) {
      const { config } = await taken('dinov2', [9, 16], {
        'model.json': own,
        ...timm({ input_size: [3, 126, 224] }),
      });
      expect(config).toMatchObject({ imgSize: [126, 224], heads: 6 });
    }
    const { config } = await taken('dinov2', [9, 16], {
      ...own('dinov2', [224, 126]),
      ...timm({ input_size: [3, 126, 224] }),
    });
    expect(config.imgSize).toEqual([224, 126]);
  });

  it('does not keep a model from another square than its own', async () => {
    const { config } = await taken('dinov2', [16, 16], timm({ input_size: [3, 518, 518] }));
    expect(config.imgSize).toEqual([224, 224]);
  });

  it('is asked about where it is no square and does not fit', async () => {
    await expect(taken('dinov2', [12, 12], timm({ input_size: [3, 252, 448] }))).rejects.toThrow(
      /states pretrained_cfg\.input_size 252 × 448, which is 18 × 32 = 576 patches/,
    );
  });
});

describe('views for weights whose pictures are no squares', () => {
  it('need a size of their own', async () => {
    const path = await weightsFor('dinov2', [9, 16], own('dinov2', [126, 224]));
    const weights = await resolveWeights(path, { cacheFolder: cache });
    const backbone = makeBackbone(weights.arch, weights.config);
    expect(() => viewSize(backbone, weights, featurePlan({}))).toThrow(
      /was made for pictures of 126 × 224, but views are squares; choose their size, a multiple of 14 \(--size,/,
    );
    expect(viewSize(backbone, weights, featurePlan({ size: 168 }))).toBe(168);
    expect(viewSize(backbone, weights, featurePlan({ size: '~170' }))).toBe(168);
  });
});
