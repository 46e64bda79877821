import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSafetensors, readTensorAsFloat32 } from '../../../src/tensor/index.ts';
import { backboneParameters, checkWeights, makeBackbone } from '../../../src/vision/backbones/index.ts';
import { type LocalWeights, localWeights, resolveWeights } from '../../../src/vision/weights/index.ts';
import { Call, Global, Mapping, Tuple } from '../../formats/torch-checkpoint/pickle-writer.ts';
import { floats, saveStateDict, type TensorToSave } from '../../formats/torch-checkpoint/torch-writer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { huggingFaceDinov2, type ShapeTable, writeDistinct } from './layout-files.ts';

const root = temporaryFolder('torch-files');
const cache = join(root, 'cache');
let made = 0;

type Tensors = Readonly<Record<string, TensorToSave>>;

const DINOV2 = { patch: 2, dim: 12, depth: 3, heads: 3, imgSize: [6, 6] };
const DINOV3 = { patch: 4, dim: 12, depth: 2, heads: 3, registers: 4, qkvBias: true };
const CONVNEXT = { depths: [1, 2], dims: [8, 16] };

/** Tensors of a backbone under timm's names, every number another and none rounded when two are added. */
function timmTensors(arch: string, config: unknown): Tensors {
  let next = 1;
  return Object.fromEntries(
    backboneParameters(makeBackbone(arch, config)).map(({ name, shape }) => {
      const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next++ / 64);
      return [name, floats(values, shape)];
    }),
  );
}

const values = ({ storage }: TensorToSave): Float32Array =>
  new Float32Array(storage.bytes.buffer, storage.bytes.byteOffset, storage.bytes.byteLength / 4);

const renamed = (tensors: Tensors, rename: (name: string) => string): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));

/** The same weights as the DINOv2 repository stores them: positions with that of CLS, which is not in the token. */
function dinov2Repository(tensors: Tensors, rename: (name: string) => string = (name) => name): Tensors {
  const { cls_token: cls, pos_embed: positions, reg_token: registers, ...others } = tensors;
  if (!cls || !positions) throw new Error('no DINOv2');
  const ownPosition = values(cls).map((_, i) => i - 4);
  const original: Tensors = {
    ...others,
    ...(registers
      ? {
          register_tokens: registers,
          cls_token: floats(
            values(cls).map((value, i) => value - (ownPosition[i] ?? 0)),
            cls.shape,
          ),
          pos_embed: floats([...ownPosition, ...values(positions)], [1, 1 + (positions.shape[1] ?? 0), 12]),
        }
      : { cls_token: cls, pos_embed: positions }),
    mask_token: floats(new Float32Array(12), [1, 12]),
  };
  return renamed(original, rename);
}

/** As the DINOv3 repository stores them: one bias for q, k and v, the keys' third masked. */
function dinov3Repository(tensors: Tensors): Tensors {
  const original: Record<string, TensorToSave> = { mask_token: floats(new Float32Array(12), [1, 12]) };
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name.endsWith('.attn.v_bias')) continue;
    const block = name.slice(0, -'.attn.q_bias'.length);
    if (name.endsWith('.attn.q_bias')) {
      const v = tensors[`${block}.attn.v_bias`] as TensorToSave;
      const masked = Array<number>(12).fill(Number.NaN);
      original[`${block}.attn.qkv.bias`] = floats([...values(tensor), ...masked, ...values(v)], [36]);
      original[`${block}.attn.qkv.bias_mask`] = floats(new Float32Array(36), [36]);
      continue;
    }
    const renames: readonly (readonly [RegExp, string])[] = [
      [/^reg_token$/, 'storage_tokens'],
      [/gamma_([12])$/, 'ls$1.gamma'],
      [/mlp\.fc1_g/, 'mlp.w1'],
      [/mlp\.fc1_x/, 'mlp.w2'],
      ...('blocks.0.mlp.fc1_g.weight' in tensors ? [[/mlp\.fc2/, 'mlp.w3'] as const] : []),
    ];
    original[renames.reduce((text, [from, to]) => text.replace(from, to), name)] = tensor;
  }
  return { ...original, 'rope_embed.periods': floats([1, 2], [2]) };
}

