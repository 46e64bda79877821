import { setTimeout } from 'node:timers/promises';
import { randomStream } from '../src/ground/random.ts';
import {
  adamW,
  add,
  attention,
  type CompileOptions,
  compile,
  type Feed,
  gelu,
  gradients,
  input,
  layerNormLayer,
  linear,
  linearLayer,
  mean,
  multiply,
  type Parameter,
  type Program,
  parameter,
  parametersOf,
  Scope,
  splitEvenly,
  type Tensor,
  truncatedNormal,
} from '../src/tensor/index.ts';
import { median } from './median.ts';
import { startTorch } from './train-step/torch.ts';
import { matrixOperations } from './yardstick/operations.ts';
import { noise, ownProducts } from './yardstick/own-products.ts';

/** ViT-B at 224 with patch 14, as the issue measures it. */
const SIZE = { batch: 4, tokens: 257, dim: 768, hidden: 3072, heads: 12, depth: 12 } as const;
const THREADS = 2;
const ROWS = SIZE.batch * SIZE.tokens;

/** A measured piece of work: `run` once, and how many floating point operations that is. */
interface Work {
  readonly name: string;
  readonly flops: number;
  readonly run: () => Promise<unknown>;
}

/**
 * Measures ViT-B training against the rate at which ONNX Runtime does this model's own matrix products and
 * nothing else, and against PyTorch where it can be imported. All of them take turns, a few runs each, and the
 * median of each counts, so that a busy machine is fair to all. Takes about five minutes and 7 GiB.
 *
 * @returns `gemm_gflops` (the forward pass's products, each with its own weight, in one program),
 *   `repeated_gflops` (one weight again and again), `forward_fraction` and `step_fraction` of
 *   `gemm_gflops`, `int8_factor` (int8 over fp32 linear layers), `peak_mib` (of the model for inference and the
 *   one for training together), `torch_ratio` (their step's time over ours; null without PyTorch)
 */
export async function run(): Promise<Record<string, number | null>> {
  const random = randomStream(1);
  const image = noise([ROWS, SIZE.dim]);
  const gemms = await products();
  const [single, int8] = (await typical(gemms.works, { turns: 5, runs: 4 })) as [number, number];
  for (const program of gemms.programs) await program.dispose();
  const y = vitB(Scope.root({ random, trainable: () => false }), tokens());
  const forwardProgram = await compile({ outputs: { y } }, OPTIONS);
  const training = await step(random);
  for (let count = 0; count < 2; count++) await training.run({ x: image });
  const peak = process.resourceUsage().maxRSS / 1024;
  const own = ownProducts(y);
  const productsProgram = await compile({ outputs: { y: own.y } }, OPTIONS);
  const again = await repeatedProduct();
  const torch = await startTorch(SIZE, THREADS);
  // Each product has two in the backward pass: one for either factor.
  const stepFlops = 3 * matrixOperations(y);
  const works: Work[] = [
    { name: 'products', flops: own.operations, run: () => productsProgram.run(own.feeds) },
    again.work,
    { name: 'forward', flops: matrixOperations(y), run: () => forwardProgram.run({ x: image }) },
    { name: 'step', flops: stepFlops, run: () => training.run({ x: image }) },
    ...(torch ? [{ name: 'PyTorch', flops: stepFlops, run: torch.step }] : []),
  ];
  const rates = await typical(works, { turns: 5, runs: 2 });
  const [gemmRate, againRate, forwardRate, stepRate, torchRate] = rates as [
    number,
    number,
    number,
    number,
    number?,
  ];
  torch?.close();
  const programs = [productsProgram, again.program, forwardProgram, training.program];
  for (const program of programs) await program.dispose();
  const secondsAt = (rate: number): string => `${(stepFlops / rate / 1e9).toFixed(2)} s`;
  row('own products', gemmRate, 'the forward pass without anything else');
  row('one product', againRate, 'with the same weight again and again');
  row('forward', forwardRate, `${percent(forwardRate / gemmRate)} of its own products' rate`);
  row('AdamW step', stepRate, `${percent(stepRate / gemmRate)} of that rate, ${secondsAt(stepRate)}`);
  row('int8 linear', int8, `${(int8 / single).toFixed(2)} times fp32`);
  if (torch && torchRate) {
    const times = `${(stepRate / torchRate).toFixed(2)} times ours`;
    row('PyTorch step', torchRate, `${secondsAt(torchRate)}, ${times}; ${torch.description}`);
  } else console.error('PyTorch           not importable');
  console.error(`peak memory       ${Math.round(peak)} MiB, without the products' and PyTorch's`);
  return {
    gemm_gflops: gemmRate,
    repeated_gflops: againRate,
    forward_fraction: forwardRate / gemmRate,
    step_fraction: stepRate / gemmRate,
    int8_factor: int8 / single,
    peak_mib: peak,
    torch_ratio: torchRate ? stepRate / torchRate : null,
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function row(name: string, gflops: number, remark: string): void {
  console.error(`${name.padEnd(18)}${gflops.toFixed(0).padStart(5)} GFLOP/s  ${remark}`);
}

const SETTLING_MS = 100;

/**
 * GFLOP/s of each, taking turns: the median of all runs but the first of every turn. The best run would flatter
 * short pieces of work, which fit between two disturbances of a shared machine more often than long ones.
 */
async function typical(
  works: readonly Work[],
  { turns, runs }: { readonly turns: number; readonly runs: number },
): Promise<number[]> {
  const times = works.map((): number[] => []);
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, work] of works.entries()) {
      // The threads of the work before wait busily for more of it, for a while.
      await setTimeout(SETTLING_MS);
      await work.run();
      for (let count = 0; count < runs; count++) {
        const start = performance.now();
        await work.run();
        (times[index] as number[]).push(performance.now() - start);
      }
    }
  }
  return works.map((work, index) => work.flops / median(times[index] as number[]) / 1e6);
}

