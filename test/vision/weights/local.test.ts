import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSafetensors, readTensorAsFloat32 } from '../../../src/tensor/index.ts';
import { backboneParameters, checkWeights, makeBackbone } from '../../../src/vision/backbones/index.ts';
import { findBackbone, localWeights } from '../../../src/vision/weights/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import {
  huggingFaceConvnext,
  huggingFaceDinov2,
  huggingFaceDinov3,
  huggingFaceDinov3Convnext,
  huggingFaceSiglip,
  huggingFaceSwinv2,
  type ShapeTable,
  writeDistinct,
} from './layout-files.ts';

const root = temporaryFolder('local');
const cache = join(root, 'cache');
const golden = join(process.env.SWARD_SHARED ?? '../shared', 'golden');
let made = 0;

/** A folder of its own with `model.safetensors` and the given files beside it. */
async function folderWith(
  shapes: ShapeTable,
  beside: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const folder = join(root, `model-${made++}`);
  await writeDistinct(join(folder, 'model.safetensors'), shapes, made);
  for (const [name, value] of Object.entries(beside)) {
    writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  }
  return folder;
}

/** Shapes of a backbone under timm's names. */
function timmShapes(arch: string, config: unknown): ShapeTable {
  const parameters = backboneParameters(makeBackbone(arch, config));
  return Object.fromEntries(parameters.map(({ name, shape }) => [name, shape]));
}

async function tensor(path: string, name: string): Promise<number[]> {
  return [...(await readTensorAsFloat32(await openSafetensors(path), name))];
}

const TINY = {
  dinov2: { patch: 2, dim: 12, depth: 2, heads: 3, imgSize: [6, 6], registers: 0 },
  dinov3: { patch: 4, dim: 12, depth: 2, heads: 3, registers: 4, qkvBias: true, mlp: 'swiglu' },
  siglip: { patch: 2, dim: 12, depth: 1, heads: 3, imgSize: [6, 6], mlpHidden: 20 },
  convnext: { depths: [1, 2], dims: [8, 16] },
  swinv2: { dim: 8, depths: [1, 1], heads: [2, 2], window: 2, imgSize: [16, 16], pretrainedWindows: [0, 0] },
  efficientnet: { variant: 'tf_efficientnet_b0', channelMultiplier: 0.25, depthMultiplier: 0.3 },
} as const;

