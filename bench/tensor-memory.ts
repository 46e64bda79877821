import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { randomStream } from '../src/ground/random.ts';
import {
  adamW,
  compile,
  input,
  layerNormLayer,
  meanSquaredError,
  mlp,
  Scope,
  type Tensor,
  Training,
} from '../src/tensor/index.ts';

/** What is measured, so that a run says when memory grows. */
const WARM_UP = 50;
const CYCLES = 200;

/** A network of about a million weights. */
function network(scope: Scope, x: Tensor): Tensor {
  let h = x;
  for (let index = 0; index < 4; index++) {
    const block = scope.in(index);
    h = mlp(block.in('mlp'), layerNormLayer(block.in('norm'), h), { hidden: 512 });
  }
  return h;
}

/**
 * Resident memory over 200 training steps and over 200 cycles of compiling and disposing, after 50 of each.
 *
 * @returns growth of each in MiB
 */
export async function run(): Promise<Record<string, number | null>> {
  const steps = await trainingGrowth();
  const cycles = await compileGrowth();
  console.error(`${CYCLES} training steps          ${steps.toFixed(1)} MiB`);
  console.error(`${CYCLES} compile-dispose cycles  ${cycles.toFixed(1)} MiB`);
  return { steps_growth_mib: steps, cycles_growth_mib: cycles };
}

async function trainingGrowth(): Promise<number> {
  const scope = Scope.root({ random: randomStream(1) });
  const y = network(scope, input('x', [64, 256]));
  const training = await Training.compile(
    {
      loss: meanSquaredError(y, input('y', [64, 256])),
      optimizer: adamW(),
      groups: [{ parameters: scope.parameters }],
      random: randomStream(2),
    },
    { threads: 2 },
  );
  const feeds = { x: new Float32Array(64 * 256).fill(0.5), y: new Float32Array(64 * 256) };
  const growth = await growthOf(() => training.run(feeds, 1e-3));
  await training.dispose();
  return growth;
}

async function compileGrowth(): Promise<number> {
  return growthOf(async () => {
    const scope = Scope.root({ random: randomStream(1), trainable: () => false });
    const y = network(scope, input('x', [64, 256]));
    const program = await compile({ outputs: { y } }, { threads: 2 });
    await program.run({ x: new Float32Array(64 * 256) });
    await program.dispose();
  });
}

async function growthOf(work: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < WARM_UP; i++) await work();
  const before = residentMib();
  for (let i = 0; i < CYCLES; i++) await work();
  return residentMib() - before;
}

/** Resident memory after a garbage collection. */
function residentMib(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage.rss() / 2 ** 20;
}
