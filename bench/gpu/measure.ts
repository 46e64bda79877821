import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../src/ground/errors.ts';
import { randomStream } from '../../src/ground/random.ts';
import {
  adamW,
  compile,
  input,
  linearLayer,
  meanSquaredError,
  openSafetensors,
  type Parameter,
  PRECISIONS_ON,
  type Precision,
  type Provider,
  parametersOf,
  Scope,
  sizeOf,
  Training,
} from '../../src/tensor/index.ts';
import { type Backbone, backboneParameters, makeBackbone } from '../../src/vision/backbones/index.ts';
import { writeRandomWeights } from '../backbones/random-weights.ts';
import { median } from '../median.ts';
import { CardMemory } from './card-memory.ts';
import { type Case, type Cases, casesFor } from './cases.ts';
import { type Placement, placementDuring } from './placement.ts';

/** What one case took in one precision, or why it is not known. */
export interface Row {
  readonly name: string;
  readonly kind: 'forward' | 'step';
  readonly precision: Precision;
  readonly batch: number;
  /** Seconds a batch. */
  readonly seconds: number | null;
  /** From the CPU in single precision: of outputs as a share of their norm, of the first losses the largest share. */
  readonly difference: number | null;
  /** The card's, beyond what it had in use before, MiB. */
  readonly peakMib: number | null;
  readonly problem: string | null;
}

export interface Measured {
  readonly rows: readonly Row[];
  /** Of a step in single precision. */
  readonly placement: Placement;
}

/** Runs of each case: until so many were timed, or so long. */
const MOST_RUNS = 20;
const LONGEST_MS = 4000;

/** Steps whose losses are compared. */
const CHECKED_STEPS = 3;
const RATE = 1e-4;

const [provider, deadline] = process.argv.slice(2) as [Provider, string];
const folder = mkdtempSync(join(tmpdir(), 'sward-gpu-'));
const memory = new CardMemory();

/** A row of each precision; what fails or has no time left says so. */
async function rowsOf(
  model: Case,
  kind: Row['kind'],
  measure: (precision: Precision) => Promise<{ seconds: number; difference: number }>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const precision of PRECISIONS_ON[provider]) {
    const known = { name: model.name, kind, precision, batch: model.batch };
    const nothing = { seconds: null, difference: null, peakMib: null };
    if (Date.now() > Number(deadline)) {
      rows.push({ ...known, ...nothing, problem: 'no time was left' });
      continue;
    }
    let found = { seconds: 0, difference: 0 };
    try {
      const peakMib = await memory.during(async () => {
        found = await measure(precision);
      });
      rows.push({ ...known, ...found, peakMib, problem: null });
    } catch (error) {
      rows.push({ ...known, ...nothing, problem: messageOf(error).split('\n')[0] ?? '' });
    }
  }
  return rows;
}

async function forwardRows(model: Case): Promise<Row[]> {
  const { scope, backbone } = await withWeights(model, () => false);
  const { pooled } = backbone.forward(scope, input('images', [model.batch, 3, ...model.size]));
  const feeds = { images: pictures(model, model.batch) };
  const output = async (options: { provider: Provider; precision?: Precision }) => {
    const program = await compile({ outputs: { pooled } }, options);
    return { program, values: (await program.run(feeds)).pooled?.values as Float32Array };
  };
  const { program: onCpu, values: expected } = await output({ provider: 'cpu' });
  await onCpu.dispose();
  return rowsOf(model, 'forward', async (precision) => {
    const { program, values } = await output({ provider, precision });
    const seconds = await typicalSeconds(() => program.run(feeds));
    await program.dispose();
    const norm = Math.hypot(...expected);
    return {
      seconds,
      difference: Math.hypot(...values.map((value, i) => value - (expected[i] ?? 0))) / norm,
    };
  });
}

