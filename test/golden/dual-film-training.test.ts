import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/ground/random.ts';
import {
  adamW,
  add,
  concat,
  film,
  input,
  linearLayer,
  loadTensors,
  meanSquaredError,
  multiply,
  openSafetensors,
  parameterGroups,
  ratesByPrefix,
  relu,
  Scope,
  slice,
  softplus,
  type Tensor,
  type TensorData,
  Training,
} from '../../src/tensor/index.ts';
import { tinyVit } from '../tensor/tiny-vit.ts';

const folder = join(
  process.env.SWARD_GOLDEN ?? join(process.env.SWARD_SHARED ?? '../shared', 'golden'),
  'dual_film_training',
);

const BATCH = 4;

/** Both halves through one backbone, modulated by their mean, one head a component. */
function dualFilm(scope: Scope, left: Tensor, right: Tensor): Tensor {
  const both = tinyVit(scope.in('backbone'), concat([left, right], 0), {
    patch: 14,
    dim: 48,
    depth: 3,
    heads: 3,
  });
  const halves = [slice(both, { 0: [0, BATCH] }), slice(both, { 0: [BATCH, 2 * BATCH] })] as const;
  const context = multiply(add(...halves), 0.5);
  const modulate = film(scope.in('film'), context, { hidden: 24, activation: relu });
  const features = concat(halves.map(modulate), 1);
  const heads = ['head_green', 'head_clover', 'head_dead'].map((name) => {
    const inside = relu(linearLayer(scope.in(name).in(0), features, 256));
    return softplus(linearLayer(scope.in(name).in(3), inside, 1));
  });
  return concat(heads, 1);
}

/** The `index`-th of the equal parts of a recorded array. */
function part(data: TensorData | undefined, index: number, count: number): Float32Array {
  if (data === undefined) throw new Error('the golden case lacks a tensor');
  return (data.values as Float32Array).slice(index * count, (index + 1) * count);
}

describe.skipIf(!existsSync(folder))('golden dual FiLM training', () => {
  it('follows torch through six AdamW steps to the same weights', async () => {
    const { loss: losses } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as {
      loss: number[];
    };
    const { tensors } = await loadTensors(join(folder, 'case.safetensors'));
    const weights = await openSafetensors(join(folder, 'model.safetensors'));
    const scope = Scope.root({ random: randomStream(0) }).from(weights);
    const left = input('left', [BATCH, 3, 56, 56]);
    const right = input('right', [BATCH, 3, 56, 56]);
    const targets = input('targets', [BATCH, 3]);
    const outputs = dualFilm(scope, left, right);
    const training = await Training.compile({
      loss: meanSquaredError(outputs, targets),
      outputs: { outputs },
      optimizer: adamW({ weightDecay: 0.01 }),
      groups: parameterGroups(scope.parameters, [ratesByPrefix({ 'backbone.': 0.1 })]),
      random: randomStream(0),
    });
    expect(scope.parameters.map(({ name }) => name).sort()).toEqual([...weights.tensors.keys()].sort());
    for (let step = 0; step < losses.length; step++) {
      const rates = part(tensors.lr_backbone_heads, step, 2);
      const result = await training.run(
        {
          left: part(tensors.left, step, BATCH * 3 * 56 * 56),
          right: part(tensors.right, step, BATCH * 3 * 56 * 56),
          targets: part(tensors.targets_green_clover_dead, step, BATCH * 3),
        },
        rates[1] as number,
      );
      expect(Math.abs(result.loss / (losses[step] as number) - 1)).toBeLessThan(1e-3);
      const got = result.outputs.outputs?.values as Float32Array;
      // Golden columns: green, dead, clover, GDM, total.
      const want = part(tensors.outputs, step, BATCH * 5);
      for (let row = 0; row < BATCH; row++) {
        [0, 2, 1].forEach((column, index) => {
          const reference = want[row * 5 + column] as number;
          expect(Math.abs((got[row * 3 + index] as number) - reference)).toBeLessThan(1e-3 * (1 + reference));
        });
      }
    }
    const backboneRates = losses.reduce(
      (sum, _, step) => sum + (part(tensors.lr_backbone_heads, step, 2)[0] as number),
      0,
    );
    let compared = 0;
    for (const parameter of scope.parameters) {
      const got = training.variables.values(parameter) as Float32Array;
      const want = tensors[`final.${parameter.name}`]?.values as Float32Array;
      // Softmax does not see a bias common to all keys: its gradient is 0 but for rounding, which Adam blows up
      // to full steps of random sign, in torch as here: the two may differ by twice the sum of the rates.
      const isFused = parameter.name.endsWith('qkv.bias');
      const third = got.length / 3;
      const noise = (i: number): boolean => isFused && i >= third && i < 2 * third;
      const differences = got.map((value, i) => value - (want[i] as number));
      const error = Math.hypot(...differences.filter((_, i) => !noise(i))) / Math.hypot(...want);
      expect(error, parameter.name).toBeLessThan(1e-3);
      const drift = Math.max(0, ...differences.filter((_, i) => noise(i)).map(Math.abs));
      expect(drift, parameter.name).toBeLessThan(2 * backboneRates);
      compared += 1;
    }
    expect(compared).toBe(64);
    await training.dispose();
  });
});
