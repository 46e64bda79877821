import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import {
  checkpoint,
  compile,
  gradients,
  input,
  linearLayer,
  meanSquaredError,
  mlp,
  type Parameter,
  Scope,
  type Tensor,
  Variables,
} from '../../../src/tensor/index.ts';
import { pictures } from '../pictures.ts';
import { tinyVit } from '../tiny-vit.ts';

const ROWS = 96;
const WIDTH = 64;

const numbers = (count: number, seed: number, scale = 1): Float32Array => {
  const random = randomStream(seed);
  return Float32Array.from({ length: count }, () => scale * random.normal());
};

const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let [product, left, right] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    product += x * y;
    left += x * x;
    right += y * y;
  }
  return product / Math.sqrt(left * right);
};

/** What an MLP gives and what its gradients are, in both precisions. */
async function both(
  scope: Scope,
  build: (x: Tensor) => Tensor,
  fed: Float32Array,
  variables = new Variables(),
): Promise<Record<'float32' | 'int8', Record<string, Float32Array>>> {
  const x = input('x', [ROWS, WIDTH]);
  const y = build(x);
  const target = input('target', [ROWS, WIDTH]);
  const weights = scope.parameters.filter(({ trainable }) => trainable);
  const found = gradients(meanSquaredError(y, target), [x, ...weights]);
  const named = Object.fromEntries(
    found.map((gradient, index) => [`d ${[x, ...weights][index]?.label}`, gradient]),
  );
  const run = async (precision: 'float32' | 'int8') => {
    const program = await compile({ outputs: { y, ...named } }, { threads: 1, precision, variables });
    const results = await program.run({ x: fed, target: numbers(ROWS * WIDTH, 9) });
    await program.dispose();
    return Object.fromEntries(
      Object.entries(results).map(([name, { values }]) => [name, values as Float32Array]),
    );
  };
  return { float32: await run('float32'), int8: await run('int8') };
}

/** The least cosine of all results, and whether each was rounded at all. */
function expectNear(
  { float32, int8 }: Record<'float32' | 'int8', Record<string, Float32Array>>,
  least: number,
): void {
  for (const [name, exact] of Object.entries(float32)) {
    const rounded = int8[name] as Float32Array;
    expect(cosine(rounded, exact), name).toBeGreaterThan(least);
    expect(rounded, name).not.toEqual(exact);
  }
}

const block = (scope: Scope) => (x: Tensor) => mlp(scope, x, { hidden: 128 });

describe('products in int8', () => {
  it.each([
    ['trained', () => Scope.root({ random: randomStream(1) })],
    ['frozen', () => Scope.root({ random: randomStream(1), trainable: () => false })],
  ])('give results and gradients of %s weights near those of float32', async (_, make) => {
    const scope = make();
    expectNear(await both(scope, block(scope), numbers(ROWS * WIDTH, 2)), 0.9995);
  });

  it('leave adapters in float32, however small they are beside their weight', async () => {
    const root = Scope.root({ random: randomStream(1), trainable: (name) => name.includes('lora_') });
    const scope = root.withLora({ rank: 4 }).forTraining();
    const build = (x: Tensor) => linearLayer(scope, x, WIDTH);
    const x = input('x', [ROWS, WIDTH]);
    const y = build(x);
    const variables = new Variables();
    const program = await compile({ outputs: { y } }, { threads: 1, precision: 'int8', variables });
    const fed = { x: numbers(ROWS * WIDTH, 2) };
    const before = (await program.run(fed)).y?.values as Float32Array;
    const up = scope.parameters.find(({ name }) => name.endsWith('lora_b')) as Parameter;
    variables.set(up, numbers(WIDTH * 4, 3, 1e-5));
    const after = (await program.run(fed)).y?.values as Float32Array;
    const exact = await compile({ outputs: { y } }, { threads: 1, variables });
    const whole = (await exact.run(fed)).y?.values as Float32Array;
    variables.set(up, new Float32Array(WIDTH * 4));
    const plain = (await exact.run(fed)).y?.values as Float32Array;
    const moved = after.map((value, i) => value - (before[i] as number));
    expect(
      cosine(
        moved,
        whole.map((value, i) => value - (plain[i] as number)),
      ),
    ).toBeGreaterThan(0.99);
    variables.set(up, numbers(WIDTH * 4, 3, 0.1));
    expectNear(await both(scope, build, fed.x, variables), 0.9995);
    await Promise.all([program.dispose(), exact.dispose()]);
  });

  it('round each row by its own peak: one of a thousand times the size, or of zeros, spoils no other', async () => {
    const scope = Scope.root({ random: randomStream(1), trainable: () => false });
    const fed = numbers(ROWS * WIDTH, 2);
    fed.subarray(0, WIDTH).forEach((value, i) => {
      fed[i] = 1000 * value;
    });
    fed.fill(0, WIDTH, 2 * WIDTH);
    const { float32, int8 } = await both(scope, (x) => linearLayer(scope, x, WIDTH), fed);
    for (let row = 0; row < ROWS; row++) {
      const of = (all: Float32Array | undefined) => all?.subarray(row * WIDTH, (row + 1) * WIDTH) ?? [];
      expect(cosine(of(int8.y), of(float32.y)), `row ${row}`).toBeGreaterThan(0.999);
      expect(cosine(of(int8['d x']), of(float32['d x'])), `gradient of row ${row}`).toBeGreaterThan(0.999);
    }
  });

  it('reach into checkpointed blocks, with the same numbers', async () => {
    const scope = Scope.root({ random: randomStream(1) });
    const fed = numbers(ROWS * WIDTH, 2);
    const { int8: plain } = await both(scope, block(scope), fed);
    const { int8: again } = await both(scope, (x) => checkpoint(block(scope), x), fed);
    expect(again).toEqual(plain);
  });

  it('keep the direction of every gradient of a whole ViT', async () => {
    const batch = 8;
    const scope = Scope.root({ random: randomStream(1) });
    const cls = tinyVit(scope, input('image', [batch, 3, 32, 32]), { patch: 4, dim: 32, depth: 3, heads: 2 });
    const predicted = linearLayer(scope.in('head'), cls, 1);
    const loss = meanSquaredError(predicted, input('target', [batch, 1]));
    const weights = scope.parameters.filter(({ trainable }) => trainable);
    const found = gradients(loss, weights);
    const outputs = Object.fromEntries(
      weights.map(({ name }, index) => [`d ${name}`, found[index] as Tensor]),
    );
    const variables = new Variables();
    const run = async (precision: 'float32' | 'int8') => {
      const program = await compile({ outputs }, { threads: 1, precision, variables });
      const results = await program.run({ ...pictures(randomStream(7), batch, 32) });
      await program.dispose();
      return results;
    };
    const [exact, rounded] = [await run('float32'), await run('int8')];
    const cosines = Object.entries(exact).map(([name, { values }]) => ({
      name,
      cosine: cosine(values as Float32Array, rounded[name]?.values as Float32Array),
      size: Math.hypot(...(values as Float32Array)),
    }));
    for (const { name, cosine: found, size } of cosines)
      if (size > 1e-6) expect(found, name).toBeGreaterThan(0.9995);
    expect(cosines.some(({ cosine: found }) => found < 1 - 1e-6)).toBe(true);
  });
});
