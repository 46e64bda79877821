import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '../../src/ground/random.ts';
import { compile, input, openSafetensors, type Program, Scope } from '../../src/tensor/index.ts';
import { backboneParameters, checkWeights, makeBackbone } from '../../src/vision/backbones/index.ts';
import { median } from '../median.ts';
import { matrixOperations } from '../yardstick/operations.ts';
import { noise, ownProducts } from '../yardstick/own-products.ts';
import { MODELS, type Model, THREADS } from './models.ts';
import { writeRandomWeights } from './random-weights.ts';

/** How long each of the alternating pieces of work is measured for at least, and how often at most. */
const ENOUGH_SECONDS = 8;
const ROUNDS = 12;
const LEAST_ROUNDS = 3;

/** What one backbone reaches. */
export interface Figures {
  readonly name: string;
  /** Of one picture through the backbone, in single precision. */
  readonly seconds: number;
  /** Its rate over that of its own matrix products and nothing else, measured in turns with them. */
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
    const own = ownProducts(pooled);
    const products = await compile({ outputs: { y: own.y } }, { threads: THREADS });
    const beside = await timed([forward(single), () => products.run(own.feeds)]);
    await products.dispose();
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
      gemm_fraction: matrixOperations(pooled) / own.operations / ratio(beside),
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
const ratio = (rounds: readonly (readonly number[])[]): number =>
  median(rounds.map(([first = Number.NaN, second = Number.NaN]) => first / second));

const model = MODELS.find(({ name }) => name === process.argv[2]);
if (model === undefined) throw new Error(`no such model: ${process.argv[2]}`);
process.stdout.write(JSON.stringify(await measure(model)));
