import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/ground/errors.ts';
import { randomStream } from '../../../src/ground/random.ts';
import {
  compile,
  gradients,
  input,
  meanSquaredError,
  openSafetensors,
  parameterGroups,
  parametersOf,
  type SafetensorsFile,
  Scope,
  type ScopeOptions,
  saveTensors,
  sgd,
  square,
  sum,
  Training,
  Variables,
} from '../../../src/tensor/index.ts';
import {
  checkWeights,
  type ForwardOptions,
  lastBlocks,
  layerOf,
  makeBackbone,
} from '../../../src/vision/backbones/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { HIERARCHICAL, livelyWeights } from './hierarchical.ts';

const folder = temporaryFolder('backbones-hierarchical');

const isStatistic = (name: string): boolean => name.includes('running_');

const apart = (a: Float32Array, b: Float32Array): number =>
  Math.hypot(...a.map((x, i) => x - (b[i] as number))) / (Math.hypot(...b) || 1);

describe.each(HIERARCHICAL)('$name in training', ({ name, backbone, size }) => {
  let weights: SafetensorsFile;
  const images = input('images', [2, 3, ...size]);
  const pictures = Float32Array.from({ length: 6 * size[0] * size[1] }, (_, i) => Math.sin(i * i));

  beforeAll(async () => {
    const path = join(folder, `${name}.safetensors`);
    // What a checkpoint may hold besides: counters, buffers that are computed here, a classifier.
    await saveTensors(path, {
      ...livelyWeights(backbone),
      'bn1.num_batches_tracked': { dtype: 'int64', shape: [], values: new BigInt64Array(1) },
      'layers.0.blocks.0.attn.relative_coords_table': {
        dtype: 'float32',
        shape: [1],
        values: new Float32Array(1),
      },
    });
    weights = await openSafetensors(path);
  });

  async function learn(
    trainable: NonNullable<ScopeOptions['trainable']>,
    { options, build }: { options?: ForwardOptions; build?: (scope: Scope) => Scope } = {},
  ) {
    const root = Scope.root({ random: randomStream(3), trainable }).from(weights);
    const scope = build?.(root) ?? root;
    const { pooled } = backbone.forward(scope, images, options);
    const trained = parametersOf([pooled]).filter((parameter) => parameter.trainable);
    const slopes = trained.length > 0 ? gradients(sum(square(pooled)), trained) : [];
    const named = Object.fromEntries(slopes.map((slope, i) => [`grad.${trained[i]?.name}`, slope]));
    const program = await compile(
      { outputs: { pooled, ...named } },
      { threads: 1, variables: new Variables() },
    );
    const results = await program.run({ images: pictures }, { random: randomStream(5) });
    await program.dispose();
    const values = new Map(Object.entries(results).map(([key, data]) => [key, data.values as Float32Array]));
    const output = values.get('pooled') as Float32Array;
    values.delete('pooled');
    return { output, slopes: new Map([...values].map(([key, x]) => [key.slice('grad.'.length), x])) };
  }

  const learntNames = (): string[] =>
    Object.keys(livelyWeights(backbone))
      .filter((x) => !isStatistic(x))
      .sort();

  it('takes a file that also holds counters and buffers', () => {
    expect(() => checkWeights(backbone, weights)).not.toThrow();
  });

  it('has no gradient at all when it is frozen', async () => {
    expect((await learn(() => false)).slopes.size).toBe(0);
  });

  it('has gradients for everything learnt, statistics left alone, when all of it trains', async () => {
    const frozen = await learn(() => false);
    const full = await learn(() => true);
    expect([...full.slopes.keys()].sort()).toEqual(learntNames());
    for (const [parameter, values] of full.slopes) {
      expect(Math.hypot(...values), parameter).toBeGreaterThan(0);
    }
    expect(apart(full.output, frozen.output)).toBeLessThan(1e-5);
  });

  it('has gradients for the last stage and what follows only, the same as in full training', async () => {
    const last = await learn(lastBlocks(backbone, 1));
    const full = await learn(() => true);
    const want = learntNames().filter((x) => backbone.blockOf(x) >= backbone.depth - 1);
    expect([...last.slopes.keys()].sort()).toEqual(want);
    expect(want.length).toBeLessThan(full.slopes.size);
    for (const [parameter, values] of last.slopes) {
      expect(apart(values, full.slopes.get(parameter) as Float32Array), parameter).toBeLessThan(1e-4);
    }
  });

  it('gives the same with checkpoints', async () => {
    const plain = await learn(() => true);
    const saving = await learn(() => true, { options: { checkpoint: true } });
    expect(apart(saving.output, plain.output)).toBeLessThan(1e-5);
    for (const [parameter, values] of plain.slopes) {
      expect(apart(saving.slopes.get(parameter) as Float32Array, values), parameter).toBeLessThan(1e-4);
    }
  });

  it('drops whole branches in training only', async () => {
    const options = { dropPath: 0.9 };
    const frozen = await learn(() => false);
    const inference = await learn(() => true, { options });
    const training = await learn(() => true, { options, build: (scope) => scope.forTraining() });
    expect(apart(inference.output, frozen.output)).toBeLessThan(1e-5);
    expect(apart(training.output, frozen.output)).toBeGreaterThan(1e-3);
  });

  it('numbers its layers from the stem to the head', () => {
    const layers = [...new Set(learntNames().map(layerOf(backbone)))].sort((a, b) => a - b);
    expect(layers).toEqual(Array.from({ length: backbone.depth + 2 }, (_, i) => i));
  });
});

