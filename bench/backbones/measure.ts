import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '../../src/ground/random.ts';
import {
  compile,
  input,
  linear,
  openSafetensors,
  type Parameter,
  type Program,
  parameter,
  Scope,
  sizeOf,
} from '../../src/tensor/index.ts';
import { backboneParameters, checkWeights, makeBackbone } from '../../src/vision/backbones/index.ts';
import { MODELS, type Model, THREADS } from './models.ts';
import { matrixOperations } from './operations.ts';
import { writeRandomWeights } from './random-weights.ts';

/** How long each of the alternating pieces of work is measured for at least, and how often at most. */
const ENOUGH_SECONDS = 8;
const ROUNDS = 12;
const LEAST_ROUNDS = 3;

/** The machine's rate is that of the MLP of a ViT-L at 518. */
const PRODUCT = { rows: 1370, inner: 1024, columns: 4096 } as const;

/** What one backbone reaches. */
export interface Figures {
  readonly name: string;
  /** Of one picture through the backbone, in single precision. */
  readonly seconds: number;
  /** Its rate over that of one large matrix product, measured in turns with it. */
  readonly gemm_fraction: number;
  /** Seconds in single precision over seconds with int8 weights. */
  readonly int8_factor: number;
  /** Peak memory of a process that only runs it in single precision, the whole file of weights included. */
  readonly peak_mib: number;
  /** From opening the file of weights to a program that can run. */
  readonly start_seconds: number;
}

/** Measures one model with random weights, which are written to a temporary file first. */
async function measure(model: Model): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'sward-bench-'));
  try {
    const path = join(folder, 'model.safetensors');
    const backbone = makeBackbone(model.arch, model.config);
    await writeRandomWeights(path, backboneParameters(backbone));
    const images = input('images', [1, 3, ...model.size]);
    const started = performance.now();
    const weights = await openSafetensors(path);
    checkWeights(backbone, weights);
    const scope = Scope.root({ random: randomStream(1), trainable: () => false }).from(weights);
    const { pooled } = backbone.forward(scope, images);
    const single = await compile({ outputs: { pooled } }, { threads: THREADS });
    const startSeconds = (performance.now() - started) / 1000;
    const feeds = { images: noise(images.shape) };
    const forward = (program: Program) => () => program.run(feeds);
    const alone = await timed([forward(single)]);
    // The weights are mapped from the file, and the system may drop and reread them as it likes.
    const peak = process.resourceUsage().maxRSS / 1024 + (await stat(path)).size / 2 ** 20;
    const operations = matrixOperations(pooled);
    const product = await matrixProduct(operations);
    const beside = await timed([forward(single), product.run]);
    await product.program.dispose();
    const quantized = await compile(
      { outputs: { pooled } },
      { threads: THREADS, quantize: { weights: 'int8' } },
    );
    const again = await timed([forward(single), forward(quantized)]);
    await single.dispose();
    await quantized.dispose();
    return {
      name: model.name,
      seconds: Math.min(least(alone), least(beside), least(again)),
      gemm_fraction: operations / product.operations / ratio(beside),
      int8_factor: ratio(again),
      peak_mib: peak,
      start_seconds: startSeconds,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Seconds of each piece of work, round by round; turns are taken, so that a busy machine slows all alike. */
async function timed(works: readonly (() => Promise<unknown>)[]): Promise<number[][]> {
  for (const work of works) await work();
  const rounds: number[][] = [];
  const end = performance.now() + ENOUGH_SECONDS * 1000;
  while (rounds.length < ROUNDS && (rounds.length < LEAST_ROUNDS || performance.now() < end)) {
    const round: number[] = [];
    for (const work of works) {
      const start = performance.now();
      await work();
      round.push((performance.now() - start) / 1000);
    }
    rounds.push(round);
  }
  return rounds;
}

const least = (rounds: readonly (readonly number[])[]): number =>
  Math.min(...rounds.map(([first = Number.NaN]) => first));

/** The first's seconds over the second's: the median of all rounds, which a disturbance of one does not move. */
function ratio(rounds: readonly (readonly number[])[]): number {
  const all = rounds.map(([first = Number.NaN, second = Number.NaN]) => first / second);
  const sorted = all.sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}

/**
 * The two products of an MLP, one after the other for as many operations as the backbone has, so that
 * disturbances meet both alike. They are one program: fetching a large result from each would cost a fifth of
 * the rate.
 */
async function matrixProduct(atLeast: number): Promise<{
  readonly program: Program;
  readonly operations: number;
  readonly run: () => Promise<unknown>;
}> {
  const { rows, inner, columns } = PRODUCT;
  const perPair = 4 * rows * inner * columns;
  const pairs = Math.ceil(atLeast / perPair);
  const [up, down] = [evenGain('up', [columns, inner]), evenGain('down', [inner, columns])];
  let y = input('a', [rows, inner]);
  for (let pair = 0; pair < pairs; pair++) y = linear(linear(y, up), down);
  const program = await compile({ outputs: { y } }, { threads: THREADS });
  const feeds = { a: noise([rows, inner]) };
  return { program, operations: pairs * perPair, run: () => program.run(feeds) };
}

/** A random matrix [out, in] whose products neither grow nor vanish, however many follow one another. */
function evenGain(name: string, shape: readonly [number, number]): Parameter {
  const gain = Math.sqrt(12 / shape[1]);
  const generate = () => noise(shape).map((value) => gain * value);
  return parameter(name, { shape, trainable: false }, { from: 'generator', generate });
}

function noise(shape: readonly number[]): Float32Array {
  const random = randomStream(sizeOf(shape));
  return Float32Array.from({ length: sizeOf(shape) }, () => random.uniform() - 0.5);
}

const model = MODELS.find(({ name }) => name === process.argv[2]);
if (model === undefined) throw new Error(`no such model: ${process.argv[2]}`);
process.stdout.write(JSON.stringify(await measure(model)));
