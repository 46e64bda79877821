import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { networkLoss } from '../../src/networks/objectives/loss.ts';
import { networkSettings } from '../../src/networks/settings/network.ts';
import {
  combined,
  compile,
  constant,
  full,
  gradients,
  huber,
  input,
  type Loss,
  loadTensors,
  meanSquaredError,
  rSquaredLoss,
  smoothL1,
  type Tensor,
  type TensorData,
  weightedMeanSquaredError,
} from '../../src/tensor/index.ts';

const path = join(
  process.env.SWARD_GOLDEN ?? join(process.env.SWARD_SHARED ?? '../shared', 'golden'),
  'losses',
  'case.safetensors',
);

const weights = constant([0.1, 0.1, 0.1, 0.2, 0.5]);

const LOSSES: Record<string, Loss> = {
  mse: meanSquaredError,
  weighted_mse: weightedMeanSquaredError({ weights }),
  huber_delta10: huber({ delta: 10 }),
  smooth_l1_beta1: smoothL1({ beta: 1 }),
  r2: rSquaredLoss({ weights }),
  'combined_.5_.3_.2': combined([
    [0.5, weightedMeanSquaredError({ weights })],
    [0.3, huber({ delta: 10 })],
    [0.2, rSquaredLoss({ weights })],
  ]),
};

/** The combination as settings of a recipe: a mean over five masses is a fifth of their sum. */
const COMBINED_SETTINGS = networkSettings.parse({
  kind: 'network',
  architecture: { kind: 'mlp' },
  loss: { mse: 0.1, huber: 0.3, delta: 10, r2: 0.2, termWeights: { huber: 'alike' } },
});

/** The loss that recipes train with. */
const recipeLoss: Loss = (predicted, observed) =>
  networkLoss(
    { masses: predicted, embedding: predicted },
    {},
    { targets: observed, weights: full([5, 1], 1) },
    COMBINED_SETTINGS,
  );

function relativeError(got: TensorData | undefined, want: TensorData | undefined): number {
  const a = got?.values as Float32Array;
  const b = want?.values as Float32Array;
  const difference = Math.hypot(...a.map((value, i) => value - (b[i] as number)));
  return difference / Math.hypot(...b);
}

describe.skipIf(!existsSync(path))('golden losses', () => {
  const cases: [string, string, Loss][] = Object.entries(LOSSES).map(([name, loss]) => [name, name, loss]);
  cases.push(['the combination as a recipe sets it', 'combined_.5_.3_.2', recipeLoss]);
  it.each(cases)('%s equals torch in value and gradient', async (_, name, loss) => {
    const { tensors } = await loadTensors(path);
    const predicted = input('pred', [5, 5]);
    const observed = input('target', [5, 5]);
    const value = loss(predicted, observed);
    const [gradient] = gradients(value, [predicted]) as [Tensor];
    const program = await compile({ outputs: { value, gradient } });
    const { pred, target } = tensors as Record<'pred' | 'target', TensorData>;
    const result = await program.run({ pred, target });
    expect(relativeError(result.value, tensors[`value.${name}`])).toBeLessThan(1e-5);
    expect(relativeError(result.gradient, tensors[`grad.${name}`])).toBeLessThan(1e-5);
    await program.dispose();
  });
});
