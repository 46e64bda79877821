import { spawnSync } from 'node:child_process';
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
 * imported. Takes about two minutes and 6 GiB.
 *
 * @returns `gemm_gflops`, `forward_fraction` and `step_fraction` of it, `int8_factor` (int8 over fp32 linear
 *   layers), `peak_mib`, `torch_ratio` (their step's time over ours; null without PyTorch)
 */
export async function run(): Promise<Record<string, number | null>> {
  const random = randomStream(1);
  const image = values(ROWS * SIZE.dim);
  const gemms = await products();
  const gemm = await matrixProduct();
  const forwardProgram = await forward(random);
  const training = await step(random);
  const works: Work[] = [
    gemm.work,
    { name: 'forward', flops: FORWARD_FLOPS, run: () => forwardProgram.run({ x: image }) },
    { name: 'step', flops: 3 * FORWARD_FLOPS, run: () => training.run({ x: image }) },
  ];
  const [gemmRate, forwardRate, stepRate] = (await fastest(works, 8)) as [number, number, number];
  await forwardProgram.dispose();
  await training.program.dispose();
  await gemm.program.dispose();
  const [single, int8] = (await fastest(gemms.works, 12)) as [number, number];
  for (const program of gemms.programs) await program.dispose();
  const peak = process.resourceUsage().maxRSS / 1024;
  const ours = (3 * FORWARD_FLOPS) / stepRate / 1e9;
  const theirs = torchStepSeconds();
  row('matrix product', gemmRate, '');
  row('forward', forwardRate, `${percent(forwardRate / gemmRate)} of the product's rate`);
  row('AdamW step', stepRate, `${percent(stepRate / gemmRate)} of the product's rate, ${ours.toFixed(2)} s`);
  row('int8 linear', int8, `${(int8 / single).toFixed(2)} times fp32`);
  console.error(`peak memory       ${Math.round(peak)} MiB`);
  console.error(
    theirs === null
      ? 'PyTorch           not importable'
      : `PyTorch step      ${theirs.toFixed(2)} s, ${(theirs / ours).toFixed(2)} times ours`,
  );
  return {
    gemm_gflops: gemmRate,
    forward_fraction: forwardRate / gemmRate,
    step_fraction: stepRate / gemmRate,
    int8_factor: int8 / single,
    peak_mib: peak,
    torch_ratio: theirs === null ? null : theirs / ours,
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function row(name: string, gflops: number, remark: string): void {
  console.error(`${name.padEnd(18)}${gflops.toFixed(0).padStart(5)} GFLOP/s  ${remark}`);
}

/** Best GFLOP/s of each; turns are taken, so that a busy machine slows all of them alike. */
async function fastest(works: readonly Work[], rounds: number): Promise<number[]> {
  for (const work of works) await work.run();
  const best = works.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [index, work] of works.entries()) {
      const start = performance.now();
      await work.run();
      best[index] = Math.min(best[index] as number, performance.now() - start);
    }
  }
  return works.map((work, index) => work.flops / (best[index] as number) / 1e6);
}

function values(count: number): Float32Array {
  const random = randomStream(count);
  return Float32Array.from({ length: count }, () => random.uniform() - 0.5);
}

const OPTIONS: CompileOptions = { threads: THREADS };

/** The machine's rate: the MLP's own product, repeated for as long as a forward pass takes. */
async function matrixProduct(): Promise<{ readonly work: Work; readonly program: Program }> {
  const a = input('a', [ROWS, SIZE.dim]);
  const program = await compile({ outputs: { y: linear(a, frozen('b', [SIZE.hidden, SIZE.dim])) } }, OPTIONS);
  const feeds = { a: values(ROWS * SIZE.dim) };
  const repeats = 16;
  const run = async (): Promise<void> => {
    for (let i = 0; i < repeats; i++) await program.run(feeds);
  };
  return { work: { name: 'product', flops: repeats * 2 * ROWS * SIZE.dim * SIZE.hidden, run }, program };
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

const TORCH_PROGRAM = `
import time, torch
from torch import nn
torch.set_num_threads(${THREADS})
class Block(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(d, eps=1e-6), nn.LayerNorm(d, eps=1e-6)
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.mlp = nn.Sequential(nn.Linear(d, ${SIZE.hidden}), nn.GELU(), nn.Linear(${SIZE.hidden}, d))
        self.h = h
    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.n1(x)).reshape(b, n, 3, self.h, d // self.h).permute(2, 0, 3, 1, 4)
        if hasattr(nn.functional, 'scaled_dot_product_attention'):
            a = nn.functional.scaled_dot_product_attention(q, k, v)
        else:
            a = ((q * (d // self.h) ** -0.5) @ k.transpose(-2, -1)).softmax(-1) @ v
        x = x + self.proj(a.transpose(1, 2).reshape(b, n, d))
        return x + self.mlp(self.n2(x))
model = nn.Sequential(*[Block(${SIZE.dim}, ${SIZE.heads}) for _ in range(${SIZE.depth})])
opt = torch.optim.AdamW(model.parameters(), lr=1e-4)
x = torch.randn(${SIZE.batch}, ${SIZE.tokens}, ${SIZE.dim})
best = 1e9
for i in range(4):
    t = time.time()
    opt.zero_grad()
    model(x).square().mean().backward()
    opt.step()
    if i: best = min(best, time.time() - t)
print(best)
`;

/** Seconds of the same step in PyTorch, or null where no Python on this machine has it. */
function torchStepSeconds(): number | null {
  for (const python of ['python3', '/usr/bin/python3']) {
    if (spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status !== 0) continue;
    const result = spawnSync(python, ['-c', TORCH_PROGRAM], { encoding: 'utf8' });
    const seconds = Number(result.stdout.trim());
    if (result.status === 0 && seconds > 0) return seconds;
  }
  return null;
}
