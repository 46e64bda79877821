import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import {
  adamW,
  add,
  type CompileOptions,
  checkpoint,
  compile,
  input,
  linear,
  linearLayer,
  loadTensors,
  meanSquaredError,
  mlp,
  multiply,
  type Parameter,
  parameterGroups,
  Scope,
  type StepSpec,
  type Tensor,
  type TensorData,
  Training,
  Variables,
  withoutDecayForSmall,
} from '../../../src/tensor/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { pictures } from '../pictures.ts';
import { convolutional, type Network, vit } from '../small-networks.ts';

const SIZE = 16;
const BATCH = 8;
const folder = temporaryFolder('autocast');

async function setUp(network: Network, spec: Partial<StepSpec>, options: CompileOptions): Promise<Training> {
  const scope = Scope.root({ random: randomStream(1) });
  const training = scope.forTraining();
  const predicted = network(training, input('image', [BATCH, 3, SIZE, SIZE]));
  const weights = scope.parameters.filter(({ trainable }) => trainable);
  return Training.compile(
    {
      loss: meanSquaredError(predicted, input('target', [BATCH, 1])),
      optimizer: adamW({ weightDecay: 0.01 }),
      groups: parameterGroups(weights, [withoutDecayForSmall]),
      random: randomStream(2),
      updates: training.updates,
      ...spec,
    },
    { threads: 1, ...options },
  );
}

const feedsOf = (step: number) => ({ ...pictures(randomStream(7).fork(step), BATCH, SIZE) });

async function losses(training: Training, steps = 6): Promise<number[]> {
  const found: number[] = [];
  for (let step = 0; step < steps; step++) found.push((await training.run(feedsOf(step), 3e-3)).loss);
  return found;
}

/** Losses of the first steps, and all variables after them. */
async function trained(network: Network, spec: Partial<StepSpec>, options: CompileOptions) {
  const training = await setUp(network, spec, options);
  const found = { losses: await losses(training), variables: copied(training) };
  await training.dispose();
  return found;
}

const copied = ({ variables }: Training): Record<string, TensorData> =>
  Object.fromEntries(
    Object.entries(variables.snapshot()).map(([name, data]) => [
      name,
      { ...data, values: data.values.slice() },
    ]),
  );

const FLOAT16 = { precision: 'float16' } as const;
const SCALED = { lossScaling: { initial: 1024 } };

describe('training with products in float16 on a CPU', () => {
  it.each([
    ['a ViT', vit],
    ['convolutions with batch norm', convolutional],
  ] as const)('follows single precision without being it: %s', async (_, network) => {
    const single = await trained(network, {}, {});
    const half = await trained(network, SCALED, FLOAT16);
    half.losses.forEach((loss, step) => {
      expect(Math.abs(loss / (single.losses[step] as number) - 1)).toBeLessThan(5e-3);
      expect(loss).not.toBe(single.losses[step]);
    });
    expect(Object.values(half.variables).every(({ dtype }) => dtype === 'float32')).toBe(true);
  });

  it('gives the same bits in tiles, and with every update by ONNX Runtime', async () => {
    const plain = await trained(vit, SCALED, { ...FLOAT16, tiles: false });
    expect(await trained(vit, SCALED, { ...FLOAT16, tiles: { least: 256, tile: 128 } })).toEqual(plain);
    expect(await trained(vit, SCALED, { ...FLOAT16, kernels: false })).toEqual(plain);
  });

  it('gives the same bits where a block is computed again for its gradient', async () => {
    const network =
      (again: boolean): Network =>
      (scope, image) => {
        const block = (x: Tensor): Tensor => add(x, mlp(scope.in('first'), x, { hidden: 24 }));
        return vit(scope.in('vit'), again ? checkpoint(block, image) : block(image));
      };
    expect(await trained(network(true), SCALED, FLOAT16)).toEqual(
      await trained(network(false), SCALED, FLOAT16),
    );
  });

  it('keeps what a factor would round to nothing', async () => {
    const x = input('x', [1, 1]);
    const y = multiply(linear(x, input('w', [1, 1])), 1e-8);
    const program = await compile({ outputs: { y } }, FLOAT16);
    const { y: result } = await program.run({ x: Float32Array.of(2), w: Float32Array.of(3) });
    await program.dispose();
    expect(result?.values[0]).toBe(Math.fround(6 * Math.fround(1e-8)));
  });

  it('is refused in one line where the provider lacks the type', async () => {
    const y = linear(input('x', [2, 3]), input('w', [4, 3]));
    await expect(compile({ outputs: { y } }, { precision: 'bfloat16' })).rejects.toThrow(
      /^ONNX Runtime cannot run this program on the CPU: .*; if it computes in half precision, use float32$/,
    );
  });
});

