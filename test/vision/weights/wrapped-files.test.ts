import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  openSafetensors,
  readTensorAsFloat32,
  type TensorToWrite,
  writeSafetensors,
} from '../../../src/formats/safetensors/index.ts';
import { checkWeights, makeBackbone } from '../../../src/vision/backbones/index.ts';
import { type LocalWeights, localWeights } from '../../../src/vision/weights/index.ts';
import { floats, saveStateDict } from '../../formats/torch-checkpoint/torch-writer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { noisyWeights } from '../backbones/tiny.ts';
import { huggingFaceDinov2, huggingFaceDinov3, type ShapeTable } from './layout-files.ts';

const root = temporaryFolder('wrapped-files');
const cache = join(root, 'cache');
let made = 0;

interface Values {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
type Tensors = Readonly<Record<string, Values>>;
const KINDS = ['pth', 'safetensors'] as const;

const CONFIG = { patch: 14, dim: 12, depth: 3, heads: 3, imgSize: [28, 28] };
const DESCRIPTION = { arch: 'dinov2', config: CONFIG };
const MODEL = Object.fromEntries(
  Object.entries(noisyWeights(makeBackbone('dinov2', CONFIG))).map(([name, { shape, values }]) => [
    name,
    { shape, values: values as Float32Array },
  ]),
);

const renamed = (tensors: Tensors, rename: (name: string) => string): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));
const below = (prefix: string, tensors: Tensors = MODEL): Tensors =>
  renamed(tensors, (name) => `${prefix}${name}`);
const zeros = (prefix: string): Tensors =>
  Object.fromEntries(
    Object.entries(MODEL).map(([name, { shape, values }]) => [
      `${prefix}${name}`,
      { shape, values: new Float32Array(values.length) },
    ]),
  );
const one: Values = { shape: [1], values: Float32Array.of(1) };

async function saved(
  tensors: Tensors,
  kind: (typeof KINDS)[number],
  description: object = DESCRIPTION,
): Promise<string> {
  const folder = join(root, `weights-${made++}`);
  mkdirSync(folder);
  const path = join(folder, `mine.${kind}`);
  const all = Object.entries(tensors);
  if (kind === 'pth') {
    saveStateDict(path, Object.fromEntries(all.map(([name, one]) => [name, floats(one.values, one.shape)])));
  } else {
    await writeSafetensors(
      path,
      all.map(([name, { shape, values }]) => ({ name, dtype: 'F32' as const, shape, data: values })),
    );
  }
  writeFileSync(join(folder, 'mine.json'), JSON.stringify(description));
  return path;
}

async function expectModel({ path }: LocalWeights, expected: Tensors = MODEL): Promise<void> {
  const file = await openSafetensors(path);
  for (const [name, { values, shape }] of Object.entries(expected)) {
    expect([...(await readTensorAsFloat32(file, name))], name).toEqual([...values]);
    expect(file.tensors.get(name)?.shape, name).toEqual(shape);
  }
}

/** Puts a wrapper behind the number of each block. */
const inBlocks =
  (wrapper: string) =>
  (name: string): string =>
    name.replace(/^(blocks\.\d+)\./, `$1.${wrapper}.`);