describe('linear layers of hierarchical backbones', () => {
  it.each([
    ['ConvNeXt', 'stages.0.blocks.0.mlp.fc1.lora_a', 0],
    ['SwinV2', 'layers.1.blocks.1.attn.qkv.lora_b', 1],
  ])('of %s take adapters and start as they were', async (name, expected, stage) => {
    const found = HIERARCHICAL.find((one) => one.name === name);
    if (found === undefined) throw new Error(name);
    const { backbone, size } = found;
    const images = input('images', [1, 3, ...size]);
    const root = Scope.root({ random: randomStream(1), trainable: (x) => x.includes('lora_') });
    const plain = backbone.forward(root, images).pooled;
    const adapted = backbone.forward(root.withLora({ rank: 2 }), images).pooled;
    const trained = parametersOf([adapted]).filter((parameter) => parameter.trainable);
    expect(trained.map((parameter) => parameter.name)).toContain(expected);
    expect(trained.every((parameter) => parameter.name.includes('lora_'))).toBe(true);
    expect(backbone.blockOf(expected)).toBe(stage);
    const program = await compile({ outputs: { plain, adapted } }, { threads: 1 });
    const pictures = Float32Array.from({ length: 3 * size[0] * size[1] }, (_, i) => Math.sin(i));
    const results = await program.run({ images: pictures });
    await program.dispose();
    const [a, b] = [results.adapted?.values, results.plain?.values] as [Float32Array, Float32Array];
    expect(apart(a, b)).toBeLessThan(1e-5);
  });
});

describe('batch normalisation in training', () => {
  const backbone = makeBackbone('efficientnet', {
    variant: 'efficientnet_b0',
    channelMultiplier: 0.2,
    depthMultiplier: 0.4,
  });
  const images = input('images', [3, 3, 64, 64]);
  const pictures = Float32Array.from({ length: 9 * 64 * 64 }, (_, i) => Math.sin(i * i) + 0.5);

  /** The stem's running mean before and after one step at rate 0. */
  async function runningMean(options: ForwardOptions): Promise<[Float32Array, Float32Array]> {
    const scope = Scope.root({ random: randomStream(2) }).forTraining();
    const { pooled } = backbone.forward(scope, images, options);
    const training = await Training.compile(
      {
        loss: meanSquaredError(pooled, input('targets', pooled.shape)),
        optimizer: sgd(),
        groups: parameterGroups(
          scope.parameters.filter((parameter) => parameter.trainable),
          [],
        ),
        random: randomStream(4),
        updates: scope.updates,
      },
      { threads: 1 },
    );
    const mean = scope.parameters.find(({ name }) => name === 'bn1.running_mean');
    if (mean === undefined) throw new Error('bn1.running_mean');
    const before = (training.variables.values(mean) as Float32Array).slice();
    const targets = new Float32Array(3 * backbone.width);
    await training.run({ images: pictures, targets }, 0);
    const after = (training.variables.values(mean) as Float32Array).slice();
    await training.dispose();
    return [before, after];
  }

  it('keeps the stored statistics unless told otherwise', async () => {
    const [before, after] = await runningMean({});
    expect(after).toEqual(before);
  });

  it('takes the batch’s own on request, and moves the stored ones towards them', async () => {
    const [before, after] = await runningMean({ batchStatistics: true });
    expect(Math.hypot(...before)).toBe(0);
    expect(Math.hypot(...after)).toBeGreaterThan(0);
  });

  it('cannot have them leave a block that is computed twice', () => {
    const scope = Scope.root({ random: randomStream(2) }).forTraining();
    expect(() => backbone.forward(scope, images, { batchStatistics: true, checkpoint: true })).toThrow(
      UsageError,
    );
  });
});
