import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import {
  adamW,
  compile,
  input,
  linearLayer,
  meanSquaredError,
  mlp,
  type Parameter,
  parameterGroups,
  Scope,
  type StepSpec,
  sgd,
  type Tensor,
  type TensorData,
  Training,
  withoutDecayForSmall,
} from '../../../src/tensor/index.ts';
import { pictures } from '../pictures.ts';
import { convolutional, type Network, vit } from '../small-networks.ts';
import { tinyVit } from '../tiny-vit.ts';

const SIZE = 16;

/** A network set up for training on batches of pictures. */
async function setUp(
  network: Network,
  options: { readonly batch?: number; readonly seed?: number } & Partial<StepSpec> = {},
) {
  const { batch = 16, seed = 1, ...spec } = options;
  const scope = Scope.root({ random: randomStream(seed) });
  const image = input('image', [batch, 3, SIZE, SIZE]);
  const target = input('target', [batch, 1]);
  const training = scope.forTraining();
  const predicted = network(training, image);
  const weights = scope.parameters.filter(({ trainable }) => trainable);
  return {
    scope,
    image,
    weights,
    training: await Training.compile(
      {
        loss: meanSquaredError(predicted, target),
        optimizer: adamW({ weightDecay: 0.01 }),
        groups: parameterGroups(weights, [withoutDecayForSmall]),
        random: randomStream(seed),
        updates: training.updates,
        ...spec,
      },
      { threads: 2 },
    ),
  };
}

