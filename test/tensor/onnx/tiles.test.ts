import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RandomStream, randomStream } from '../../../src/ground/random.ts';
import { sizeOf } from '../../../src/tensor/graph/shape.ts';
import {
  adamW,
  add,
  attention,
  batchNormTraining,
  cast,
  compile,
  dropout,
  exponential,
  gelu,
  geluTanh,
  gradients,
  greater,
  input,
  multiply,
  type Parameter,
  parameter,
  relu6,
  reshape,
  Scope,
  silu,
  softmax,
  subtract,
  sum,
  type Tensor,
  type TensorData,
  tanh,
  where,
} from '../../../src/tensor/index.ts';
import { type TileSizes, tiledRegions } from '../../../src/tensor/onnx/tiles.ts';

const SMALL: TileSizes = { least: 8, tile: 16 };

const normals = (random: RandomStream, count: number): Float32Array =>
  Float32Array.from({ length: count }, () => random.normal());

/** The same results from a program in tiles and from one without. */
async function expectSame(
  outputs: Readonly<Record<string, Tensor>>,
  feeds: Readonly<Record<string, Float32Array>>,
  tiles: TileSizes = SMALL,
): Promise<void> {
  const random = randomStream(5);
  const run = async (choice: TileSizes | false): Promise<Readonly<Record<string, TensorData>>> => {
    const program = await compile({ outputs }, { tiles: choice });
    const results = await program.run(feeds, { random });
    await program.dispose();
    return results;
  };
  const [whole, tiled] = [await run(false), await run(tiles)];
  for (const [name, { shape }] of Object.entries(outputs)) {
    const [want, got] = [whole, tiled].map((results) => results[name] as TensorData) as [
      TensorData,
      TensorData,
    ];
    expect(got.shape).toEqual(shape);
    want.values.forEach((value, i) => {
      const difference = Math.abs(Number(value) - Number(got.values[i]));
      expect(difference).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(Number(value))));
    });
  }
}

const namesOf = (outputs: readonly Tensor[], sizes = SMALL): string[] =>
  [...new Set(tiledRegions(outputs, sizes).values())].map(({ operations }) =>
    operations.map(({ operator }) => operator.name).join(' '),
  );

/** A random network of elementwise operations, here and there something that needs all elements at once. */
function randomNetwork(random: RandomStream, x: Tensor, count: number): Tensor[] {
  const values: Tensor[] = [x];
  const any = (): Tensor => values[Math.floor(random.uniform() * values.length)] as Tensor;
  const makers: ((a: Tensor, b: Tensor) => Tensor)[] = [
    (a, b) => add(a, multiply(b, 0.5)),
    (a, b) => subtract(tanh(a), b),
    (a, b) => where(greater(a, b), a, multiply(b, -1)),
    (a, b) => multiply(tanh(a), cast(greater(b, 0), 'float32')),
    (a, b) => add(softmax(a), b),
    (a, b) => multiply(a, tanh(sum(b, { axes: [0, 1], keepAxes: true }))),
    (a, b) => subtract(a, tanh(sum(b, { axes: [1], keepAxes: true }))),
    (a, b) => add(reshape(reshape(a, [-1]), x.shape), b),
  ];
  for (let made = 0; made < count; made++) {
    values.push((makers[Math.floor(random.uniform() * makers.length)] as (typeof makers)[0])(any(), any()));
  }
  return values.slice(-4);
}