describe("weights in timm's layout", () => {
  for (const [arch, config] of Object.entries(TINY)) {
    it(`are used in place with a description beside them: ${arch}`, async () => {
      const folder = await folderWith(timmShapes(arch, config), { 'model.json': { arch, config } });
      const weights = await localWeights(join(folder, 'model.safetensors'), cache);
      expect(weights).toMatchObject({ path: join(folder, 'model.safetensors'), arch, layout: 'timm' });
      expect(weights.config).toMatchObject(config);
      expect(weights.sha256).toMatch(/^[0-9a-f]{64}$/);
      checkWeights(makeBackbone(arch, weights.config), await openSafetensors(weights.path));
    });
  }

  it('tell the configuration by themselves where the width is a published one', async () => {
    const config = { patch: 14, dim: 384, depth: 1, heads: 6, imgSize: [28, 28], registers: 4 };
    const {
      arch,
      config: found,
      preprocessing,
    } = await localWeights(await folderWith(timmShapes('dinov2', config)), cache);
    expect(arch).toBe('dinov2');
    expect(found).toEqual(config);
    expect(preprocessing).toMatchObject({ inputSize: [28, 28], mean: [0.485, 0.456, 0.406] });
  });

  it('are refused where config.json names an architecture that is not known, whatever else is said', async () => {
    const config = { patch: 14, dim: 384, depth: 1, heads: 6, imgSize: [28, 28] };
    const described = { 'model.json': { arch: 'dinov2', config } };
    for (const named of [{ architecture: 'deit3_small_patch16_224' }, { model_type: 'deit' }]) {
      for (const beside of [{}, described]) {
        const folder = await folderWith(timmShapes('dinov2', config), { ...beside, 'config.json': named });
        await expect(localWeights(folder, cache)).rejects.toThrow(
          /config\.json says that the weights are of deit\w*, which is no architecture that is known here/,
        );
      }
    }
    const withoutCls = { ...timmShapes('dinov2', config), pos_embed: [1, 16, 384] };
    await expect(localWeights(await folderWith(withoutCls), cache)).rejects.toThrow(
      /has 16 positions, as many as a square has patches and none for the CLS token/,
    );
  });

  it('are refused naming the description that leaves settings out', async () => {
    const folder = await folderWith(
      { 'blocks.0.norm1.weight': [8] },
      { 'model.json': { arch: 'dinov2', config: { heads: 3 } } },
    );
    await expect(localWeights(folder, cache)).rejects.toThrow(
      /model\.json: with what the tensors of .*model\.safetensors tell makes no dinov2 \(.*dim: .*; are the weights of dinov2 at all\?/,
    );
  });

  it("take what timm's config.json says", async () => {
    const folder = await folderWith(timmShapes('convnext', findBackbone('convnext_tiny.fb_in22k')?.config), {
      'config.json': {
        architecture: 'convnext_tiny',
        num_classes: 3,
        pretrained_cfg: {
          tag: 'mine',
          input_size: [3, 320, 320],
          mean: [0.1, 0.2, 0.3],
          crop_pct: 0.95,
          crop_mode: 'squash',
          interpolation: 'bilinear',
        },
      },
    });
    const { arch, preprocessing } = await localWeights(folder, cache);
    expect(arch).toBe('convnext');
    expect(preprocessing).toMatchObject({
      inputSize: [320, 320],
      mean: [0.1, 0.2, 0.3],
      cropFraction: 0.95,
      cropMode: 'squash',
      interpolation: 'bilinear',
    });
    expect(preprocessing).not.toHaveProperty('testInputSize');
  });

  it("take what timm's config.json says that a model was made with", async () => {
    const config = { patch: 14, dim: 12, depth: 1, heads: 3, imgSize: [28, 28] };
    const folder = await folderWith(timmShapes('dinov2', config), {
      'config.json': {
        architecture: 'vit_small_patch14_dinov2',
        pretrained_cfg: { tag: 'lvd142m' },
        model_args: { embed_dim: 12, depth: 1, num_heads: 3, img_size: 28 },
      },
    });
    expect((await localWeights(folder, cache)).config).toMatchObject(config);
  });

  it("tell padding by timm's name of the architecture, or by the file's name", async () => {
    const shapes = timmShapes('efficientnet', { variant: 'tf_efficientnet_b0' });
    const named = await folderWith(shapes, { 'config.json': { architecture: 'tf_efficientnet_b0' } });
    expect((await localWeights(named, cache)).config).toEqual({ variant: 'tf_efficientnet_b0' });
    const file = join(named, 'efficientnet_b0.ra_in1k.safetensors');
    copyFileSync(join(named, 'model.safetensors'), file);
    writeFileSync(join(named, 'config.json'), '{"unrelated":1}');
    expect((await localWeights(file, cache)).config).toEqual({ variant: 'efficientnet_b0' });
  });

  it('keep a picture size that is no multiple of the patch', async () => {
    const config = { patch: 14, dim: 768, depth: 1, heads: 12, imgSize: [30, 30], mlpHidden: 16 };
    const folder = await folderWith(timmShapes('siglip', config), {
      'config.json': { arch: 'siglip', config },
    });
    expect((await localWeights(folder, cache)).config.imgSize).toEqual([30, 30]);
  });

  it('ask for what their tensors leave open', async () => {
    const { window: _, ...config } = TINY.swinv2;
    const folder = await folderWith(timmShapes('swinv2', TINY.swinv2), {
      'model.json': { arch: 'swinv2', config },
    });
    await expect(localWeights(folder, cache)).rejects.toThrow(
      /model.safetensors: holds weights of swinv2 whose window cannot be told from the tensors; .*write .*model.json: {"arch":"swinv2","config":{"window":"…"}}/,
    );
  });

  it('are refused a description of another model', async () => {
    const config = { ...TINY.dinov2, dim: 24, depth: 3 };
    const folder = await folderWith(timmShapes('dinov2', TINY.dinov2), {
      'sward.json': { arch: 'dinov2', config },
    });
    await expect(localWeights(folder, cache)).rejects.toThrow(
      /the tensors contradict .*sward.json: dim 24 for 12; depth 3 for 2; give the configuration/,
    );
    const other = await folderWith(timmShapes('dinov2', TINY.dinov2), {
      'config.json': { model_type: 'swinv2' },
    });
    await expect(localWeights(other, cache)).rejects.toThrow(/contradict .*config.json: swinv2 for dinov2/);
  });

  it('are refused where nothing is known of them, or the description is none', async () => {
    await expect(localWeights(await folderWith({ 'a.weight': [2, 2] }), cache)).rejects.toThrow(
      /of no architecture that is known here/,
    );
    const broken = await folderWith(timmShapes('dinov2', TINY.dinov2), { 'config.json': '{' });
    await expect(localWeights(broken, cache)).rejects.toThrow(/config.json: is not JSON/);
    const wrong = await folderWith(timmShapes('dinov2', TINY.dinov2), {
      'sward.json': { arch: 'resnet', config: {} },
    });
    await expect(localWeights(wrong, cache)).rejects.toThrow(/sward.json: arch: /);
    await expect(localWeights(join(root, 'model.onnx'), cache)).rejects.toThrow(
      /is not a file of safetensors or PyTorch/,
    );
    await expect(localWeights(join(root, 'none.safetensors'), cache)).rejects.toThrow(/no such file/);
  });

  it('are refused where the file is cut', async () => {
    const folder = await folderWith(timmShapes('dinov2', TINY.dinov2));
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, readFileSync(path).subarray(0, -100));
    await expect(localWeights(path, cache)).rejects.toThrow(/damaged or incomplete/);
  });

  const cases = existsSync(golden)
    ? readdirSync(golden).filter(
        (name) => existsSync(join(golden, name, 'model.safetensors')) && name !== 'dual_film_training',
      )
    : [];
  it.skipIf(cases.length === 0)('of the golden cases are what their case says', async () => {
    for (const name of cases) {
      const { arch, config } = JSON.parse(readFileSync(join(golden, name, 'case.json'), 'utf8')) as {
        arch: string;
        config: Record<string, unknown>;
      };
      const folder = join(root, `golden-${name}`);
      mkdirSync(folder);
      copyFileSync(join(golden, name, 'model.safetensors'), join(folder, 'model.safetensors'));
      const open = [
        'heads',
        'window',
        'imgSize',
        'pretrainedWindows',
        'variant',
        'channelMultiplier',
        'depthMultiplier',
      ];
      const needed = Object.fromEntries(Object.entries(config).filter(([key]) => open.includes(key)));
      writeFileSync(join(folder, 'model.json'), JSON.stringify({ arch, config: needed }));
      const weights = await localWeights(folder, cache);
      expect(weights.arch, name).toBe(arch);
      for (const [key, value] of Object.entries(config)) {
        const found = weights.config[key];
        if (key !== 'mlpHidden') expect(found, `${name} ${key}`).toEqual(value);
      }
    }
  });
});