async function losses(
  training: Training,
  from: number,
  to: number,
  batch = 16,
  rate = 3e-3,
): Promise<number[]> {
  const result: number[] = [];
  for (let step = from; step < to; step++) {
    const feeds = pictures(randomStream(7).fork(step), batch, SIZE);
    result.push((await training.run({ ...feeds }, rate)).loss);
  }
  return result;
}

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sward-training-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('training', () => {
  it('repeats itself bit for bit with the same seed, dropout included, and not with another', async () => {
    const runs = [];
    for (const seed of [1, 1, 2]) {
      const { training } = await setUp(vit, { seed });
      runs.push(await losses(training, 0, 5));
      await training.dispose();
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).not.toEqual(runs[0]);
  });

  it('continues after a kill exactly as if it had not been killed', async () => {
    const options = { averageDecay: 0.9, accumulate: 2, clipNorm: 1, lossScaling: { initial: 8 } };
    const whole = await setUp(convolutional, options);
    const expected = await losses(whole.training, 0, 12);
    const first = await setUp(convolutional, options);
    await losses(first.training, 0, 5);
    await first.training.save(join(folder, 'state.safetensors'));
    const second = await setUp(convolutional, { ...options, seed: 1 });
    await second.training.restore(join(folder, 'state.safetensors'));
    expect(await losses(second.training, 5, 12)).toEqual(expected.slice(5));
    expect(second.training.variables.snapshot()).toEqual(whole.training.variables.snapshot());
    for (const { training } of [whole, first, second]) await training.dispose();
  });

  it('refuses a file that is no saved state, and one of another model', async () => {
    const { training } = await setUp(vit);
    const other = await setUp(convolutional);
    await other.training.save(join(folder, 'other.safetensors'));
    await expect(training.restore(join(folder, 'other.safetensors'))).rejects.toThrow(/saved state has no/);
    await other.training.dispose();
    await training.dispose();
  });

  it('takes the same step from two half batches as from a whole one', async () => {
    const small = await setUp(vit0, { batch: 8, accumulate: 2, optimizer: sgd({ momentum: 0.9 }) });
    const large = await setUp(vit0, { batch: 16, optimizer: sgd({ momentum: 0.9 }) });
    for (let step = 0; step < 3; step++) {
      const { image, target } = pictures(randomStream(step), 16, SIZE);
      await large.training.run({ image, target }, 0.01);
      const half = image.length / 2;
      const first = await small.training.run(
        { image: image.slice(0, half), target: target.slice(0, 8) },
        0.01,
      );
      const second = await small.training.run({ image: image.slice(half), target: target.slice(8) }, 0.01);
      expect([first.stepped, second.stepped]).toEqual([false, true]);
    }
    small.weights.forEach((weight, index) => {
      const a = small.training.variables.values(weight) as Float32Array;
      const b = large.training.variables.values(large.weights[index] as typeof weight) as Float32Array;
      expect(Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))))).toBeLessThan(1e-5);
    });
    expect(small.training.steps).toBe(3);
    await small.training.dispose();
    await large.training.dispose();
  });

  it('clips the gradient, and reports its norm from before', async () => {
    const { training, weights } = await setUp(vit0, { clipNorm: 0.5, optimizer: sgd() });
    const before = weights.map((weight) => training.variables.values(weight).slice() as Float32Array);
    const result = await training.run({ ...pictures(randomStream(1), 16, SIZE) }, 1);
    const moved = weights.flatMap((weight, index) =>
      [...(training.variables.values(weight) as Float32Array)].map(
        (value, i) => value - (before[index]?.[i] ?? 0),
      ),
    );
    expect(result.gradientNorm).toBeGreaterThan(1);
    expect(Math.hypot(...moved)).toBeCloseTo(0.5, 3);
    await training.dispose();
  });

  it('skips a step whose gradients overflow, and halves the loss scale', async () => {
    const { training, weights } = await setUp(vit0, { lossScaling: { initial: 1e38, growthInterval: 1 } });
    const feeds = { ...pictures(randomStream(1), 16, SIZE) };
    const before = training.variables.values(weights[0] as (typeof weights)[0]).slice();
    const first = await training.run(feeds, 0.01);
    expect(first.stepped).toBe(false);
    expect(training.steps).toBe(0);
    expect(training.variables.values(weights[0] as (typeof weights)[0])).toEqual(before);
    expect(Number.isFinite(first.loss)).toBe(true);
    await training.save(join(folder, 's.safetensors'));
    let result = first;
    for (let tries = 0; tries < 130 && !result.stepped; tries++) result = await training.run(feeds, 0.01);
    expect(result.stepped).toBe(true);
    await training.dispose();
  });

  it('keeps averages that validation really uses', async () => {
    const { training, scope, image } = await setUp(vit0, { averageDecay: 0.5, optimizer: sgd() });
    const y = vit0(scope.forInference(), image);
    const program = await compile({ outputs: { y } }, { variables: training.variables });
    const feeds = { image: pictures(randomStream(9), 16, SIZE).image };
    const untrained = await program.run(feeds);
    await losses(training, 0, 2, 16, 0.02);
    const current = await program.run(feeds);
    const averaged = await program.run(feeds, { substitute: training.averages });
    for (const [weight, average] of training.averages) {
      training.variables.set(weight, training.variables.values(average));
    }
    expect(averaged).not.toEqual(current);
    expect(averaged).not.toEqual(untrained);
    expect(await program.run(feeds)).toEqual(averaged);
    await program.dispose();
    await training.dispose();
  });

  it('hands running statistics to inference, also to programs compiled before', async () => {
    const { training, scope, image } = await setUp(convolutional);
    const y = convolutional(scope.forInference(), image);
    const early = await compile({ outputs: { y } }, { variables: training.variables });
    const feeds = { image: pictures(randomStream(9), 16, SIZE).image };
    const untrained = await early.run(feeds);
    await losses(training, 0, 3);
    const mean = scope.parameters.find(({ name }) => name === '0.bn.running_mean') as Parameter;
    expect(Math.hypot(...(training.variables.values(mean) as Float32Array))).toBeGreaterThan(0.01);
    const late = await compile({ outputs: { y } }, { variables: training.variables, freeze: true });
    const got = (await early.run(feeds)).y?.values as Float32Array;
    const want = (await late.run(feeds)).y?.values as Float32Array;
    expect(got).not.toEqual(untrained.y?.values);
    got.forEach((value, i) => {
      expect(value).toBeCloseTo(want[i] as number, 4);
    });
    for (const program of [early, late]) await program.dispose();
    await training.dispose();
  });

  it('leaves frozen parameters out of everything', async () => {
    const scope = Scope.root({ random: randomStream(1), trainable: (name) => name.startsWith('head') });
    const image = input('image', [4, 3, SIZE, SIZE]);
    const target = input('target', [4, 1]);
    const loss = meanSquaredError(vit(scope.forTraining(), image), target);
    const weights = scope.parameters.filter(({ trainable }) => trainable);
    expect(weights.map(({ name }) => name)).toEqual(['head.weight', 'head.bias']);
    const training = await Training.compile({
      loss,
      optimizer: adamW(),
      groups: [{ parameters: weights }],
      random: randomStream(1),
    });
    expect(training.state).toHaveLength(6);
    await losses(training, 0, 2, 4);
    expect(Object.keys(training.variables.snapshot())).toHaveLength(6);
    await training.dispose();
    await expect(
      Training.compile({ loss, optimizer: adamW(), groups: [], random: randomStream(1) }),
    ).rejects.toThrow(/nothing to train/);
  });

  it('trains low-rank adapters beside frozen weights', async () => {
    const adapters = (name: string): boolean => name.includes('lora_');
    const root = Scope.root({ random: randomStream(1), trainable: adapters });
    const scope = root.withLora({ rank: 2, alpha: 4, targets: (name) => name === 'fc2' });
    const x = input('x', [8, 4]);
    const build = (at: Scope): Tensor => mlp(at, x, { hidden: 8, out: 1 });
    const target = input('target', [8, 1]);
    const training = await Training.compile({
      loss: meanSquaredError(build(scope.forTraining()), target),
      optimizer: adamW(),
      groups: [{ parameters: root.parameters.filter(({ trainable }) => trainable) }],
      random: randomStream(1),
    });
    expect(training.state.map(({ name }) => name).filter((name) => !name.includes('/'))).toEqual([
      'fc2.lora_a',
      'fc2.lora_b',
    ]);
    const feeds = {
      x: Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
      target: Float32Array.from({ length: 8 }, (_, i) => 2 * Math.sin(4 * i)),
    };
    const first = await training.run(feeds, 0.05);
    let last = first;
    for (let step = 0; step < 150; step++) last = await training.run(feeds, 0.05);
    expect(last.loss).toBeLessThan(0.1 * first.loss);
    const { y } = await (
      await compile({ outputs: { y: build(scope) } }, { variables: training.variables, freeze: true })
    ).run({ x: feeds.x });
    expect((y as TensorData).shape).toEqual([8, 1]);
    await training.dispose();
  });
});

/** Without dropout, so that batches can be compared. */
const vit0: Network = (scope, image) =>
  linearLayer(
    scope.in('head'),
    tinyVit(scope.in('backbone'), image, { patch: 4, dim: 16, depth: 1, heads: 2 }),
    1,
  );