function convnextRepository(tensors: Tensors): Tensors {
  return {
    ...renamed(tensors, (name) =>
      name
        .replace(/^stem\.([01])/, 'downsample_layers.0.$1')
        .replace(/^stages\.(\d+)\.downsample\.([01])/, 'downsample_layers.$1.$2')
        .replace(/^stages\.(\d+)\.blocks\.(\d+)/, 'stages.$1.$2')
        .replace('conv_dw', 'dwconv')
        .replace('mlp.fc', 'pwconv')
        .replace(/^head\.norm/, 'norm'),
    ),
    'head.weight': floats([1, 2], [1, 2]),
  };
}

/** As `efficientnet_lite_pytorch` stores them: blocks numbered through all stages, batch norms from 0, a classifier. */
function efficientnetLitePytorch(tensors: Tensors): Tensors {
  const blocks = [...new Set(Object.keys(tensors).flatMap((name) => name.match(/^blocks\.\d+\.\d+/) ?? []))];
  const stored = renamed(tensors, (name) => {
    const block = blocks.findIndex((one) => name.startsWith(`${one}.`));
    const isFirst = block === 0;
    const inner = name.replace(/^blocks\.\d+\.\d+\./, '');
    const lowered = isFirst
      ? inner
      : inner.replace(/^bn(\d)/, (_, number: string) => `bn${Number(number) - 1}`);
    const layer = lowered
      .replace(/^conv_pwl|^conv_pw(?=\.)/, (conv) =>
        isFirst || conv === 'conv_pwl' ? 'project_conv' : 'expand_conv',
      )
      .replace('conv_dw', 'depthwise_conv');
    return block < 0 ? `_${lowered}` : `_blocks.${block}._${layer}`;
  });
  return { ...stored, '_fc.weight': floats([1, 2], [1, 2]), '_fc.bias': floats([3], [1]) };
}

/** Saves tensors as a checkpoint with the configuration beside it, and takes them as a backbone. */
async function taken(
  tensors: Tensors,
  description: { readonly arch: string; readonly config: unknown },
  wrap?: Parameters<typeof saveStateDict>[2],
): Promise<LocalWeights> {
  const folder = join(root, `weights-${made++}`);
  const path = saveStateDict(join(folder, 'mine.pth'), tensors, wrap);
  writeFileSync(join(folder, 'mine.json'), JSON.stringify(description));
  return localWeights(path, cache);
}

async function expectTensors({ path, arch, config }: LocalWeights, expected: Tensors): Promise<void> {
  const file = await openSafetensors(path);
  checkWeights(makeBackbone(arch, config), file);
  for (const [name, tensor] of Object.entries(expected)) {
    expect([...(await readTensorAsFloat32(file, name))], name).toEqual([...values(tensor)]);
    expect(file.tensors.get(name)?.shape, name).toEqual(tensor.shape);
  }
}

const chunked = (name: string): string =>
  name.replace(/^blocks\.(\d+)/, (_, block: string) => `blocks.${Number(block) < 2 ? 0 : 1}.${block}`);
const gated = (name: string): string => name.replace('mlp.fc1', 'mlp.w12').replace('mlp.fc2', 'mlp.w3');

