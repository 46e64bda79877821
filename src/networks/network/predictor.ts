import { InputError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { type RandomStream, randomStream } from '../../ground/random.ts';
import { requireWidth } from '../../learning/feature-width.ts';
import { targetsFromComponents } from '../../pasture/physics.ts';
import type { Targets } from '../../pasture/targets.ts';
import {
  compile,
  input,
  type Parameter,
  type Program,
  Scope,
  sizeOf,
  type Tensor,
  Variables,
} from '../../tensor/index.ts';
import { withConceptScores } from './concepts.ts';
import { FeatureRows, inBatches } from './feature-rows.ts';
import { type HeadSettings, heads } from './heads.ts';
import type { Weights } from './loop-state.ts';
import type { Heads } from './masses.ts';
import type { NetworkModel } from './model-files.ts';
import { physicalMasses } from './physical-masses.ts';
import { columnsOf, featuresOfRows } from './shape.ts';

/** Rows predicted at once, and the values they may have together: few rows where those are maps of patches. */
const LARGEST_BATCH = 32;
const BATCH_VALUES = 2 ** 22;

/** Rows of `columns` values that go through a network at once. */
export const rowsAtOnce = (columns: number): number =>
  Math.max(1, Math.min(LARGEST_BATCH, Math.floor(BATCH_VALUES / columns)));

/** Weights below which threads cost more than they bring. */
const LARGE_NETWORK = 2 ** 21;

/** Small networks run on one thread: a step of theirs is shorter than waking a second one. */
export function threadsFor(parameters: readonly Parameter[]): { readonly threads?: number } {
  const weights = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return weights < LARGE_NETWORK ? { threads: 1 } : {};
}

/** Rows as the network takes them: checked, with concept scores where it has concepts. */
export function networkInputs(model: Omit<NetworkModel, 'members'>, inputs: Matrix): Matrix {
  requireWidth(inputs, model.columns);
  const { concepts, columns, shape } = model;
  if (!concepts) return inputs;
  return withConceptScores(inputs, columns - (columnsOf(shape) - shape.extra), concepts);
}

/** A member of a trained network, compiled for one of its outputs. */
export class MemberProgram {
  readonly #program: Program;
  readonly #batch: number;
  readonly #width: number;

  private constructor(program: Program, batch: number, width: number) {
    this.#program = program;
    this.#batch = batch;
    this.#width = width;
  }

  /**
   * @param output which of the heads' tensors is wanted, `[batch, …]`
   * @param dropout whether dropout stays on
   * @throws InputError when a weight is missing
   */
  static async open(
    model: NetworkModel,
    member: number,
    settings: HeadSettings,
    output: (heads: Heads) => Tensor,
    dropout = false,
  ): Promise<MemberProgram> {
    const columns = columnsOf(model.shape);
    const batch = rowsAtOnce(columns);
    const root = Scope.root({ random: randomStream(0) });
    const rows = input('features', [batch, columns]);
    const scope = dropout ? root.forTraining() : root.forInference();
    const result = output(heads(scope, featuresOfRows(rows, model.shape), settings));
    const variables = new Variables();
    setWeights(variables, root, model.members[member] ?? {});
    const program = await compile({ outputs: { result } }, { variables, ...threadsFor(root.parameters) });
    return new MemberProgram(program, batch, sizeOf(result.shape) / batch);
  }

  /** The output for all rows, one after another. @param random draws dropout masks */
  async run(rows: FeatureRows, random?: RandomStream): Promise<Float32Array> {
    const results = new Float32Array(rows.count * this.#width);
    for (const [index, items] of inBatches(rows.count, this.#batch).entries()) {
      const options = random ? { random: random.fork(index) } : {};
      const { result } = await this.#program.run({ features: rows.take(items, this.#batch) }, options);
      const values = result?.values.subarray(0, items.length * this.#width) as Float32Array;
      results.set(values, index * this.#batch * this.#width);
    }
    return results;
  }

  dispose(): Promise<void> {
    return this.#program.dispose();
  }
}

/** Gives all parameters of a scope the values of a model. @throws InputError when one is missing or misshapen */
function setWeights(variables: Variables, scope: Scope, weights: Weights): void {
  for (const parameter of scope.parameters) {
    const data = weights[parameter.name];
    if (!data || sizeOf(data.shape) !== sizeOf(parameter.shape)) {
      throw new InputError(
        'the network',
        `has no ${parameter.name} of the shape its recipe says`,
        'train the run again',
      );
    }
    variables.set(parameter, data.values);
  }
}

/**
 * Physical masses of photos, the mean over members, grams.
 *
 * @throws InputError when rows have another width than those trained on
 */
export async function predictMasses(
  model: NetworkModel,
  inputs: Matrix,
  settings: HeadSettings,
): Promise<Targets[]> {
  const rows = new FeatureRows(networkInputs(model, inputs));
  const members: Targets[][] = [];
  for (const member of model.members.keys()) {
    const program = await MemberProgram.open(model, member, settings, ({ masses }) => masses);
    members.push(physicalMasses(await program.run(rows), settings.architecture));
    await program.dispose();
  }
  return Array.from({ length: rows.count }, (_, photo) =>
    meanOf(members.map((member) => member[photo] as Targets)),
  );
}

/** Predictions with dropout left on, each by one member, the members taking turns. @returns `[sample][photo]` */
export async function sampleMasses(
  model: NetworkModel,
  inputs: Matrix,
  settings: HeadSettings,
  samples: number,
  random: RandomStream,
): Promise<Targets[][]> {
  const rows = new FeatureRows(networkInputs(model, inputs));
  const count = model.members.length;
  const drawn = new Array<Targets[]>(samples);
  for (const member of model.members.keys()) {
    const program = await MemberProgram.open(model, member, settings, ({ masses }) => masses, true);
    for (let sample = member; sample < samples; sample += count) {
      const masses = await program.run(rows, random.fork(sample));
      drawn[sample] = physicalMasses(masses, settings.architecture);
    }
    await program.dispose();
  }
  return drawn;
}

/** The mean of physical masses, which is physical. */
function meanOf(predictions: readonly Targets[]): Targets {
  const [first] = predictions;
  if (first && predictions.length === 1) return first;
  const mean = (of: (masses: Targets) => number): number =>
    predictions.reduce((sum, masses) => sum + of(masses), 0) / predictions.length;
  return targetsFromComponents({
    green: mean((masses) => masses.green),
    dead: mean((masses) => masses.dead),
    clover: mean((masses) => masses.clover),
  });
}
