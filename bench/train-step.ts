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
import { startTorch } from './train-step/torch.ts';

/** ViT-B at 224 with patch 14, as the issue measures it. */
const SIZE = { batch: 4, tokens: 257, dim: 768, hidden: 3072, heads: 12, depth: 12 } as const;
const THREADS = 2;
const ROWS = SIZE.batch * SIZE.tokens;

/** Floating point operations of the matrix products of one forward pass; backward is twice that. */
const FORWARD_FLOPS =
  SIZE.depth * 2 * (ROWS * SIZE.dim * (4 * SIZE.dim + 2 * SIZE.hidden) + 2 * ROWS * SIZE.tokens * SIZE.dim);

/** A measured piece of work: `run` once, and how many floating point operations that is. */
interface Work {
  readonly name: string;
  readonly flops: number;
  readonly run: () => Promise<unknown>;
}

/**
 * Measures ViT-B training against the machine's own matrix product rate, and against PyTorch where it can be
 * imported. All of them take turns, a few runs each, and the best run of each counts, so that a busy machine
 * is fair to all. Takes about two minutes and 8 GiB.
 *
 * @returns `gemm_gflops`, `forward_fraction` and `step_fraction` of it, `int8_factor` (int8 over fp32 linear
 *   layers), `peak_mib`, `torch_ratio` (their step's time over ours; null without PyTorch)
 */
export async function run(): Promise<Record<string, number | null>> {
  const random = randomStream(1);
  const image = values(ROWS * SIZE.dim);
  const gemms = await products();
  const [single, int8] = (await fastest(gemms.works, { turns: 3, runs: 4 })) as [number, number];
  for (const program of gemms.programs) await program.dispose();
  const gemm = await matrixProduct();
  const forwardProgram = await forward(random);
  const training = await step(random);
  const torch = await startTorch(SIZE, THREADS);
  const stepFlops = 3 * FORWARD_FLOPS;
  const works: Work[] = [
    gemm.work,
    { name: 'forward', flops: FORWARD_FLOPS, run: () => forwardProgram.run({ x: image }) },
    { name: 'step', flops: stepFlops, run: () => training.run({ x: image }) },
    ...(torch ? [{ name: 'PyTorch', flops: stepFlops, run: torch.step }] : []),
  ];
  const rates = await fastest(works, { turns: 2, runs: 4 });
  const [gemmRate, forwardRate, stepRate, torchRate] = rates as [number, number, number, number?];
  torch?.close();
  for (const program of [forwardProgram, training.program, gemm.program]) await program.dispose();
  const peak = process.resourceUsage().maxRSS / 1024;
  const secondsAt = (rate: number): string => `${(stepFlops / rate / 1e9).toFixed(2)} s`;
  row('matrix product', gemmRate, '');
  row('forward', forwardRate, `${percent(forwardRate / gemmRate)} of the product's rate`);
  row(
    'AdamW step',
    stepRate,
    `${percent(stepRate / gemmRate)} of the product's rate, ${secondsAt(stepRate)}`,
  );
  row('int8 linear', int8, `${(int8 / single).toFixed(2)} times fp32`);
  if (torch && torchRate) {
    const times = `${(stepRate / torchRate).toFixed(2)} times ours`;
    row('PyTorch step', torchRate, `${secondsAt(torchRate)}, ${times}; ${torch.description}`);
  } else console.error('PyTorch           not importable');
  console.error(`peak memory       ${Math.round(peak)} MiB, without PyTorch's`);
  return {
    gemm_gflops: gemmRate,
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

/** Best GFLOP/s of each, after one run that does not count. */
async function fastest(
  works: readonly Work[],
  { turns, runs }: { readonly turns: number; readonly runs: number },
): Promise<number[]> {
  for (const work of works) await work.run();
  const best = works.map(() => Number.POSITIVE_INFINITY);
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, work] of works.entries()) {
      for (let count = 0; count < runs; count++) {
        const start = performance.now();
        await work.run();
        best[index] = Math.min(best[index] as number, performance.now() - start);
      }
    }
  }
  return works.map((work, index) => work.flops / (best[index] as number) / 1e6);
}

function values(count: number): Float32Array {
  const random = randomStream(count);
  return Float32Array.from({ length: count }, () => random.uniform() - 0.5);
}

const OPTIONS: CompileOptions = { threads: THREADS };

/**
 * The machine's rate: the MLP's own two products, one after the other for as long as a forward pass takes. They
 * are one program, because fetching a large result from each would cost a third of the rate.
 */
async function matrixProduct(): Promise<{ readonly work: Work; readonly program: Program }> {
  const [up, down] = [frozen('up', [SIZE.hidden, SIZE.dim]), frozen('down', [SIZE.dim, SIZE.hidden])];
  const pairs = 16;
  let y = input('a', [ROWS, SIZE.dim]);
  for (let pair = 0; pair < pairs; pair++) y = linear(linear(y, up), down);
  const program = await compile({ outputs: { y } }, OPTIONS);
  // Small numbers, so that sixteen pairs neither overflow nor vanish.
  const feeds = { a: values(ROWS * SIZE.dim).map((value) => value * 1e-16) };
  const flops = pairs * 4 * ROWS * SIZE.dim * SIZE.hidden;
  return { work: { name: 'product', flops, run: () => program.run(feeds) }, program };
}

function frozen(name: string, shape: readonly number[]): Parameter {
  const generate = () => values(shape.reduce((a, b) => a * b, 1));
  return parameter(name, { shape, trainable: false }, { from: 'generator', generate });
}

/** One MLP layer in single precision and with int8 weights. */
async function products(): Promise<{
  readonly works: readonly Work[];
  readonly programs: readonly Program[];
}> {
  const x = input('x', [ROWS, SIZE.dim]);
  const y = linear(x, frozen('w', [SIZE.hidden, SIZE.dim]));
  const feeds = { x: values(ROWS * SIZE.dim) };
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

async function forward(random: ReturnType<typeof randomStream>): Promise<Program> {
  const scope = Scope.root({ random, trainable: () => false });
  return compile({ outputs: { y: vitB(scope, tokens()) } }, OPTIONS);
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