describe('elementwise chains in tiles', () => {
  it('equal the same chains computed whole, for any network and any number of elements', async () => {
    const shape = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 12 }));
    await fc.assert(
      fc.asyncProperty(fc.integer(), shape, fc.integer({ min: 3, max: 20 }), async (seed, size, count) => {
        const random = randomStream(seed);
        const outputs = randomNetwork(random, input('x', size), count);
        const named = Object.fromEntries(outputs.map((y, index) => [`y${index}`, y]));
        await expectSame(named, { x: normals(random, size[0] * size[1]) });
      }),
      { numRuns: 30 },
    );
  });

  it('are found in the derivatives of activations, and give the same gradients', async () => {
    const x = input('x', [6, 20]);
    const weight = input('w', [6, 20]);
    for (const activation of [gelu, geluTanh, relu6, silu]) {
      const loss = sum(multiply(activation(x), weight));
      const [gradient] = gradients(loss, [x]) as [Tensor];
      expect(namesOf([gradient])).toHaveLength(1);
      const random = randomStream(1);
      await expectSame({ gradient, loss }, { x: normals(random, 120), w: normals(random, 120) });
    }
  });

  it('take numbers of whole planes with them: of a channel, of a channel of one picture, of a picture', async () => {
    const sizes = { least: 512, tile: 256 };
    const x = input('x', [4, 6, 8, 8]);
    const numbers = [
      [6, 1, 1],
      [4, 6, 1, 1],
      [4, 1, 1, 1],
      [1, 6, 1, 1],
    ].map((shape, n) => input(`n${n}`, shape)) as [Tensor, Tensor, Tensor, Tensor];
    const [channel, both, picture, long] = numbers;
    const y = subtract(multiply(add(multiply(tanh(x), channel), both), picture), long);
    const region = [...tiledRegions([y], sizes).values()][0];
    expect(namesOf([y], sizes)).toEqual(['tanh multiply add multiply subtract']);
    expect(region?.tiles).toEqual([6, 4, 64]);
    const random = randomStream(3);
    const leaves = [x, ...numbers].map(({ label, shape }) => [label, normals(random, sizeOf(shape))]);
    const feeds = Object.fromEntries(leaves) as Record<string, Float32Array>;
    await expectSame({ y }, feeds, sizes);
    // A plane longer than a tile is cut itself.
    await expectSame({ y }, feeds, { least: 512, tile: 32 });
    // Numbers along the last axis, or of rows too short, have no planes.
    const columns = input('columns', [8]);
    const rows = input('rows', [8, 1]);
    expect(namesOf([add(multiply(tanh(x), columns), rows)], sizes)).toEqual([]);
  });

  it('hold batch normalisation by the batch, its activation, and their gradients', async () => {
    const sizes = { least: 512, tile: 256 };
    const x = input('x', [4, 6, 8, 8]);
    const cotangent = input('g', x.shape);
    const [weight, bias] = [input('weight', [6]), input('bias', [6])];
    const state = { weight, bias, mean: bias, variance: bias };
    const y = silu(batchNormTraining(x, state).output);
    const slopes = gradients(sum(multiply(y, cotangent)), [x, weight, bias]) as [Tensor, Tensor, Tensor];
    const names = namesOf([y, ...slopes], sizes);
    expect(names[0]).toMatch(/^scaleDeviation add silu\b/);
    expect(names.at(-1)).toMatch(/multiply add add multiply$/);
    const random = randomStream(4);
    const feeds = {
      x: normals(random, 1536),
      g: normals(random, 1536),
      weight: normals(random, 6),
      bias: normals(random, 6),
    };
    await expectSame({ y, dx: slopes[0], dw: slopes[1], db: slopes[2] }, feeds, sizes);
  });

  it('take masks of dropout with them', async () => {
    const scope = Scope.root({ random: randomStream(1) }).forTraining();
    const x = input('x', [4, 16]);
    const y = add(dropout(scope, tanh(x), 0.5), x);
    expect(namesOf([y])).toEqual(['tanh cast multiply multiply add']);
    await expectSame({ y }, { x: normals(randomStream(1), 64) });
  });

  it('never wait for what depends on them', async () => {
    const x = input('x', [4, 8]);
    const before = exponential(multiply(add(x, 1), 0.5));
    const after = add(multiply(before, softmax(before)), multiply(before, 2));
    // The factor 2 could belong to both sides; the sum needs the softmax, which needs the first three.
    expect(namesOf([after])).toEqual(['add multiply exponential multiply']);
    await expectSame({ after, before }, { x: normals(randomStream(2), 32) });
  });

  it('leave small tensors, short chains and indivisible numbers of elements alone', () => {
    const chain = (length: number): Tensor => tanh(multiply(add(input('x', [length]), 1), 2));
    expect(namesOf([chain(32)])).toEqual(['add multiply tanh']);
    expect(namesOf([chain(4)])).toEqual([]);
    expect(namesOf([chain(37)])).toEqual([]);
    expect(namesOf([multiply(add(input('x', [32]), 1), 2)])).toEqual([]);
    expect(namesOf([tanh(multiply(add(input('x', [4, 8]), input('row', [8])), 2))])).toEqual([]);
  });

  it("step as AdamW does, whether the weights' tiles are many or one", async () => {
    const shapes = { many: [12, 20], one: [2, 8], none: [7], scalarLike: [1, 1] };
    const weights = Object.entries(shapes).map(([name, shape]): Parameter => {
      const values = normals(
        randomStream(name.length),
        shape.reduce((a, b) => a * b, 1),
      );
      return parameter(name, { shape }, { from: 'array', values });
    });
    const loss = weights.map((w) => sum(multiply(tanh(w), w))).reduce((a, b) => add(a, b));
    const slopes = gradients(loss, weights);
    const states = await Promise.all(
      [false as const, SMALL].map(async (tiles) => {
        const optimizer = adamW();
        const updates = weights.flatMap((weight, index) =>
          optimizer.updates(weight, slopes[index] as Tensor, { parameters: weights }),
        );
        const program = await compile({ outputs: { loss }, updates }, { tiles, kernels: false });
        for (let step = 1; step <= 3; step++) await program.run(optimizer.scalars({ step, rate: 0.1 }));
        await program.dispose();
        return program.variables.snapshot();
      }),
    );
    expect(Object.keys(states[0] ?? {})).toHaveLength(12);
    expect(states[1]).toEqual(states[0]);
  });

  it('take attention backwards a few heads at a time, with the same gradients', async () => {
    const shapes = { q: [2, 5, 4], k: [2, 6, 4], v: [2, 6, 4], g: [2, 5, 4] };
    const [q, k, v, g] = Object.entries(shapes).map(([name, shape]) => input(name, shape)) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const loss = sum(multiply(attention(q, k, v, { heads: 2 }), g));
    const [dq, dk, dv] = gradients(loss, [q, k, v]) as [Tensor, Tensor, Tensor];
    const random = randomStream(11);
    const feeds = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, normals(random, sizeOf(shape))]),
    );
    // One, two and all four heads' probabilities of 5 × 6 fit.
    for (const tile of [2, 4, 8]) await expectSame({ dq, dk, dv }, feeds, { least: 2 ** 20, tile });
  });
});
