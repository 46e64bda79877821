import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import {
  compile,
  constant,
  film,
  input,
  linearLayer,
  mlp,
  multiHeadAttention,
  ones,
  relu,
  Scope,
  silu,
  stochasticDepth,
  swiGlu,
  type Tensor,
  type TensorData,
  Variables,
} from '../../../src/tensor/index.ts';

const root = (): Scope => Scope.root({ random: randomStream(1) });
const x = input('x', [2, 3, 8]);
const feeds = { x: Float32Array.from({ length: 48 }, (_, i) => Math.sin(i)) };

async function values(y: Tensor, variables = new Variables(), seed?: number): Promise<Float32Array> {
  const program = await compile({ outputs: { y } }, { variables });
  const options = seed === undefined ? {} : { random: randomStream(seed) };
  const result = ((await program.run(feeds, options)).y as TensorData).values as Float32Array;
  await program.dispose();
  return result;
}

describe('layers', () => {
  it('name their parameters as timm does', () => {
    const scope = root();
    mlp(scope.in('mlp'), x, { hidden: 16 });
    multiHeadAttention(scope.in('attn'), x, { heads: 2 });
    swiGlu(scope.in('glu'), x, { hidden: 16 });
    film(scope.in('film'), input('context', [2, 8]), { hidden: 4, activation: relu });
    const shapes = Object.fromEntries(scope.parameters.map(({ name, shape }) => [name, shape]));
    expect(shapes).toMatchObject({
      'mlp.fc1.weight': [16, 8],
      'mlp.fc2.bias': [8],
      'attn.qkv.weight': [24, 8],
      'attn.proj.weight': [8, 8],
      'glu.fc1_g.weight': [16, 8],
      'glu.fc1_x.weight': [16, 8],
      'glu.fc2.weight': [8, 16],
      'film.mlp.0.weight': [4, 8],
      'film.mlp.2.weight': [16, 4],
    });
  });

  it('share parameters by name, and refuse a name in two shapes', () => {
    const scope = root();
    linearLayer(scope.in('a'), x, 4);
    linearLayer(scope.in('a'), x, 4);
    expect(scope.parameters).toHaveLength(2);
    expect(() => linearLayer(scope.in('a'), x, 5)).toThrow('a.weight is [4, 8], but a layer wants [5, 8]');
  });

  it('take a bias made elsewhere, also beside an adapter, and then make none', async () => {
    const plain = await values(linearLayer(root(), x, 4, { bias: false }));
    const scope = root();
    const bias = constant([1, -2, 3, 0.5]);
    const shifted = await values(linearLayer(scope.withLora({ rank: 2 }), x, 4, { bias }));
    expect(scope.parameters.map(({ name }) => name)).toEqual(['weight', 'lora_a', 'lora_b']);
    shifted.forEach((value, i) => {
      expect(value).toBeCloseTo((plain[i] as number) + ([1, -2, 3, 0.5][i % 4] as number), 5);
    });
    expect(() => linearLayer(scope, x, 4, { bias: constant([1, 2]) })).toThrow(/do not fit/);
  });

  it('draw initial values by name, whatever the order', async () => {
    const one = root();
    const other = root();
    linearLayer(other.in('b'), x, 4);
    const variables = new Variables();
    expect(await values(linearLayer(one.in('a'), x, 4))).toEqual(
      await values(linearLayer(other.in('a'), x, 4), variables),
    );
  });

  it('adapters change nothing until they are trained', async () => {
    const plain = await values(mlp(root(), x, { hidden: 16 }));
    const scope = root();
    const adapted = mlp(scope.withLora({ rank: 2 }), x, { hidden: 16 });
    const variables = new Variables();
    expect(await values(adapted, variables)).toEqual(plain);
    const up = scope.parameters.find(({ name }) => name === 'fc2.lora_b');
    variables.set(up as NonNullable<typeof up>, ones([8, 2], randomStream(0)));
    const moved = await values(adapted, variables);
    expect(moved).not.toEqual(plain);
    // Training adds the adapter to the weight first.
    const trained = mlp(scope.forTraining().withLora({ rank: 2 }), x, { hidden: 16 });
    expect(Array.from(await values(trained, variables))).toEqual(
      Array.from(moved, (value) => expect.closeTo(value, 5)),
    );
  });

  it('gate by SiLU in SwiGLU', async () => {
    const scope = root();
    const variables = new Variables();
    const [gate, value] = [silu(linearLayer(scope.in('fc1_g'), x, 8)), linearLayer(scope.in('fc1_x'), x, 8)];
    const y = swiGlu(scope, x, { hidden: 8 });
    const [g, v, out] = [
      await values(gate, variables),
      await values(value, variables),
      await values(y, variables),
    ];
    const weight = scope.parameters.find(({ name }) => name === 'fc2.weight');
    const bias = scope.parameters.find(({ name }) => name === 'fc2.bias');
    const w = variables.values(weight as NonNullable<typeof weight>) as Float32Array;
    const b = variables.values(bias as NonNullable<typeof bias>) as Float32Array;
    const want = b[0] as number;
    const dot = g
      .slice(0, 8)
      .reduce((total, value0, i) => total + value0 * (v[i] as number) * (w[i] as number), want);
    expect(out[0]).toBeCloseTo(dot, 5);
  });

  it('stochastic depth drops whole samples, and only in training', async () => {
    const scope = root();
    expect(stochasticDepth(scope, x, 0.5)).toBe(x);
    const y = stochasticDepth(scope.forTraining(), x, 0.5);
    const kinds = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const got = await values(y, new Variables(), seed);
      for (const sample of [0, 1]) {
        const part = got.slice(sample * 24, (sample + 1) * 24);
        const factor = (part[1] as number) / (feeds.x[sample * 24 + 1] as number);
        expect([0, 2].some((allowed) => Math.abs(factor - allowed) < 1e-6)).toBe(true);
        part.forEach((value, i) => {
          expect(value).toBeCloseTo(factor * (feeds.x[sample * 24 + i] as number), 5);
        });
        kinds.add(factor.toFixed());
      }
    }
    expect(kinds).toEqual(new Set(['0', '2']));
  });
});
