import { InputError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { Parameter, Tensor } from '../graph/operator.ts';
import type { Update } from '../graph/update.ts';
import { initialValues, loadTensors, saveTensors, type TensorData } from '../graph/values.ts';
import type { Feed } from '../program/feeds.ts';
import { type CompileOptions, compile, type Program } from '../program/program.ts';
import { Variables } from '../program/variables.ts';
import { SCALE_INPUT, type StepGraph, type StepSpec, stepGraph } from './step.ts';

/** Everything a training run does besides choosing batches and rates. */
export interface TrainingSpec extends StepSpec {
  /** Draws dropout masks: every run from a fork of its own, so that a resumed training draws the same. */
  readonly random: RandomStream;
  /** Further results of each run (predictions, parts of the loss). */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  /** What else changes with each run, as running statistics. */
  readonly updates?: readonly Update[];
}

export interface StepResult {
  /** The loss of this run, unscaled. */
  readonly loss: number;
  /** Whether the weights were updated: false while accumulating, or when gradients overflowed. */
  readonly stepped: boolean;
  /** The gradients' global norm before clipping; in runs that step, with clipping or loss scaling. */
  readonly gradientNorm?: number;
  readonly outputs: Readonly<Record<string, TensorData>>;
}

const LOSS = 'training.loss';
const NORM = 'training.norm';

/** The numbers that make up the state besides arrays, under their names in the saved file. */
interface Counters {
  steps: number;
  runs: number;
  lossScale: number;
  goodSteps: number;
}

/**
 * A compiled training step. Each `run` feeds one (micro-)batch; weights, moments and averages live in
 * `variables`, which inference programs may share.
 */
export class Training {
  readonly #spec: TrainingSpec;
  readonly #graph: StepGraph;
  readonly #step: Program;
  readonly #collect: Program | undefined;
  readonly #counters: Counters;

  private constructor(spec: TrainingSpec, graph: StepGraph, step: Program, collect: Program | undefined) {
    this.#spec = spec;
    this.#graph = graph;
    this.#step = step;
    this.#collect = collect;
    this.#counters = { steps: 0, runs: 0, lossScale: spec.lossScaling?.initial ?? 65536, goodSteps: 0 };
  }

  /** Builds and compiles the step. @throws as `stepGraph` and `compile` do */
  static async compile(spec: TrainingSpec, options: CompileOptions = {}): Promise<Training> {
    const shared = { ...options, variables: options.variables ?? new Variables() };
    const graph = stepGraph(spec);
    const outputs = { ...spec.outputs, [LOSS]: spec.loss };
    const always = spec.updates ?? [];
    const withNorm = graph.norm ? { ...outputs, [NORM]: graph.norm } : outputs;
    const precise = graph.gradients;
    const steps = { outputs: withNorm, updates: [...graph.stepUpdates, ...always], precise };
    const step = await compile(steps, shared);
    const collects = { outputs, updates: [...graph.collectUpdates, ...always], precise };
    const collect = graph.sums.length > 0 ? await compile(collects, shared) : undefined;
    return new Training(spec, graph, step, collect);
  }

  get variables(): Variables {
    return this.#step.variables;
  }

  /** The average kept of each trained parameter: pass it as `substitute` to validate with averages. */
  get averages(): ReadonlyMap<Parameter, Parameter> {
    return this.#graph.averages;
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.#counters.steps;
  }

  /**
   * One forward and backward pass, and a step of the optimizer when enough runs have been collected.
   *
   * @param rate learning rate of the step; groups scale it
   */
  async run(feeds: Readonly<Record<string, Feed>>, rate: number): Promise<StepResult> {
    const { accumulate = 1, optimizer, random, lossScaling } = this.#spec;
    const counters = this.#counters;
    const stream = { random: random.fork(counters.runs) };
    const scaled = lossScaling ? { ...feeds, [SCALE_INPUT]: counters.lossScale } : feeds;
    counters.runs += 1;
    if (this.#collect && counters.runs % accumulate !== 0) {
      return resultOf(await this.#collect.run(scaled, stream), false);
    }
    const scalars = optimizer.scalars({ step: counters.steps + 1, rate });
    const known = this.#step.inputs;
    const wanted = Object.entries(scalars).filter(([name]) => name in known);
    const overflowed = (results: Readonly<Record<string, TensorData>>): boolean =>
      lossScaling !== undefined && !Number.isFinite(scalarOf(results[NORM]));
    const result = await this.#step.run(
      { ...scaled, ...Object.fromEntries(wanted) },
      { ...stream, updatesIf: (results) => !overflowed(results) },
    );
    for (const sum of this.#graph.sums) this.variables.set(sum, initialValues(sum));
    const overflow = overflowed(result);
    if (lossScaling) this.#adaptScale(overflow, lossScaling.growthInterval ?? 2000);
    if (!overflow) counters.steps += 1;
    const searches = lossScaling?.searches && accumulate === 1 && counters.lossScale >= 1;
    if (overflow && searches && counters.steps === 0) return this.run(feeds, rate);
    return resultOf(result, !overflow);
  }

  #adaptScale(overflow: boolean, growthInterval: number): void {
    const counters = this.#counters;
    counters.goodSteps = overflow ? 0 : counters.goodSteps + 1;
    if (overflow) counters.lossScale /= 2;
    else if (counters.goodSteps % growthInterval === 0) counters.lossScale *= 2;
  }

  /** Every variable that later runs depend on. */
  get state(): readonly Parameter[] {
    const { stepUpdates, sums } = this.#graph;
    return [...[...stepUpdates, ...(this.#spec.updates ?? [])].map(({ variable }) => variable), ...sums];
  }

  /**
   * Writes everything that later runs depend on to a safetensors file, atomically.
   *
   * @param notes further metadata of the file, for the caller
   */
  async save(path: string, notes: Readonly<Record<string, string>> = {}): Promise<void> {
    const tensors = Object.fromEntries(
      this.state.map((variable) => {
        const { dtype, shape, name } = variable;
        return [name, { dtype, shape, values: this.variables.values(variable) }];
      }),
    );
    const counters = Object.entries(this.#counters).map(([key, value]) => [key, String(value)]);
    await saveTensors(path, tensors, { ...notes, ...Object.fromEntries(counters) });
  }

  /**
   * Continues exactly where `save` left off.
   *
   * @throws InputError when the file is no saved state
   * @throws ShapeError when it belongs to another model
   */
  async restore(path: string): Promise<void> {
    const { tensors, metadata } = await loadTensors(path);
    const counters = { ...this.#counters };
    for (const key of Object.keys(counters) as (keyof Counters)[]) {
      counters[key] = Number(metadata[key] ?? Number.NaN);
      if (Number.isFinite(counters[key])) continue;
      throw new InputError(path, 'this is no saved training state', 'start the training afresh');
    }
    this.variables.restore(this.state, tensors);
    Object.assign(this.#counters, counters);
  }

  /** Gives the sessions' memory back; the variables stay. */
  async dispose(): Promise<void> {
    await this.#step.dispose();
    await this.#collect?.dispose();
  }
}

const scalarOf = (data: TensorData | undefined): number => Number(data?.values[0]);

function resultOf(result: Readonly<Record<string, TensorData>>, stepped: boolean): StepResult {
  const { [LOSS]: loss, [NORM]: norm, ...outputs } = result;
  return { loss: scalarOf(loss), stepped, ...(norm && { gradientNorm: scalarOf(norm) }), outputs };
}