const OPTIONS: CompileOptions = { threads: THREADS };

/** The MLP's two products with two weights that stay in the cache: the most that the machine can do. */
async function repeatedProduct(): Promise<{ readonly work: Work; readonly program: Program }> {
  const [up, down] = [frozen('up', [SIZE.hidden, SIZE.dim]), frozen('down', [SIZE.dim, SIZE.hidden])];
  const pairs = 16;
  let y = input('a', [ROWS, SIZE.dim]);
  for (let pair = 0; pair < pairs; pair++) y = linear(linear(y, up), down);
  const program = await compile({ outputs: { y } }, OPTIONS);
  // Small numbers, so that sixteen pairs neither overflow nor vanish.
  const feeds = { a: noise([ROWS, SIZE.dim]).map((value) => value * 1e-16) };
  const flops = pairs * 4 * ROWS * SIZE.dim * SIZE.hidden;
  return { work: { name: 'one product', flops, run: () => program.run(feeds) }, program };
}

function frozen(name: string, shape: readonly number[]): Parameter {
  const generate = () => noise(shape);
  return parameter(name, { shape, trainable: false }, { from: 'generator', generate });
}

/** One MLP layer in single precision and with int8 weights. */
async function products(): Promise<{
  readonly works: readonly Work[];
  readonly programs: readonly Program[];
}> {
  const x = input('x', [ROWS, SIZE.dim]);
  const y = linear(x, frozen('w', [SIZE.hidden, SIZE.dim]));
  const feeds = { x: noise([ROWS, SIZE.dim]) };
  const flops = 2 * ROWS * SIZE.dim * SIZE.hidden;
  const single = await compile({ outputs: { y } }, OPTIONS);
  const int8 = await compile({ outputs: { y } }, { ...OPTIONS, quantize: { weights: 'int8' } });
  return {
    works: [
      { name: 'fp32', flops, run: () => single.run(feeds) },
      { name: 'int8', flops, run: () => int8.run(feeds) },
    ],
    programs: [single, int8],
  };
}

function vitB(scope: Scope, x: Tensor): Tensor {
  let h = x;
  for (let index = 0; index < SIZE.depth; index++) h = block(scope.in('blocks').in(index), h);
  return h;
}

function block(scope: Scope, x: Tensor): Tensor {
  const layer = (name: string, from: Tensor, out: number): Tensor =>
    linearLayer(scope.in(name), from, out, { weightInitializer: truncatedNormal() });
  const qkv = layer('attn.qkv', layerNormLayer(scope.in('norm1'), x, 1e-6), 3 * SIZE.dim);
  const [q, k, v] = splitEvenly(qkv, 3, -1) as [Tensor, Tensor, Tensor];
  const mixed = add(x, layer('attn.proj', attention(q, k, v, { heads: SIZE.heads }), SIZE.dim));
  const inside = gelu(layer('mlp.fc1', layerNormLayer(scope.in('norm2'), mixed, 1e-6), SIZE.hidden));
  return add(mixed, layer('mlp.fc2', inside, SIZE.dim));
}

const tokens = (): Tensor => input('x', [SIZE.batch, SIZE.tokens, SIZE.dim]);

async function step(random: ReturnType<typeof randomStream>): Promise<{
  readonly program: Program;
  readonly run: (feeds: Readonly<Record<string, Feed>>) => Promise<unknown>;
}> {
  const y = vitB(Scope.root({ random }), tokens());
  const loss = mean(multiply(y, y));
  const weights = parametersOf([y]);
  const slopes = gradients(loss, weights);
  const optimizer = adamW();
  const updates = weights.flatMap((weight, index) =>
    optimizer.updates(weight, slopes[index] as Tensor, { parameters: weights }),
  );
  const program = await compile({ outputs: { loss }, updates }, OPTIONS);
  let count = 0;
  return {
    program,
    run: (feeds) => {
      count += 1;
      return program.run({ ...feeds, ...optimizer.scalars({ step: count, rate: 1e-4 }) });
    },
  };
}