describe('scaling of the loss', () => {
  it('by a power of two changes no bit in single precision', async () => {
    const plain = await trained(vit, { clipNorm: 1 }, {});
    for (const initial of [2 ** 16, 2 ** -5]) {
      expect(await trained(vit, { clipNorm: 1, lossScaling: { initial } }, {})).toEqual(plain);
    }
  });

  it('finds its scale by the first batch, which is then not lost', async () => {
    const training = await setUp(vit, { lossScaling: { searches: true } }, FLOAT16);
    const { image, target } = feedsOf(1);
    const far = target.map(() => 1e3);
    expect(await training.run({ image, target: far }, 3e-3)).toMatchObject({ stepped: true });
    const result = await training.run({ image, target: far.map(() => 1e7) }, 3e-3);
    expect(result.stepped).toBe(false);
    expect(training.steps).toBe(1);
    await training.dispose();
  });

  it('starts at 2¹⁶, halves where gradients overflow, leaves that step out to the bit, and doubles after good ones', async () => {
    const spec = { lossScaling: { growthInterval: 2 }, averageDecay: 0.9 };
    const training = await setUp(vit, spec, FLOAT16);
    const state = async (): Promise<Readonly<Record<string, string>>> => {
      const path = join(folder, 'state.safetensors');
      await training.save(path);
      return (await loadTensors(path)).metadata;
    };
    const scaleNow = async (): Promise<number> => Number((await state()).lossScale);
    expect(await scaleNow()).toBe(65536);
    let scale = 65536;
    while (scale > 1 && !(await training.run(feedsOf(0), 3e-3)).stepped) {
      scale /= 2;
      expect(await state()).toMatchObject({ lossScale: String(scale), goodSteps: '0', steps: '0' });
    }
    expect(await state()).toMatchObject({ lossScale: String(scale), goodSteps: '1', steps: '1' });
    const before = copied(training);
    expect(Object.keys(before).some((name) => name.startsWith('adam.second/'))).toBe(true);
    expect(Object.keys(before).some((name) => name.startsWith('average/'))).toBe(true);
    // A target so far off that its gradient is more than halves hold.
    const { image, target } = feedsOf(1);
    const result = await training.run({ image, target: target.map(() => 1e7) }, 3e-3);
    expect(result.stepped).toBe(false);
    expect(Number.isFinite(result.loss)).toBe(true);
    expect(copied(training)).toEqual(before);
    expect(await state()).toMatchObject({ lossScale: String(scale / 2), goodSteps: '0', steps: '1' });
    for (const step of [1, 2]) expect((await training.run(feedsOf(step), 3e-3)).stepped).toBe(true);
    expect(copied(training)).not.toEqual(before);
    expect(await state()).toMatchObject({ lossScale: String(scale), goodSteps: '2', steps: '3' });
    await training.dispose();
  });
});

describe('a low-rank adapter in float16', () => {
  it('keeps an addition that its weight in halves has no digits for', async () => {
    const scope = Scope.root({ random: randomStream(1) })
      .withLora({ rank: 1 })
      .forTraining();
    const y = linearLayer(scope, input('x', [1, 2]), 1, { bias: false });
    const variables = new Variables();
    const [weight, down, up] = scope.parameters as readonly Parameter[] as [Parameter, Parameter, Parameter];
    // 1 + 2⁻¹³ is 1 in float16; 1 − 1 leaves what the adapter adds.
    variables.set(weight, Float32Array.of(1, -1));
    variables.set(down, Float32Array.of(2 ** -13, 2 ** -13));
    variables.set(up, Float32Array.of(1));
    for (const precision of ['float32', 'float16'] as const) {
      const program = await compile({ outputs: { y } }, { variables, precision });
      const results = await program.run({ x: Float32Array.of(1, 1) });
      expect(results.y?.values[0], precision).toBe(2 ** -12);
      await program.dispose();
    }
  });
});