async function stepRows(model: Cases['step']): Promise<Row[]> {
  const expected = await losses(model, model.checked, { provider: 'cpu' }, CHECKED_STEPS);
  return rowsOf(model, 'step', async (precision) => {
    const found = await losses(model, model.checked, { provider, precision }, CHECKED_STEPS);
    const difference = Math.max(...found.map((loss, i) => Math.abs(loss / (expected[i] as number) - 1)));
    const training = await trainingOf(model, model.batch, { provider, precision });
    const feeds = feedsOf(model, model.batch, 0);
    const seconds = await typicalSeconds(() => training.run(feeds, RATE));
    await training.dispose();
    return { seconds, difference };
  });
}

type Options = { readonly provider: Provider; readonly precision?: Precision };

/** Losses of the first steps; one that overflows is taken again. */
async function losses(model: Case, batch: number, options: Options, steps: number): Promise<number[]> {
  const training = await trainingOf(model, batch, options);
  const found: number[] = [];
  for (let step = 0; step < steps; step++) {
    let result = await training.run(feedsOf(model, batch, step), RATE);
    for (let tries = 0; !result.stepped && tries < 30; tries++) {
      result = await training.run(feedsOf(model, batch, step), RATE);
    }
    found.push(result.loss);
  }
  await training.dispose();
  return found;
}

/** All weights with AdamW; float16 with a scaled loss. */
async function trainingOf(model: Case, batch: number, options: Options): Promise<Training> {
  const { scope, backbone } = await withWeights(model, () => true);
  const { pooled } = backbone.forward(scope.forTraining(), input('images', [batch, 3, ...model.size]));
  const answer = linearLayer(Scope.root({ random: randomStream(2) }).in('head'), pooled, 1);
  const parameters = parametersOf([answer]).filter(({ trainable }) => trainable);
  return Training.compile(
    {
      loss: meanSquaredError(answer, input('targets', [batch, 1])),
      optimizer: adamW(),
      groups: [{ parameters }],
      random: randomStream(3),
      ...(options.precision === 'float16' && { lossScaling: {} }),
    },
    options,
  );
}

/** A backbone with random weights from a file, as published ones come. */
async function withWeights(
  { name, arch, config }: Case,
  trainable: () => boolean,
): Promise<{ scope: Scope; backbone: Backbone }> {
  const backbone = makeBackbone(arch, config);
  const path = join(folder, `${name.replaceAll(/\W/g, '-')}.safetensors`);
  await writeRandomWeights(path, backboneParameters(backbone).map(withSayingBlocks));
  const scope = Scope.root({ random: randomStream(1), trainable }).from(await openSafetensors(path));
  return { scope, backbone };
}

/** LayerScale as of a trained backbone: a new one's blocks say next to nothing, and rounding in them could not be seen. */
function withSayingBlocks(parameter: Parameter): Parameter {
  if (!parameter.name.endsWith('gamma')) return parameter;
  const generate = () => new Float32Array(sizeOf(parameter.shape)).fill(0.5);
  return { ...parameter, origin: { kind: 'parameter', initial: { from: 'generator', generate } } };
}

function pictures({ size: [height, width] }: Case, batch: number, seed = 0): Float32Array {
  const random = randomStream(7).fork(seed);
  return Float32Array.from({ length: batch * 3 * height * width }, () => random.uniform() - 0.5);
}

const feedsOf = (model: Case, batch: number, step: number) => ({
  images: pictures(model, batch, step),
  targets: Float32Array.from({ length: batch }, (_, row) => 1 + ((row + step) % 3)),
});

/** Median of several runs after two that are not counted. */
async function typicalSeconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  const times: number[] = [];
  for (
    let count = 0;
    times.length < 1 || (count < MOST_RUNS && performance.now() - start < LONGEST_MS);
    count++
  ) {
    const before = performance.now();
    await run();
    if (count >= 2) times.push((performance.now() - before) / 1000);
  }
  return median(times);
}

try {
  const cases = casesFor(provider);
  const rows: Row[] = [];
  for (const model of cases.backbones) rows.push(...(await forwardRows(model)));
  rows.push(...(await stepRows(cases.step)));
  const placement = await placementDuring(async () => {
    await losses(cases.step, cases.step.checked, { provider }, 1);
  });
  process.stdout.write(JSON.stringify({ rows, placement } satisfies Measured));
} finally {
  memory.close();
  rmSync(folder, { recursive: true });
}
