import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/ground/random.ts';
import type { Features } from '../../src/networks/heads/features.ts';
import { massObjective } from '../../src/networks/objectives/masses.ts';
import type { NetworkSettings } from '../../src/networks/settings/network.ts';
import { networkGroups, networkOptimizer } from '../../src/networks/training/optimization.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import type { Targets } from '../../src/pasture/targets.ts';
import {
  concat,
  input,
  insertAxis,
  loadTensors,
  openSafetensors,
  ratesByPrefix,
  Scope,
  splitEvenly,
  stack,
  type Tensor,
  type TensorData,
  Training,
} from '../../src/tensor/index.ts';
import { resolveRecipe } from '../support/written-settings.ts';
import { tinyVit } from '../tensor/tiny-vit.ts';
import { expectFinalParameters } from './final-parameters.ts';

const folder = join(
  process.env.SWARD_GOLDEN ?? join(process.env.SWARD_SHARED ?? '../shared', 'golden'),
  'dual_film_training',
);

const BATCH = 4;

/** Both halves through one backbone: what the heads of recipe `film-dual` read. */
function halves(scope: Scope, left: Tensor, right: Tensor): Features {
  const both = tinyVit(scope.in('backbone'), concat([left, right], 0), {
    patch: 14,
    dim: 48,
    depth: 3,
    heads: 3,
  });
  const [first, second] = splitEvenly(both, 2, 0) as [Tensor, Tensor];
  return { parts: insertAxis(stack([first, second], 1), 2) };
}

/** Recipe `seed2` with the case's optimizer; the case has no dropout. */
async function caseSettings(): Promise<NetworkSettings> {
  const { estimator } = await resolveRecipe('seed2', [
    'estimator.architecture.dropout=0',
    'estimator.optimizer.weightDecay=0.01',
  ]);
  if (estimator.kind !== 'network') throw new Error('seed2 is a network');
  return estimator;
}

/** The `index`-th of the equal parts of a recorded array. */
function part(data: TensorData | undefined, index: number, count: number): Float32Array {
  if (data === undefined) throw new Error('the golden case lacks a tensor');
  return (data.values as Float32Array).slice(index * count, (index + 1) * count);
}

/** The masses of a step's batch, recorded as green, clover, dead. */
function observed(tensors: Readonly<Record<string, TensorData>>, step: number): Targets[] {
  const masses = part(tensors.targets_green_clover_dead, step, BATCH * 3);
  return Array.from({ length: BATCH }, (_, row) => {
    const [green = 0, clover = 0, dead = 0] = masses.subarray(row * 3, row * 3 + 3);
    return targetsFromComponents({ green, clover, dead });
  });
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
    const settings = await caseSettings();
    const objective = massObjective({ targets: [] }, settings);
    const { answers, loss } = objective.loss(scope.forTraining(), halves(scope, left, right));
    const training = await Training.compile({
      loss,
      outputs: { outputs: answers },
      optimizer: networkOptimizer(settings.optimizer),
      groups: networkGroups(scope.parameters, settings.optimizer, [ratesByPrefix({ 'backbone.': 0.1 })]),
      random: randomStream(0),
    });
    expect(scope.parameters.map(({ name }) => name).sort()).toEqual([...weights.tensors.keys()].sort());
    for (let step = 0; step < losses.length; step++) {
      const rates = part(tensors.lr_backbone_heads, step, 2);
      const result = await training.run(
        {
          left: part(tensors.left, step, BATCH * 3 * 56 * 56),
          right: part(tensors.right, step, BATCH * 3 * 56 * 56),
          ...objective.feeds({ targets: observed(tensors, step) }, [0, 1, 2, 3], BATCH),
        },
        rates[1] as number,
      );
      expect(Math.abs(result.loss / (losses[step] as number) - 1)).toBeLessThan(1e-3);
      const got = result.outputs.outputs?.values as Float32Array;
      // Golden columns: green, dead, clover, GDM, total.
      part(tensors.outputs, step, BATCH * 5).forEach((reference, at) => {
        expect(Math.abs((got[at] as number) - reference)).toBeLessThan(1e-3 * (1 + reference));
      });
    }
    const backboneRates = losses.reduce(
      (sum, _, step) => sum + (part(tensors.lr_backbone_heads, step, 2)[0] as number),
      0,
    );
    expectFinalParameters(training, scope.parameters, tensors, backboneRates);
    await training.dispose();
  });
});