describe('a backbone from a file of PyTorch', () => {
  const plain = { arch: 'dinov2', config: { ...DINOV2, registers: 0 } };

  it("becomes a safetensors file under timm's names, once", async () => {
    const tensors = timmTensors(plain.arch, plain.config);
    const head = { 'head.weight': floats([1, 2], [1, 2]), 'head.bias': floats([3], [1]) };
    const weights = await taken({ ...tensors, ...head }, plain);
    expect(weights).toMatchObject({ arch: 'dinov2', layout: 'timm' });
    expect(weights.path).toBe(join(cache, 'weights', 'converted-v2', `${weights.sha256}.safetensors`));
    await expectTensors(weights, tensors);
    const before = statSync(weights.path).mtimeMs;
    const again = await taken({ ...tensors, ...head }, plain);
    expect(again.path).toBe(weights.path);
    expect(statSync(weights.path).mtimeMs).toBe(before);
    const sound = readFileSync(weights.path);
    writeFileSync(weights.path, Buffer.from(sound).fill(7, sound.length - 8));
    await taken({ ...tensors, ...head }, plain);
    expect(readFileSync(weights.path)).toEqual(sound);
  });

  it.each<readonly [string, Record<string, unknown>, (tensors: Tensors) => Tensors]>([
    ['as it is', {}, (tensors) => dinov2Repository(tensors)],
    ['with registers', { registers: 4 }, (tensors) => dinov2Repository(tensors)],
    ['with blocks in chunks', {}, (tensors) => dinov2Repository(tensors, chunked)],
    [
      'with a gated MLP, registers and chunks',
      { registers: 4, mlp: 'swiglu', mlpHidden: 16 },
      (tensors) => dinov2Repository(tensors, (name) => chunked(gated(name))),
    ],
  ])('may be of the DINOv2 repository: %s', async (_, more, stored) => {
    const description = { arch: 'dinov2', config: { ...DINOV2, registers: 0, ...more } };
    const tensors = timmTensors('dinov2', description.config);
    await expectTensors(await taken(stored(tensors), description), tensors);
  });

  it.each(['gelu', 'swiglu'] as const)('may be of the DINOv3 repository, with %s', async (mlp) => {
    const config = { ...DINOV3, mlp, ...(mlp === 'swiglu' && { mlpHidden: 32 }) };
    const tensors = timmTensors('dinov3', config);
    const weights = await taken(dinov3Repository(tensors), { arch: 'dinov3', config: { heads: 3 } });
    expect(weights.layout).toBe('the DINOv3 repository');
    await expectTensors(weights, tensors);
  });

  it('may be of the ConvNeXt repository', async () => {
    const tensors = timmTensors('convnext', CONVNEXT);
    await expectTensors(
      await taken(convnextRepository(tensors), { arch: 'convnext', config: {} }, (stateDict) =>
        Mapping.of({ model: stateDict }),
      ),
      tensors,
    );
  });

  it.each([
    [
      "in TensorFlow's Lite weights of the package index",
      efficientnetLitePytorch,
      'EfficientNet-Lite-PyTorch',
    ],
    ["under timm's names", (tensors: Tensors) => tensors, 'timm'],
  ] as const)('needs no description for EfficientNet-Lite %s', async (_, stored, layout) => {
    const tensors = timmTensors('efficientnet', { variant: 'tf_efficientnet_lite2' });
    const path = saveStateDict(join(root, `weights-${made++}`, 'efficientnet_lite2.pth'), stored(tensors));
    const weights = await localWeights(path, cache);
    expect(weights).toMatchObject({
      arch: 'efficientnet',
      config: { variant: 'tf_efficientnet_lite2' },
      preprocessing: { inputSize: [260, 260], mean: [0.5, 0.5, 0.5], cropFraction: 0.89 },
      layout,
    });
    const file = await openSafetensors(weights.path);
    checkWeights(makeBackbone(weights.arch, weights.config), file);
    for (const [name, tensor] of Object.entries(tensors)) {
      const first = (await readTensorAsFloat32(file, name))[0];
      expect(first, name).toBe(values(tensor)[0]);
    }
  });

  it("is also taken from safetensors in its own repository's layout", async () => {
    const config = { ...DINOV2, registers: 4 };
    const tensors = timmTensors('dinov2', config);
    const shapes = Object.entries(dinov2Repository(tensors)).map(([name, { shape }]) => [name, shape]);
    const folder = join(root, `weights-${made++}`);
    await writeDistinct(join(folder, 'model.safetensors'), Object.fromEntries(shapes) as ShapeTable);
    writeFileSync(join(folder, 'model.json'), JSON.stringify({ arch: 'dinov2', config: { heads: 3 } }));
    const { path, layout } = await localWeights(folder, cache);
    expect(layout).toBe('the DINOv2 repository');
    checkWeights(makeBackbone('dinov2', config), await openSafetensors(path));
  });

  it.each([
    ['a whole model', 'model.backbone.', []],
    ["DINO's teacher", 'backbone.', ['teacher']],
    ['teacher beside student', 'teacher.backbone.', ['model']],
    ['wrappers', 'module._orig_mod.', ['state_dict']],
  ] as const)('is found in %s', async (_, prefix, keys) => {
    const tensors = timmTensors(plain.arch, plain.config);
    const zeros = Object.entries(tensors).map(([name, { shape, storage }]) => {
      return [
        `student.backbone.${name}`,
        { shape, storage: { bytes: new Uint8Array(storage.bytes.length) } },
      ];
    });
    const all = {
      ...(prefix === 'teacher.backbone.' && (Object.fromEntries(zeros) as Tensors)),
      ...renamed(tensors, (name) => `${prefix}${name}`),
      ...(!prefix.startsWith('module.') && { 'dino_head.mlp.0.weight': floats([1], [1, 1]) }),
    };
    const weights = await taken(all, plain, (stateDict) =>
      [...keys].reduceRight<ReturnType<typeof Mapping.of> | typeof stateDict>(
        (inner, key) => Mapping.of({ [key]: inner }),
        stateDict,
      ),
    );
    await expectTensors(weights, tensors);
  });

  it('may have two names, as one of two attributes of a module', async () => {
    const tensors = timmTensors(plain.arch, plain.config);
    const twice = {
      ...renamed(tensors, (name) => `backbone.${name}`),
      ...renamed(tensors, (name) => `net.${name}`),
    };
    await expectTensors(await taken(twice, plain), tensors);
  });

  it('may share storages and be strided', async () => {
    const tensors = timmTensors(plain.arch, plain.config);
    const name = 'blocks.1.mlp.fc1.weight';
    const { shape, storage } = tensors[name] as TensorToSave;
    const [rows = 0, columns = 0] = shape;
    const turned = new Float32Array(rows * columns);
    values({ shape, storage }).forEach((value, at) => {
      turned[(at % columns) * rows + Math.floor(at / columns)] = value;
    });
    const strided = { ...floats(turned, shape), strides: [1, rows] };
    await expectTensors(await taken({ ...tensors, [name]: strided }, plain), tensors);
  });

  it("lies as pytorch_model.bin in a folder, in Hugging Face's layout, where there is no model.safetensors", async () => {
    const folder = join(root, `weights-${made++}`);
    const other = join(root, `weights-${made++}`);
    await writeDistinct(join(other, 'model.safetensors'), huggingFaceDinov2('', 4));
    const config = JSON.stringify({ model_type: 'dinov2_with_registers', num_attention_heads: 2 });
    const source = await openSafetensors(join(other, 'model.safetensors'));
    const tensors: Record<string, TensorToSave> = {};
    for (const { name, shape } of source.tensors.values()) {
      tensors[name] = floats(await readTensorAsFloat32(source, name), shape);
    }
    saveStateDict(join(folder, 'pytorch_model.bin'), tensors);
    for (const place of [folder, other]) writeFileSync(join(place, 'config.json'), config);
    const [fromTorch, fromSafetensors] = [
      await localWeights(folder, cache),
      await localWeights(other, cache),
    ];
    expect(fromTorch.layout).toBe('Hugging Face DINOv2');
    expect(fromTorch.config).toEqual(fromSafetensors.config);
    const written = readFileSync(fromTorch.path);
    const expected = readFileSync(fromSafetensors.path);
    const data = (bytes: Buffer): Buffer => bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
    expect(data(written).equals(data(expected))).toBe(true);
    copyFileSync(join(other, 'model.safetensors'), join(folder, 'model.safetensors'));
    expect((await localWeights(folder, cache)).sha256).toBe(fromSafetensors.sha256);
  });

  it('is named as any backbone', async () => {
    const folder = join(root, `weights-${made++}`);
    mkdirSync(folder);
    const path = saveStateDict(join(folder, 'mine.pth'), timmTensors(plain.arch, plain.config));
    writeFileSync(join(folder, 'mine.json'), JSON.stringify(plain));
    const weights = await resolveWeights(path, { cacheFolder: cache });
    expect(weights).toMatchObject({ arch: 'dinov2', source: `file ${path}`, config: { dim: 12, depth: 3 } });
    await expect(resolveWeights('none.pth', { cacheFolder: cache })).rejects.toThrow(
      /none\.pth: there is no su/,
    );
  });
});

