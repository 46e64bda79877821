import { InputError } from '../../ground/errors.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { openSafetensors, type Parameter, type Program, type Training } from '../../tensor/index.ts';
import type { Weights } from '../inputs/input.ts';
import type { LoopTraining } from './loop-state.ts';

/** A compiled training of one part of a model. */
export interface Stage {
  readonly training: Training;
  /** Predicts with the training's variables, to validate with; null: nothing is validated. */
  readonly validation: Program | null;
  /** What the model consists of besides untouched weights. */
  readonly parameters: readonly Parameter[];
}

/** A training whose trained part grows between epochs. */
export interface StagesSpec {
  /** Compiles the training of a part, at the weights the model starts with. */
  readonly open: (part: number) => Promise<Stage>;
  /** Which part the next epoch trains, from the lines recorded so far. */
  readonly partAt: (lines: readonly MetricLine[]) => number;
  /** Weights that are known better than by what `open` starts with, as heads that were trained before. */
  readonly start?: Weights;
}

const PART = 'part';
const STEPS_BEFORE = 'stepsBefore';

/**
 * Trains one part of a model after another as if it were one training. When the part changes, weights and their
 * averages go over; the optimizer's moments start afresh, so that those of parameters that join are not biased
 * against those that are there.
 */
export class StagedTraining implements LoopTraining {
  readonly #spec: StagesSpec;
  #part: number;
  #stage: Stage;
  #stepsBefore = 0;

  private constructor(spec: StagesSpec, part: number, stage: Stage) {
    this.#spec = spec;
    this.#part = part;
    this.#stage = stage;
  }

  /** Opens the first part. @throws as the spec's `open` */
  static async open(spec: StagesSpec): Promise<StagedTraining> {
    const part = spec.partAt([]);
    const stage = await spec.open(part);
    if (spec.start) setWeights(stage, spec.start, spec.start);
    return new StagedTraining(spec, part, stage);
  }

  /** What is trained now. */
  get stage(): Stage {
    return this.#stage;
  }

  get steps(): number {
    return this.#stepsBefore + this.#stage.training.steps;
  }

  get variables(): Training['variables'] {
    return this.#stage.training.variables;
  }

  get averages(): Training['averages'] {
    return this.#stage.training.averages;
  }

  run(...step: Parameters<Training['run']>): ReturnType<Training['run']> {
    return this.#stage.training.run(...step);
  }

  async beginEpoch(lines: readonly MetricLine[]): Promise<void> {
    const part = this.#spec.partAt(lines);
    if (part === this.#part) return;
    const { parameters } = this.#stage;
    const weights = valuesOf(this.#stage, parameters);
    const averages = valuesOf(this.#stage, parameters, this.averages);
    const steps = this.steps;
    await this.#enter(part);
    setWeights(this.#stage, weights, averages);
    this.#stepsBefore = steps;
  }

  async save(path: string): Promise<void> {
    const notes = { [PART]: String(this.#part), [STEPS_BEFORE]: String(this.#stepsBefore) };
    await this.#stage.training.save(path, notes);
  }

  /** @throws InputError when the file is no state of such a training */
  async restore(path: string): Promise<void> {
    const { metadata } = await openSafetensors(path);
    const noted = new Map(Object.entries(metadata));
    const [part, steps] = [PART, STEPS_BEFORE].map((name) => Number(noted.get(name) ?? Number.NaN));
    if (part === undefined || steps === undefined || !Number.isInteger(part) || !Number.isInteger(steps)) {
      throw new InputError(path, 'this is no saved training state', 'start the training afresh');
    }
    if (part !== this.#part) await this.#enter(part);
    await this.#stage.training.restore(path);
    this.#stepsBefore = steps;
  }

  /** Gives the sessions' memory back. */
  async dispose(): Promise<void> {
    await this.#stage.validation?.dispose();
    await this.#stage.training.dispose();
  }

  async #enter(part: number): Promise<void> {
    // Before the next is opened: two at a time may not fit into memory.
    await this.dispose();
    this.#stage = await this.#spec.open(part);
    this.#part = part;
  }
}

/** The current values of parameters, or of what stands for them, under the parameters' names. */
function valuesOf(
  { training }: Stage,
  parameters: readonly Parameter[],
  instead: ReadonlyMap<Parameter, Parameter> = new Map(),
): Weights {
  return Object.fromEntries(
    parameters.map((parameter) => {
      const { name, dtype, shape } = parameter;
      return [name, { dtype, shape, values: training.variables.values(instead.get(parameter) ?? parameter) }];
    }),
  );
}

/** Sets what of a model's parameters has a value by its name, and their averages. */
function setWeights({ training, parameters }: Stage, weights: Weights, averages: Weights): void {
  for (const parameter of parameters) {
    const weight = weights[parameter.name];
    if (weight === undefined) continue;
    training.variables.set(parameter, weight.values);
    const average = training.averages.get(parameter);
    if (average) training.variables.set(average, (averages[parameter.name] ?? weight).values);
  }
}
