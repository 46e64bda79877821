import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradients } from '../../../src/tensor/autodiff/gradients.ts';
import { parameter } from '../../../src/tensor/graph/leaves.ts';
import type { Parameter, Tensor } from '../../../src/tensor/graph/operator.ts';
import { multiply, sine } from '../../../src/tensor/operators/elementwise.ts';
import { sum } from '../../../src/tensor/operators/reduction.ts';
import { compile } from '../../../src/tensor/program/program.ts';
import {
  blockLayer,
  layerwiseDecay,
  parameterGroups,
  ratesByPrefix,
  withoutDecayForSmall,
} from '../../../src/tensor/training/groups.ts';
import { adam, adamW, type Optimizer, sgd } from '../../../src/tensor/training/optimizers.ts';
import {
  constantRate,
  cosineWithWarmUp,
  oneCycle,
  plateauFactor,
} from '../../../src/tensor/training/schedules.ts';

const START = [0.5, -1.2, 2];
const STEPS = 7;
const RATE = 0.05;

/** Weights after minimising Σ sin(w)·w with the optimizer in the graph. */
async function descend(optimizer: Optimizer, rateScale = 1): Promise<number[]> {
  const weight = parameter('w', { shape: [3] }, { from: 'array', values: Float32Array.from(START) });
  const [gradient] = gradients(sum(multiply(sine(weight), weight)), [weight]) as [Tensor];
  const updates = optimizer.updates(weight, gradient, { parameters: [weight], rateScale });
  const program = await compile({ outputs: {}, updates });
  for (let step = 1; step <= STEPS; step++) {
    const scalars = optimizer.scalars({ step, rate: RATE });
    await program.run(Object.fromEntries(Object.entries(scalars).filter(([name]) => name in program.inputs)));
  }
  const result = [...(program.variables.values(weight) as Float32Array)];
  await program.dispose();
  return result;
}

const slope = (w: number): number => Math.cos(w) * w + Math.sin(w);

/** The same by the textbook's scalar formulas. */
function textbook(
  update: (w: number, g: number, state: { m: number; v: number }, step: number) => number,
): number[] {
  return START.map((start) => {
    const state = { m: 0, v: 0 };
    let w = start;
    for (let step = 1; step <= STEPS; step++) w = update(w, slope(w), state, step);
    return w;
  });
}

const adamStep =
  (rate: number, decay: number, decoupled: boolean) =>
  (w: number, slopeAt: number, state: { m: number; v: number }, step: number): number => {
    const g = decoupled ? slopeAt : slopeAt + decay * w;
    state.m = 0.8 * state.m + 0.2 * g;
    state.v = 0.95 * state.v + 0.05 * g * g;
    const direction = state.m / (1 - 0.8 ** step) / (Math.sqrt(state.v / (1 - 0.95 ** step)) + 1e-3);
    return w - rate * direction - (decoupled ? rate * decay * w : 0);
  };

const near = (got: readonly number[], want: readonly number[]): void => {
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(want[i] as number, 5);
  });
};

const ADAM = { betas: [0.8, 0.95], epsilon: 1e-3, weightDecay: 0.1 } as const;

describe('an optimizer in the graph', () => {
  it('AdamW, Adam with L2, and a scaled rate follow the formulas', async () => {
    near(await descend(adamW(ADAM)), textbook(adamStep(RATE, 0.1, true)));
    near(await descend(adam(ADAM)), textbook(adamStep(RATE, 0.1, false)));
    near(await descend(adamW(ADAM), 0.5), textbook(adamStep(RATE / 2, 0.1, true)));
  });

  it('SGD: plain, with momentum, Nesterov and decay', async () => {
    near(
      await descend(sgd()),
      textbook((w, g) => w - RATE * g),
    );
    const momentum = (nesterov: boolean) =>
      textbook((w, slopeAt, state) => {
        const g = slopeAt + 0.1 * w;
        state.m = 0.9 * state.m + g;
        return w - RATE * (nesterov ? g + 0.9 * state.m : state.m);
      });
    near(await descend(sgd({ momentum: 0.9, weightDecay: 0.1 })), momentum(false));
    near(await descend(sgd({ momentum: 0.9, weightDecay: 0.1, nesterov: true })), momentum(true));
  });

  it('refuses betas outside [0, 1)', () => {
    expect(() => adam({ betas: [0.9, 1] })).toThrow(/betas/);
  });
});