describe('a backbone that is not in a file of PyTorch', () => {
  const config = { ...DINOV2, registers: 4 };
  const tensors = dinov2Repository(timmTensors('dinov2', config));
  const description = { arch: 'dinov2', config };

  it('is refused naming what is wrong', async () => {
    const unknown = { ...tensors, 'blocks.0.adapter.weight': floats([1], [1]) };
    await expect(taken(unknown, description)).rejects.toThrow(
      /mine\.pth: is in the layout of the DINOv2 repository but has unexpected tensors \(blocks\.0\.adapter\.weig/,
    );
    const other = saveStateDict(join(root, 'other', 'other.pth'), { 'fc.weight': floats([1], [1]) });
    await expect(localWeights(other, cache)).rejects.toThrow(
      /other\.pth: the tensors are of no architecture/,
    );
    const { cls_token: _, ...lacking } = timmTensors('dinov2', config);
    await expect(taken(lacking, description)).rejects.toThrow(
      /mine\.pth: these are not the weights of this dinov2: 1 missing \(cls_token\)/,
    );
    const twice = renamed(tensors, (name) => name.replace(/^blocks\.\d+/, (block) => `${block}.0`));
    await expect(taken(twice, description)).rejects.toThrow(
      /tensor "blocks\.1\.0\.norm1\.weight": stands for blocks\.0\.norm1\.weight, as "blocks\.0\.0\.norm1\.w/,
    );
    const others = dinov2Repository(timmTensors('dinov2', config));
    const two = { ...renamed(tensors, (name) => `a.${name}`), ...renamed(others, (name) => `b.${name}`) };
    await expect(taken(two, description)).rejects.toThrow(
      /holds several backbones \("a\.", "b\."\); write the one that is meant into .*mine\.json, as \{"prefix":"a\."\}/,
    );
  });

  it('is refused where a tensor of its own cannot be read, and leaves nothing behind', async () => {
    const before = readdirSync(join(cache, 'weights', 'converted-v2'));
    const sparse = new Call(new Global('torch._utils', '_rebuild_sparse_tensor'), new Tuple());
    const withSparse = (name: string): Promise<LocalWeights> =>
      taken(
        renamed(tensors, (own) => `backbone.${own}`),
        description,
        (stateDict) => {
          const { members } = stateDict as Mapping;
          return new Mapping([...members, [name, sparse]]);
        },
      );
    await expect(withSparse('backbone.blocks.0.mask')).rejects.toThrow(
      /tensor "backbone\.blocks\.0\.mask": is an object of torch\._utils\._rebuild_sparse_tensor, which is not/,
    );
    expect(readdirSync(join(cache, 'weights', 'converted-v2'))).toEqual(before);
    await expect(withSparse('head.mask')).resolves.toMatchObject({ arch: 'dinov2' });
  });
});
