import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RandomStream, randomStream } from '../../../src/ground/random.ts';
import {
  absolute,
  adamW,
  add,
  compile,
  divide,
  input,
  matmul,
  multiply,
  negate,
  type Parameter,
  type ProgramSpec,
  parameter,
  reshape,
  sizeOf,
  softmax,
  squareRoot,
  subtract,
  sum,
  type Tensor,
  Training,
  type TrainingSpec,
  tanh,
  type Update,
  Variables,
} from '../../../src/tensor/index.ts';
import { updateChains } from '../../../src/tensor/kernels/chain.ts';

const normals = (seed: number, count: number): Float32Array => {
  const random = randomStream(seed);
  return Float32Array.from({ length: count }, () => random.normal());
};

const variable = (name: string, shape: readonly number[]): Parameter =>
  parameter(name, { shape }, { from: 'array', values: normals(name.length, sizeOf(shape)) });

const chainNames = (outputs: readonly Tensor[], updates: readonly Update[]): string[] =>
  updateChains(outputs, updates).map(({ operations }) =>
    operations.map(({ operator }) => operator.name).join(' '),
  );

/** What variables hold after three runs, by kernels or without. */
async function statesAfter(
  spec: ProgramSpec,
  feeds: Record<string, Float32Array | number>,
  kernels: boolean,
) {
  const program = await compile(spec, { kernels });
  const results = [];
  for (let run = 0; run < 3; run++) results.push(await program.run(feeds));
  await program.dispose();
  return { results, states: program.variables.snapshot() };
}

/** Updates made of elementwise operations, here and there of something that needs all elements at once. */
function randomUpdates(random: RandomStream, variables: readonly Parameter[], given: Tensor): Update[] {
  const values: Tensor[] = [...variables, given];
  const any = (): Tensor => values[Math.floor(random.uniform() * values.length)] as Tensor;
  const makers: ((a: Tensor, b: Tensor) => Tensor)[] = [
    (a, b) => add(multiply(a, 0.75), b),
    (a, b) => subtract(negate(a), b),
    (a, b) => divide(a, add(squareRoot(absolute(b)), 0.5)),
    (a, b) => multiply(a, tanh(sum(b, { axes: [0, 1], keepAxes: true }))),
    (a, b) => add(softmax(a), b),
  ];
  for (let made = 0; made < 8; made++) {
    values.push((makers[Math.floor(random.uniform() * makers.length)] as (typeof makers)[0])(any(), any()));
  }
  return variables.map((v) => ({ variable: v, next: any() }));
}

describe('updates by kernels', () => {
  it('leave the bits that ONNX Runtime leaves, for any updates and any number of elements', async () => {
    const shape = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 }));
    await fc.assert(
      fc.asyncProperty(fc.integer(), shape, async (seed, size) => {
        const random = randomStream(seed);
        const variables = ['a', 'bc', 'def'].map((name) => variable(name, size));
        const x = input('x', size);
        const updates = randomUpdates(random, variables, x);
        const outputs = { read: multiply(variables[0] as Parameter, 2), fed: negate(x) };
        const feeds = { x: normals(seed, size[0] * size[1]) };
        const spec = { outputs, updates };
        const [want, got] = [await statesAfter(spec, feeds, false), await statesAfter(spec, feeds, true)];
        expect(got).toEqual(want);
      }),
      { numRuns: 30 },
    );
  });

  it('train as ONNX Runtime alone does: decay, clipping, averages, gradients of several runs', async () => {
    const weights = [variable('weight', [6, 5]), variable('bias', [5]), variable('scale', [1])];
    const [weight, bias, scale] = weights as [Parameter, Parameter, Parameter];
    const answer = multiply(add(matmul(input('x', [4, 6]), weight), bias), reshape(scale, []));
    const loss = sum(multiply(answer, tanh(answer)));
    const ways: readonly Partial<TrainingSpec>[] = [
      {},
      { clipNorm: 0.5, averageDecay: 0.9 },
      { accumulate: 2 },
      { accumulate: 2, clipNorm: 0.5 },
      { lossScaling: { initial: 8 } },
    ];
    for (const way of ways) {
      const states = [];
      for (const kernels of [false, true]) {
        const groups = [{ parameters: weights, rateScale: 0.5, weightDecay: 0.1 }];
        const spec = { loss, optimizer: adamW(), groups, random: randomStream(1), ...way };
        const training = await Training.compile(spec, { kernels });
        for (let run = 0; run < 4; run++) await training.run({ x: normals(run, 24) }, 0.1);
        states.push(training.variables.snapshot());
        await training.dispose();
      }
      expect(states[1]).toEqual(states[0]);
    }
  });

  it('take gradients that ONNX Runtime turns, in the order in which they lie', async () => {
    const weight = variable('weight', [2048, 3]);
    const gradient = matmul(input('a', [5, 2048]), input('b', [5, 3]), { transposeA: true });
    const updates = [{ variable: weight, next: subtract(weight, multiply(gradient, 0.1)) }];
    const feeds = { a: normals(1, 5 * 2048), b: normals(2, 5 * 3) };
    const [want, got] = [
      await statesAfter({ outputs: { gradient }, updates }, feeds, false),
      await statesAfter({ outputs: {}, updates }, feeds, true),
    ];
    expect(want.results[0]?.gradient?.shape).toEqual([2048, 3]);
    expect(got.states).toEqual(want.states);
  });

  it('take the whole of AdamW, and nothing that is needed elsewhere', () => {
    const weight = variable('weight', [3, 4]);
    const gradient = multiply(weight, 3);
    const updates = adamW().updates(weight, gradient, { parameters: [weight] });
    const all = 'multiply add multiply multiply add squareRoot add divide multiply multiply subtract';
    const [chain] = updateChains([], updates);
    expect(chain?.operations.map(({ operator }) => operator.name).toSorted()).toEqual(
      ['multiply', ...all.split(' ')].toSorted(),
    );
    expect(chain?.variables).toHaveLength(3);
    expect(chain?.given).toEqual([]);
    expect(updateChains([gradient], updates)[0]?.given).toEqual([gradient]);
    const single = variable('single', [1, 1]);
    expect(chainNames([], [{ variable: single, next: multiply(single, 2) }])).toEqual([]);
    expect(chainNames([], [{ variable: weight, next: softmax(weight) }])).toEqual([]);
  });

  it('hold variables in one place, which programs of the same store agree on', async () => {
    const [a, b] = [variable('a', [2, 3]), variable('bc', [2, 3])];
    const variables = new Variables();
    const halve = await compile(
      { outputs: {}, updates: [{ variable: a, next: multiply(a, 0.5) }] },
      { variables },
    );
    const place = variables.values(a);
    // The first has settled `a` without `b`, so that this one cannot take both together.
    const mix = await compile({ outputs: {}, updates: [{ variable: a, next: add(a, b) }] }, { variables });
    const read = await compile({ outputs: { y: add(a, 0) } }, { variables });
    const [before, other] = [place.slice(), variables.values(b).slice()];
    for (const program of [halve, mix, halve]) await program.run();
    expect(variables.values(a)).toBe(place);
    const { y } = await read.run();
    y?.values.forEach((value, i) => {
      expect(value).toBeCloseTo((Number(before[i]) / 2 + Number(other[i])) / 2, 6);
    });
    const instead = new Map([[a, b]]);
    await expect(halve.run({}, { substitute: instead })).rejects.toThrow('this program updates "a"');
    for (const program of [halve, mix, read]) await program.dispose();
  });
});
