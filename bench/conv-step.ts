import { setTimeout } from 'node:timers/promises';
import { randomStream } from '../src/ground/random.ts';
import {
  adamW,
  compile,
  gradients,
  input,
  mean,
  multiply,
  type Program,
  parametersOf,
  Scope,
  type Tensor,
} from '../src/tensor/index.ts';
import { makeBackbone } from '../src/vision/backbones/index.ts';
import { type ConvolutionalStep, startTorch } from './conv-step/torch.ts';
import { median } from './median.ts';
import { matrixOperations } from './yardstick/operations.ts';
import { noise } from './yardstick/own-products.ts';

const THREADS = 2;
const ROUNDS = 5;

/** The threads of the work before wait busily for more of it, for a while. */
const SETTLING_MS = 100;

interface Net extends ConvolutionalStep {
  readonly name: string;
  readonly arch: string;
  readonly config: object;
}

const NETS: readonly Net[] = [
  {
    name: 'EfficientNet-B4 320',
    arch: 'efficientnet',
    config: { variant: 'efficientnet_b4', channelMultiplier: 1.4, depthMultiplier: 1.8 },
    timm: 'efficientnet_b4',
    batch: 4,
    side: 320,
  },
  {
    name: 'ConvNeXt-T 224',
    arch: 'convnext',
    config: { depths: [3, 3, 9, 3], dims: [96, 192, 384, 768] },
    timm: 'convnext_tiny',
    batch: 8,
    side: 224,
  },
];

/** One net's training on both sides, medians of steps that took turns. */
interface Row {
  readonly name: string;
  /** Of a step of AdamW over all weights. */
  readonly seconds: number;
  /** Of the convolutions and products, forward and backward. */
  readonly gflops: number;
  /** PyTorch's seconds over ours; null where torch or timm cannot be imported. */
  readonly torch_ratio: number | null;
  readonly torch_bf16_ratio: number | null;
}

/**
 * Measures the training of convolutional networks beside PyTorch and timm, in single precision and under bfloat16
 * autocast. `SWARD_BENCH` (a regular expression) chooses some by name. Takes about a minute a net.
 */
export async function run(): Promise<{ readonly rows: readonly Row[] }> {
  const wanted = new RegExp(process.env.SWARD_BENCH ?? '', 'i');
  const rows: Row[] = [];
  for (const net of NETS.filter(({ name }) => wanted.test(name))) {
    const row = await measured(net);
    console.error(shown(row));
    rows.push(row);
  }
  return { rows };
}

async function measured(net: Net): Promise<Row> {
  const ours = await training(net);
  const fp32 = await startTorch(net, false, THREADS);
  const bf16 = await startTorch(net, true, THREADS);
  const works = [ours.step, ...[fp32, bf16].flatMap((torch) => torch?.step ?? [])];
  const times = works.map((): number[] => []);
  for (const work of works) await work();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, work] of works.entries()) {
      await setTimeout(SETTLING_MS);
      const start = performance.now();
      await work();
      times[index]?.push((performance.now() - start) / 1000);
    }
  }
  for (const torch of [fp32, bf16]) torch?.close();
  await ours.program.dispose();
  const [seconds = Number.NaN, single, half] = times.map(median);
  return {
    name: net.name,
    seconds,
    gflops: ours.operations / seconds / 1e9,
    torch_ratio: single === undefined ? null : single / seconds,
    torch_bf16_ratio: half === undefined ? null : half / seconds,
  };
}

interface OurTraining {
  readonly program: Program;
  readonly operations: number;
  readonly step: () => Promise<unknown>;
}

/** A step with the batch's own statistics and nothing frozen, as timm's module in training. */
async function training({ arch, config, batch, side }: Net): Promise<OurTraining> {
  const scope = Scope.root({ random: randomStream(1) }).forTraining();
  const images = input('images', [batch, 3, side, side]);
  const { pooled } = makeBackbone(arch, config).forward(scope, images, { batchStatistics: true });
  const loss = mean(multiply(pooled, pooled));
  const weights = parametersOf([pooled]).filter(({ trainable }) => trainable);
  const slopes = gradients(loss, weights);
  const optimizer = adamW();
  const updates = weights.flatMap((weight, index) =>
    optimizer.updates(weight, slopes[index] as Tensor, { parameters: weights }),
  );
  const program = await compile(
    { outputs: { loss }, updates: [...updates, ...scope.updates] },
    { threads: THREADS },
  );
  const feeds = { images: noise(images.shape) };
  const random = randomStream(2);
  let count = 0;
  return {
    program,
    // Each product has two in the backward pass: one for either factor.
    operations: 3 * matrixOperations(pooled),
    step: () => {
      count += 1;
      return program.run({ ...feeds, ...optimizer.scalars({ step: count, rate: 1e-4 }) }, { random });
    },
  };
}

const times = (ratio: number | null): string =>
  ratio === null ? 'not importable' : `${ratio.toFixed(2)} times`;

const shown = ({ name, seconds, gflops, torch_ratio, torch_bf16_ratio }: Row): string =>
  `${name.padEnd(22)}${seconds.toFixed(2).padStart(6)} s, ${gflops.toFixed(0)} GFLOP/s; PyTorch takes ` +
  `${times(torch_ratio)} as long, under bf16 autocast ${times(torch_bf16_ratio)}`;