describe("weights in Hugging Face's layouts", () => {
  const layouts: readonly [string, ShapeTable, unknown][] = [
    ['DINOv2', huggingFaceDinov2('', 0), { model_type: 'dinov2', num_attention_heads: 2, image_size: 4 }],
    [
      'DINOv2 in a classifier',
      { ...huggingFaceDinov2('dinov2.', 0), 'classifier.weight': [2, 12] },
      { model_type: 'dinov2', num_attention_heads: 2 },
    ],
    [
      'DINOv2 with registers',
      huggingFaceDinov2('', 4),
      { model_type: 'dinov2_with_registers', num_attention_heads: 2 },
    ],
    ['DINOv2 giant', huggingFaceDinov2('', 0, true), { model_type: 'dinov2', num_attention_heads: 2 }],
    [
      'DINOv3',
      huggingFaceDinov3(false),
      { model_type: 'dinov3_vit', num_attention_heads: 2, image_size: 224 },
    ],
    ['DINOv3 plus', huggingFaceDinov3(true), { model_type: 'dinov3_vit', num_attention_heads: 2 }],
    [
      'SigLIP',
      huggingFaceSiglip(),
      {
        model_type: 'siglip',
        vision_config: { model_type: 'siglip_vision_model', num_attention_heads: 2, image_size: 9 },
      },
    ],
    ['ConvNeXt', huggingFaceConvnext(), { model_type: 'convnext', image_size: 224 }],
    ['DINOv3 ConvNeXt', huggingFaceDinov3Convnext(), { model_type: 'dinov3_convnext' }],
    [
      'Swin V2',
      huggingFaceSwinv2(),
      { model_type: 'swinv2', image_size: 16, window_size: 2, pretrained_window_sizes: [0, 0] },
    ],
  ];
  for (const [title, shapes, config] of layouts) {
    it(`become exactly the tensors of the architecture: ${title}`, async () => {
      const folder = await folderWith(shapes, { 'config.json': config });
      const weights = await localWeights(folder, cache);
      expect(weights.layout).toMatch(/^Hugging Face/);
      checkWeights(makeBackbone(weights.arch, weights.config), await openSafetensors(weights.path));
    });
  }

  it('join query, key and value in this order', async () => {
    const folder = await folderWith(huggingFaceDinov2('', 0), {
      'config.json': { model_type: 'dinov2', num_attention_heads: 2 },
    });
    const source = join(folder, 'model.safetensors');
    const { path } = await localWeights(folder, cache);
    for (const what of ['weight', 'bias']) {
      const parts = await Promise.all(
        ['query', 'key', 'value'].map((name) =>
          tensor(source, `encoder.layer.0.attention.attention.${name}.${what}`),
        ),
      );
      expect(await tensor(path, `blocks.0.attn.qkv.${what}`)).toEqual(parts.flat());
    }
    expect(await tensor(path, 'pos_embed')).toEqual(await tensor(source, 'embeddings.position_embeddings'));
  });

  it("fold the CLS token's position into it where there are registers", async () => {
    const folder = await folderWith(huggingFaceDinov2('', 4), {
      'config.json': { model_type: 'dinov2_with_registers', num_attention_heads: 2 },
    });
    const source = join(folder, 'model.safetensors');
    const { path } = await localWeights(folder, cache);
    const positions = await tensor(source, 'embeddings.position_embeddings');
    const cls = await tensor(source, 'embeddings.cls_token');
    expect(await tensor(path, 'cls_token')).toEqual(
      cls.map((value, i) => Math.fround(value + (positions[i] ?? 0))),
    );
    expect(await tensor(path, 'pos_embed')).toEqual(positions.slice(6));
  });

  it("split the attention pool's projection into query and the rest", async () => {
    const folder = await folderWith(huggingFaceSiglip(), {
      'config.json': {
        model_type: 'siglip',
        vision_config: { model_type: 'siglip_vision_model', num_attention_heads: 2 },
      },
      'preprocessor_config.json': {
        image_mean: [0.5, 0.5, 0.5],
        image_std: [0.5, 0.5, 0.5],
        resample: 2,
        size: { height: 8, width: 8 },
      },
    });
    const { path, config, preprocessing } = await localWeights(folder, cache);
    const all = await tensor(join(folder, 'model.safetensors'), 'vision_model.head.attention.in_proj_weight');
    expect(await tensor(path, 'attn_pool.q.weight')).toEqual(all.slice(0, 36));
    expect(await tensor(path, 'attn_pool.kv.weight')).toEqual(all.slice(36));
    expect(config.activation).toBe('gelu_tanh');
    expect(preprocessing).toMatchObject({ interpolation: 'bilinear', inputSize: [8, 8], cropMode: 'squash' });
  });

  it('give the merging of patches to the next stage', async () => {
    const folder = await folderWith(huggingFaceSwinv2(), {
      'config.json': { model_type: 'swinv2', image_size: 16, window_size: 2 },
    });
    const { path } = await localWeights(folder, cache);
    expect(await tensor(path, 'layers.1.downsample.reduction.weight')).toEqual(
      await tensor(join(folder, 'model.safetensors'), 'swinv2.encoder.layers.0.downsample.reduction.weight'),
    );
  });

  it('are converted once, and again only after the copy was damaged', async () => {
    const folder = await folderWith(huggingFaceDinov3(false), {
      'config.json': { model_type: 'dinov3_vit', num_attention_heads: 2 },
    });
    const { path, sha256 } = await localWeights(folder, cache);
    expect(path).toContain(sha256);
    const before = statSync(path).mtimeMs;
    expect((await localWeights(folder, cache)).path).toBe(path);
    expect(statSync(path).mtimeMs).toBe(before);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, 50));
    await localWeights(folder, cache);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('are refused tensors that belong to nothing', async () => {
    const folder = await folderWith({ ...huggingFaceDinov3(false), 'layer.0.adapter.weight': [2, 2] });
    await expect(localWeights(folder, cache)).rejects.toThrow(
      /layout of Hugging Face DINOv3 but has unexpected tensors \(layer.0.adapter.weight\)/,
    );
  });

  it('are refused pieces that do not fit together', async () => {
    const name = 'layer.0.attention.k_proj.weight';
    const folder = await folderWith({ ...huggingFaceDinov3(false), [name]: [8, 9] });
    await expect(localWeights(folder, cache)).rejects.toThrow(
      /tensor "layer.0.attention.k_proj.weight": does not fit/,
    );
  });
});