describe('parameter groups', () => {
  const made = (name: string, shape: number[]): Parameter =>
    parameter(name, { shape }, { from: 'generator', generate: () => new Float32Array() });
  const names = [
    made('backbone.pos_embed', [1, 5, 4]),
    made('backbone.blocks.0.attn.qkv.weight', [12, 4]),
    made('backbone.blocks.11.norm1.weight', [4]),
    made('backbone.blocks.11.ls1.gamma', [4]),
    made('head.weight', [1, 4]),
    made('head.bias', [1]),
    made('fc.weight', [3, 4]),
  ];

  it('exempt norms, biases, LayerScale and embeddings from decay, and scale rates by depth', () => {
    const rules = [
      withoutDecayForSmall,
      ratesByPrefix({ 'backbone.': 0.1 }),
      layerwiseDecay(0.5, 12, blockLayer),
    ];
    const groups = parameterGroups(names, rules);
    const find = (name: string) => groups.find(({ parameters }) => parameters.some((p) => p.name === name));
    expect(find('backbone.pos_embed')).toMatchObject({ weightDecay: 0, rateScale: 0.1 * 0.5 ** 12 });
    expect(find('backbone.blocks.0.attn.qkv.weight')?.weightDecay).toBeUndefined();
    expect(find('backbone.blocks.0.attn.qkv.weight')?.rateScale).toBeCloseTo(0.1 * 0.5 ** 11);
    expect(find('backbone.blocks.11.norm1.weight')).toBe(find('backbone.blocks.11.ls1.gamma'));
    expect(find('head.bias')).toMatchObject({ weightDecay: 0, rateScale: 1 });
    expect(find('fc.weight')).toEqual({ rateScale: 1, parameters: [names[6]] });
    expect(groups.flatMap(({ parameters }) => parameters)).toHaveLength(names.length);
    expect(() => layerwiseDecay(0, 1, blockLayer)).toThrow(/\(0, 1\]/);
  });
});

describe('a schedule', () => {
  it('cosine with warm-up starts at 0, peaks after it, ends at the floor', () => {
    const schedule = cosineWithWarmUp({ rate: 3e-3, steps: 6, warmUp: 2 });
    const golden = [0, 0.0015, 0.003, 0.00256066, 0.0015, 0.00043934];
    golden.forEach((rate, step) => {
      expect(schedule(step)).toBeCloseTo(rate, 8);
    });
    expect(schedule(6)).toBe(0);
    expect(cosineWithWarmUp({ rate: 1, steps: 10, floor: 0.1 })(100)).toBeCloseTo(0.1);
    expect(() => cosineWithWarmUp({ rate: 1, steps: 1, warmUp: 2 })).toThrow(/warm-up/);
    expect(constantRate(0.3)(17)).toBe(0.3);
  });

  it('never leaves its bounds, whatever the settings', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 500 }),
        fc.double({ min: 0.05, max: 0.9, noNaN: true }),
        (steps, rise) => {
          const schedule = oneCycle({ peak: 1, steps, rise });
          const rates = Array.from({ length: steps }, (_, step) => schedule(step));
          expect(Math.max(...rates)).toBeLessThanOrEqual(1 + 1e-12);
          expect(Math.min(...rates)).toBeGreaterThan(0);
          expect(rates.at(-1)).toBeCloseTo(1 / 25 / 1e4, 8);
        },
      ),
    );
  });

  it('plateau cuts after patience runs out, and only then', () => {
    const options = { factor: 0.5, patience: 2 };
    expect(plateauFactor([1, 0.9, 0.8], options)).toBe(1);
    expect(plateauFactor([1, 1, 1], options)).toBe(1);
    expect(plateauFactor([1, 1, 1, 1], options)).toBe(0.5);
    expect(plateauFactor([1, 1, 1, 1, 1, 1, 1], options)).toBe(0.25);
    expect(plateauFactor([], options)).toBe(1);
  });
});
