import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { gradients } from '../../../src/tensor/autodiff/gradients.ts';
import { checkpoint } from '../../../src/tensor/autodiff/recompute.ts';
import { input, parameter } from '../../../src/tensor/graph/leaves.ts';
import type { Tensor } from '../../../src/tensor/graph/operator.ts';
import { batchNormLayer } from '../../../src/tensor/nn/layers.ts';
import { Scope } from '../../../src/tensor/nn/scope.ts';
import { gelu, tanh } from '../../../src/tensor/operators/activation.ts';
import { attention } from '../../../src/tensor/operators/attention.ts';
import { add, multiply } from '../../../src/tensor/operators/elementwise.ts';
import { reshape } from '../../../src/tensor/operators/layout.ts';
import { linear } from '../../../src/tensor/operators/matmul.ts';
import { layerNorm } from '../../../src/tensor/operators/normalisation.ts';
import { mean, sum } from '../../../src/tensor/operators/reduction.ts';
import { sampleGrid } from '../../../src/tensor/operators/resampling.ts';
import { compile } from '../../../src/tensor/program/program.ts';
import { checkGradients } from '../reference/check.ts';

const block = (x: Tensor, w: Tensor): Tensor => add(x, gelu(linear(layerNorm(x), w)));

describe('a checkpointed block', () => {
  it('has the gradients of the block itself, also for what it captures', async () => {
    const expression = (x: Tensor, w: Tensor): Tensor => {
      const first = checkpoint((h) => block(h, w), x);
      return checkpoint((h, v) => block(h, multiply(v, 2)), first, w);
    };
    await checkGradients(expression, [{ shape: [2, 3, 4] }, { shape: [4, 4] }], 1);
  });

  it('may hold other checkpoints and attention', async () => {
    const expression = (x: Tensor, w: Tensor): Tensor =>
      checkpoint((h) => {
        const inner = checkpoint((g) => attention(g, linear(g, w), g, { heads: 2 }), h);
        return add(
          checkpoint((g) => tanh(linear(g, w)), inner),
          h,
        );
      }, x);
    await checkGradients(expression, [{ shape: [2, 3, 4] }, { shape: [4, 4] }], 2);
  });

  it('gives bit for bit what the plain block gives in training', async () => {
    const weights = parameter(
      'w',
      { shape: [4, 4] },
      { from: 'generator', generate: () => Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)) },
    );
    const x = input('x', [3, 4]);
    const feed = Float32Array.from({ length: 12 }, (_, i) => Math.cos(i));
    const results = [];
    for (const wrap of [
      (f: (h: Tensor) => Tensor, h: Tensor) => f(h),
      (f: (h: Tensor) => Tensor, h: Tensor) => checkpoint(f, h),
    ]) {
      const loss = mean(wrap((h) => block(block(h, weights), weights), x));
      const [gradient] = gradients(loss, [weights]);
      const program = await compile({ outputs: { loss, gradient: gradient as Tensor } }, { threads: 1 });
      results.push(await program.run({ x: feed }));
      await program.dispose();
    }
    expect(results[1]).toEqual(results[0]);
  });

  it('asks for no gradient where none flows: stored statistics, frozen and piecewise constant parts', async () => {
    const scope = Scope.root({ random: randomStream(1) });
    const x = input('x', [2, 3, 4]);
    const places = parameter(
      'places',
      { shape: [1, 1, 2, 2], trainable: false },
      { from: 'array', values: Float32Array.of(1, 2, 3, 4) },
    );
    const run = (wrap: (f: (h: Tensor) => Tensor) => Tensor): Tensor => {
      // sampleGrid has no gradient; it must not be asked for one of a frozen picture.
      const y = wrap((h) => {
        const picture = sampleGrid(places, tanh(reshape(h, [1, 3, 4, 2])));
        return add(batchNormLayer(scope, h), reshape(picture, [1, 3, 4]));
      });
      return sum(multiply(y, y));
    };
    const weights = () => scope.parameters.filter(({ trainable }) => trainable);
    const plain = run((f) => f(x));
    const again = run((f) => checkpoint(f, x));
    const outputs = Object.fromEntries(
      [plain, again].flatMap((loss, i) =>
        gradients(loss, weights()).map((gradient, j) => [`${'ab'[i]}${j}`, gradient] as const),
      ),
    );
    const program = await compile({ outputs }, { threads: 1 });
    const results = await program.run({ x: Float32Array.from({ length: 24 }, (_, i) => Math.cos(i)) });
    await program.dispose();
    expect(weights().map(({ name }) => name)).toEqual(['weight', 'bias']);
    for (const j of [0, 1]) expect(results[`b${j}`]).toEqual(results[`a${j}`]);
    const mean = scope.parameters.find(({ name }) => name === 'running_mean') as Tensor;
    expect(() => gradients(again, [mean])).toThrow(/running_mean float32\[3\] does not influence/);
  });

  it('refuses to let an inner value out', async () => {
    const x = input('x', [2]);
    let leaked: Tensor = x;
    checkpoint((h) => {
      leaked = multiply(h, 2);
      return leaked;
    }, x);
    await expect(compile({ outputs: { leaked } })).rejects.toThrow(/inside a checkpoint/);
  });
});
