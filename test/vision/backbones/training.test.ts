import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { operationsBefore } from '../../../src/tensor/graph/traverse.ts';
import {
  compile,
  gradients,
  input,
  openSafetensors,
  type Parameter,
  parametersOf,
  type SafetensorsFile,
  Scope,
  type ScopeOptions,
  select,
  square,
  sum,
  type Tensor,
  type TensorData,
  Variables,
} from '../../../src/tensor/index.ts';
import { type ForwardOptions, lastBlocks, layerOf } from '../../../src/vision/backbones/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { noisyWeights, TINY, writeWeights } from './tiny.ts';

const folder = temporaryFolder('backbones-training');

const trainableOf = (parameters: readonly Parameter[]) => parameters.filter(({ trainable }) => trainable);

describe.each(TINY)('$name in training', ({ name, backbone, size }) => {
  let weights: SafetensorsFile;
  const images = input('images', [2, 3, ...size]);
  const pictures = Float32Array.from({ length: 6 * size[0] * size[1] }, (_, i) => Math.sin(i));

  beforeAll(async () => {
    const path = join(folder, `${name}.safetensors`);
    await writeWeights(path, noisyWeights(backbone));
    weights = await openSafetensors(path);
  });

  /** Pooled output and the gradients of its squares' sum, by name, of whatever the scope trains. */
  async function learn(
    trainable: NonNullable<ScopeOptions['trainable']>,
    more: { options?: ForwardOptions; build?: (scope: Scope) => Scope; read?: 'cls' | 'cls alone' } = {},
  ) {
    const root = Scope.root({ random: randomStream(3), trainable }).from(weights);
    const scope = (more.build ?? ((same) => same))(root);
    const pooled = outputOf(scope, more.options, more.read);
    const trained = trainableOf(parametersOf([pooled]));
    const slopes = trained.length > 0 ? gradients(sum(square(pooled)), trained) : [];
    const named = Object.fromEntries(trained.map((x, i) => [x.name, slopes[i] as (typeof slopes)[number]]));
    const variables = new Variables();
    const program = await compile({ outputs: { pooled, ...named } }, { threads: 1, variables });
    const { pooled: value, ...found } = await program.run({ images: pictures }, { random: randomStream(5) });
    await program.dispose();
    const values = Object.fromEntries(
      Object.entries(found).map(([key, data]) => [key, data.values as Float32Array]),
    );
    return { pooled: (value as TensorData).values as Float32Array, gradients: values, scope };
  }

  /** The backbone's pooled output, or its normed CLS token by either form. */
  function outputOf(scope: Scope, options?: ForwardOptions, read?: 'cls' | 'cls alone'): Tensor {
    if (read === 'cls alone')
      return (backbone.cls as NonNullable<typeof backbone.cls>).forward(scope, images, options).normed;
    const { pooled, features } = backbone.forward(scope, images, options);
    return read === 'cls' ? select(features, 1, 0) : pooled;
  }

  const close = (a: Float32Array, b: Float32Array): number =>
    Math.hypot(...a.map((x, i) => x - (b[i] as number))) / (Math.hypot(...b) || 1);

  it('has no gradient at all when it is frozen', async () => {
    const { gradients: found, scope } = await learn(() => false);
    expect(found).toEqual({});
    expect(trainableOf(scope.parameters)).toEqual([]);
  });

  it('has gradients for every parameter, and the same output, when all of it trains', async () => {
    const frozen = await learn(() => false);
    const full = await learn(() => true);
    expect(Object.keys(full.gradients).sort()).toEqual([...weights.tensors.keys()].sort());
    for (const [parameter, values] of Object.entries(full.gradients)) {
      expect(Math.hypot(...values), parameter).toBeGreaterThan(0);
    }
    expect(close(full.pooled, frozen.pooled)).toBeLessThan(1e-5);
  });

  it('has gradients for the last block and what follows only, the same as in full training', async () => {
    const last = await learn(lastBlocks(backbone, 1));
    const full = await learn(() => true);
    const names = Object.keys(last.gradients);
    expect(names).toContain('blocks.2.attn.qkv.weight');
    expect(names).toContain('norm.weight');
    expect(
      names.filter((x) => /^(blocks\.[01]\.|patch_embed|pos_embed|cls_token|reg_token)/.test(x)),
    ).toEqual([]);
    for (const parameter of names) {
      const got = last.gradients[parameter] as Float32Array;
      expect(close(got, full.gradients[parameter] as Float32Array), parameter).toBeLessThan(1e-4);
    }
  });

  it('has gradients for adapters only with LoRA, and starts as the backbone is', async () => {
    const frozen = await learn(() => false);
    const targets = (layer: string): boolean => /attn\.(qkv|proj)$/.test(layer);
    const adapted = await learn((parameter) => parameter.includes('lora_'), {
      build: (scope) => scope.withLora({ rank: 2, targets }),
    });
    const names = Object.keys(adapted.gradients);
    expect(names).toHaveLength(backbone.depth * 4);
    expect(names).toContain('blocks.0.attn.qkv.lora_a');
    expect(backbone.blockOf('blocks.1.attn.qkv.lora_b')).toBe(1);
    // The product that is added is zero at first, through the second factor.
    const second = names.filter((x) => x.endsWith('lora_b'));
    for (const x of second) {
      expect(Math.hypot(...(adapted.gradients[x] as Float32Array)), x).toBeGreaterThan(0);
    }
    expect(close(adapted.pooled, frozen.pooled)).toBeLessThan(1e-5);
  });

  it('gives the same with checkpoints, by block', async () => {
    const plain = await learn(() => true);
    const saving = await learn(() => true, { options: { checkpoint: true } });
    expect(close(saving.pooled, plain.pooled)).toBeLessThan(1e-5);
    for (const [parameter, values] of Object.entries(plain.gradients)) {
      expect(close(saving.gradients[parameter] as Float32Array, values), parameter).toBeLessThan(1e-4);
    }
  });

  it('drops whole branches in training only', async () => {
    const options = { dropPath: 0.9 };
    const frozen = await learn(() => false);
    const inference = await learn(() => true, { options });
    const training = await learn(() => true, { options, build: (scope) => scope.forTraining() });
    expect(close(inference.pooled, frozen.pooled)).toBeLessThan(1e-5);
    expect(close(training.pooled, frozen.pooled)).toBeGreaterThan(1e-3);
  });

  it('drops the same branches with checkpoints as without', async () => {
    const build = (scope: Scope): Scope => scope.forTraining();
    const plain = await learn(() => true, { options: { dropPath: 0.5 }, build });
    const saving = await learn(() => true, { options: { dropPath: 0.5, checkpoint: true }, build });
    expect(close(saving.pooled, plain.pooled)).toBeLessThan(1e-5);
    for (const [parameter, values] of Object.entries(plain.gradients)) {
      expect(close(saving.gradients[parameter] as Float32Array, values), parameter).toBeLessThan(1e-4);
    }
  });

  if (backbone.cls !== undefined) {
    const { cls } = backbone;
    it.each([
      ['all of it', () => true, {}],
      ['the last block, with checkpoints', lastBlocks(backbone, 1), { checkpoint: true }],
      ['adapters, dropping branches', (parameter: string) => parameter.includes('lora_'), { dropPath: 0.5 }],
    ] as const)('gives the same where CLS alone is read: %s', async (_, trainable, options) => {
      const build = (scope: Scope): Scope => scope.forTraining().withLora({ rank: 2 });
      const whole = await learn(trainable, { read: 'cls', options, build });
      const alone = await learn(trainable, { read: 'cls alone', options, build });
      expect(close(alone.pooled, whole.pooled)).toBeLessThan(1e-5);
      expect(Object.keys(alone.gradients)).toEqual(Object.keys(whole.gradients));
      for (const [parameter, values] of Object.entries(whole.gradients)) {
        expect(close(alone.gradients[parameter] as Float32Array, values), parameter).toBeLessThan(1e-4);
      }
    });

    it('computes the last block for CLS alone where nothing else is read', () => {
      const output = cls.forward(Scope.root({ random: randomStream(0) }), images);
      const rows = operationsBefore([output.normed])
        .filter(
          ({ operator, inputs: [, weight] }) =>
            operator.name === 'linear' && weight?.label.startsWith('blocks.2'),
        )
        .map(({ inputs: [x, weight] }) => [weight?.label.slice('blocks.2.'.length), x?.shape[0]]);
      const tokens =
        2 * (backbone.prefixTokens + (size[0] * size[1]) / (name.startsWith('DINOv2') ? 14 : 16) ** 2);
      expect(rows.length).toBeGreaterThan(3);
      for (const [layer, count] of rows)
        expect([layer, count]).toEqual([layer, layer === 'attn.qkv.weight' ? tokens : 2]);
      expect(cls.isPooled).toBe(name.startsWith('DINOv2'));
    });
  }

  it('needs only the weights up to the block that is asked for', () => {
    const scope = Scope.root({ random: randomStream(0) });
    const { blocks } = backbone.forward(scope, images);
    const needed = parametersOf([blocks[1]?.patches ?? images]).map((x) => x.name);
    expect(new Set(needed.map(backbone.blockOf))).toEqual(new Set([-1, 0, 1]));
  });

  it('numbers its layers from the stem to the head', () => {
    const layers = [...weights.tensors.keys()].map(layerOf(backbone));
    expect(layerOf(backbone)('patch_embed.proj.weight')).toBe(0);
    expect(layerOf(backbone)('blocks.0.norm1.weight')).toBe(1);
    expect(layerOf(backbone)('norm.bias')).toBe(backbone.depth + 1);
    expect([...new Set(layers)].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(() => lastBlocks(backbone, 4)).toThrow(/has 3 blocks/);
  });
});
