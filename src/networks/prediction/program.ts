import { type RandomStream, randomStream } from '../../ground/random.ts';
import type { Samples } from '../../samples/samples.ts';
import { compile, type Program, Scope, sizeOf, type Tensor, Variables } from '../../tensor/index.ts';
import { filledFeatures } from '../heads/features.ts';
import { type HeadSettings, heads } from '../heads/heads.ts';
import type { Heads } from '../heads/masses.ts';
import { type BatchSize, type Examples, type InputGraph, setWeights, type Weights } from '../inputs/input.ts';

/** The input of a trained network, ready to be compiled and fed. */
export interface OpenInput {
  readonly graph: InputGraph;
  /** Gives the backbone's variables the values that were trained, where it has any. */
  setWeights(variables: Variables): void;
  examples(samples: Samples): Promise<Examples>;
  /** Ends what makes examples. */
  close(): Promise<void>;
}

/** Where a trained network's heads get their features from. */
export interface TrainedInput {
  /** Examples that go through at once. */
  readonly atOnce: number;
  /** How fewer go through, and how many those are at most. */
  readonly few: BatchSize & { readonly upTo: number };
  open(): OpenInput;
}

/** One of the tensors of a trained network's heads, compiled for as many samples as come; its results are of samples. */
export class NetworkProgram {
  readonly #input: OpenInput;
  readonly #atOnce: number;
  readonly #few: TrainedInput['few'];
  readonly #compile: (batch: BatchSize) => Promise<Compiled>;
  /** By how many samples go through at once. */
  readonly #programs = new Map<number, Promise<Compiled>>();

  private constructor(
    input: OpenInput,
    { atOnce, few }: TrainedInput,
    compile: (batch: BatchSize) => Promise<Compiled>,
  ) {
    this.#input = input;
    this.#atOnce = atOnce;
    this.#few = few;
    this.#compile = compile;
  }

  /**
   * Nothing is compiled until it is run.
   *
   * @param weights of the heads
   * @param output which tensor is wanted, `[batch, …]`
   * @param dropout whether dropout and stochastic depth stay on
   * @throws InputError when a weight is missing
   */
  static open(
    trained: TrainedInput,
    weights: Weights,
    settings: HeadSettings,
    output: (heads: Heads) => Tensor,
    dropout = false,
  ): NetworkProgram {
    const input = trained.open();
    return new NetworkProgram(input, trained, async ({ examples: batch, rows }) => {
      const root = Scope.root({ random: randomStream(0) });
      const features = filledFeatures(input.graph.features(batch, dropout ? 'dropout' : 'inference'), rows);
      const result = output(heads(dropout ? root.forTraining() : root.forInference(), features, settings));
      const variables = new Variables();
      setWeights(variables, root, weights);
      input.setWeights(variables);
      const options = { ...input.graph.options(root.parameters), variables };
      const program = await compile({ outputs: { result } }, options);
      return { program, batch, width: sizeOf(result.shape) / rows };
    });
  }

  /**
   * The output for all samples, one after another.
   *
   * @param random draws dropout masks
   * @param first how many samples went before these, and had theirs
   * @throws InputError when a photo cannot be used, or rows have another width than those trained on
   */
  async run(asked: Samples, random?: RandomStream, first = 0): Promise<Float32Array> {
    // Masks are those of a place in a batch: places that went before are filled.
    const lead = random ? first % this.#atOnce : 0;
    const samples = lead > 0 && asked.count > 0 ? led(asked, lead) : asked;
    const examples = await this.#input.examples(samples);
    // Masks are drawn for a whole batch: of another size they would be others.
    const all = { examples: this.#atOnce, rows: this.#atOnce };
    const { program, batch, width } = await this.#compiled(
      !random && examples.count <= this.#few.upTo ? this.#few : all,
    );
    const results = new Float32Array(examples.count * width);
    const before = random ? Math.floor(first / this.#atOnce) : 0;
    let index = 0;
    for await (const { items, feeds } of examples.batches(batch)) {
      const { result } = await program.run(feeds, random ? { random: random.fork(before + index) } : {});
      const values = result?.values.subarray(0, items.length * width) as Float32Array;
      results.set(values, index * batch * width);
      index += 1;
    }
    return results.subarray((samples.count - asked.count) * width);
  }

  #compiled(batch: BatchSize): Promise<Compiled> {
    const coming = this.#programs.get(batch.examples) ?? this.#compile(batch);
    this.#programs.set(batch.examples, coming);
    return coming;
  }

  async dispose(): Promise<void> {
    await this.#input.close();
    // What could not be compiled has been told of.
    for (const coming of this.#programs.values()) await (await coming.catch(() => null))?.program.dispose();
    this.#programs.clear();
  }
}

/** Samples with the first of them so many times before. */
const led = (samples: Samples, lead: number): Samples =>
  samples.take([...Array.from({ length: lead }, () => 0), ...samples.facts.keys()]);

interface Compiled {
  readonly program: Program;
  readonly batch: number;
  /** Values a sample. */
  readonly width: number;
}