describe.each(KINDS)('a backbone inside of wrappers, in .%s', (kind) => {
  it.each<readonly [string, Tensors]>([
    ['DataParallel', below('module.')],
    ['torch.compile', below('_orig_mod.')],
    ['a model around it', { ...below('backbone.'), 'head.weight': one }],
    ['compiled blocks', renamed(MODEL, inBlocks('_orig_mod'))],
    ['checkpointed activations', renamed(MODEL, inBlocks('_checkpoint_wrapped_module'))],
    [
      'FSDP around all and each block',
      below('_fsdp_wrapped_module.', renamed(MODEL, inBlocks('_fsdp_wrapped_module._orig_mod'))),
    ],
    [
      'several around each other',
      below('module._orig_mod.model._forward_module.module.', renamed(MODEL, inBlocks('_orig_mod.module'))),
    ],
    ['AveragedModel with its counter', { ...below('module.'), n_averaged: one }],
    [
      "Lightning's average beside the model",
      { ...zeros('model.'), ...below('ema_model.module.'), 'ema_model.n_averaged': one },
    ],
    ['an average with its counters', { ...below('ema.'), ...zeros('net.'), 'ema.num_updates': one }],
    ['model_ema', { ...zeros('model.'), ...below('model_ema.module.') }],
    ["DINO's teacher", { ...zeros('student.module.backbone.'), ...below('teacher.backbone.') }],
    ['a student alone', below('student.module.backbone.')],
    ["Lightly's teacher", { ...zeros('student_backbone.'), ...below('teacher_backbone.') }],
    ['losses and scores beside it', { ...below('model.'), 'criterion.weight': one, mean: one }],
    [
      'something else with a first layer',
      {
        ...below('encoder.'),
        'decoder.patch_embed.proj.weight': { shape: [1, 3, 1, 1], values: Float32Array.of(1, 2, 3) },
      },
    ],
  ])('is found: %s', async (_, tensors) => {
    await expectModel(await localWeights(await saved(tensors, kind), cache));
  });

  it('is told of by what stood before it', async () => {
    const weights = await localWeights(await saved(below('model._orig_mod.backbone.'), kind), cache);
    expect(weights.part).toBe('model._orig_mod.backbone.');
    expect(await localWeights(await saved(MODEL, kind), cache)).not.toHaveProperty('part');
  });

  it('is asked for where there are two, and taken as said', async () => {
    const two = { ...zeros('backbone.'), ...below('module.encoder.') };
    await expect(localWeights(await saved(two, kind), cache)).rejects.toThrow(
      /holds several backbones \("backbone\.", "module\.encoder\."\); write the one that is meant into .*mine\.json, as \{"prefix":"backbone\."\}, or save a state dict of it alone/,
    );
    for (const prefix of ['encoder', 'module.encoder.']) {
      const path = await saved(two, kind, { ...DESCRIPTION, prefix });
      await expectModel(await localWeights(path, cache));
    }
    await expectModel(
      await localWeights(await saved(two, kind, { ...DESCRIPTION, prefix: 'backbone.' }), cache),
      zeros(''),
    );
    await expect(
      localWeights(await saved(two, kind, { ...DESCRIPTION, prefix: 'body' }), cache),
    ).rejects.toThrow(/has no backbone below "body\."; choose one of "backbone\.", "module\.encoder\."/);
  });

  it.each<readonly [string, ShapeTable, string]>([
    ['DINOv2', huggingFaceDinov2('', 0), 'dinov2'],
    ['DINOv3', huggingFaceDinov3(true), 'dinov3'],
  ])("may be in Hugging Face's layout in a bigger model: %s", async (_, shapes, arch) => {
    const tensors = Object.fromEntries(
      Object.entries(shapes).map(([name, shape], index) => {
        const values = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(index);
        return [`model.vit.${name.replace(/layer\.0/, '$&._orig_mod')}`, { shape, values }];
      }),
    );
    const all = { ...tensors, 'model.head_green.0.weight': one };
    const weights = await localWeights(await saved(all, kind, { arch, config: { heads: 2 } }), cache);
    expect(weights.layout).toMatch(/^Hugging Face/);
    checkWeights(makeBackbone(weights.arch, weights.config), await openSafetensors(weights.path));
  });
});

describe('names that would become one without wrappers', () => {
  it('stay as they are', async () => {
    const both = { ...below('module.'), ...zeros('') };
    await expect(localWeights(await saved(both, 'pth'), cache)).rejects.toThrow(
      /holds several backbones \("module\.", ""\)/,
    );
  });
});

describe('weights in 8-bit floats', () => {
  it('are widened, exactly', async () => {
    for (const [dtype, byte, value] of [
      ['F8_E4M3', 0x39, 1.125],
      ['F8_E5M2', 0x3d, 1.25],
      ['F8_E4M3FNUZ', 0x41, 1.125],
      ['F8_E5M2FNUZ', 0x41, 1.25],
    ] as const) {
      const folder = join(root, `weights-${made++}`);
      mkdirSync(folder);
      const path = join(folder, 'mine.safetensors');
      await writeSafetensors(
        path,
        Object.entries(MODEL).map(
          ([name, { shape, values }]): TensorToWrite => ({
            name,
            dtype,
            shape,
            data: new Uint8Array(values.length).fill(byte),
          }),
        ),
      );
      writeFileSync(join(folder, 'mine.json'), JSON.stringify(DESCRIPTION));
      const weights = await localWeights(path, cache);
      const expected = Object.entries(MODEL).map(([name, { shape, values }]) => {
        return [name, { shape, values: new Float32Array(values.length).fill(value) }];
      });
      await expectModel(weights, Object.fromEntries(expected) as Tensors);
    }
  });
});

describe('weights that are not finite', () => {
  const name = 'blocks.1.attn.qkv.weight';
  const spoilt = (value: number): Tensors => {
    const { shape, values } = MODEL[name] as Values;
    return { ...MODEL, [name]: { shape, values: values.with(7, value) } };
  };

  it.each(KINDS)('are refused when they are opened, naming the tensor: .%s', async (kind) => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const path = await saved(below('module.', spoilt(value)), kind);
      for (const _ of ['first', 'again']) {
        await expect(localWeights(path, cache)).rejects.toThrow(
          /mine\.\w+ tensor "module\.blocks\.1\.attn\.qkv\.weight": holds numbers that are not finite \(NaN or inf/,
        );
      }
    }
    await expect(localWeights(await saved(spoilt(Number.NaN), 'safetensors'), cache)).rejects.toThrow(
      /mine\.safetensors tensor "blocks\.1\.attn\.qkv\.weight": holds/,
    );
  });

  it('may stand in heads, which are not used', async () => {
    const head = { shape: [1, 12], values: new Float32Array(12).fill(Number.NaN) };
    const path = await saved({ ...MODEL, 'head.weight': head }, 'safetensors');
    expect((await localWeights(path, cache)).path).toBe(path);
  });

  it('are looked for once', async () => {
    const own = join(root, 'once');
    const path = await saved(MODEL, 'safetensors');
    await localWeights(path, own);
    const known = readdirSync(join(own, 'weights', 'finite'));
    expect(known).toHaveLength(1);
    await localWeights(path, own);
    expect(readdirSync(join(own, 'weights', 'finite'))).toEqual(known);
  });
});
