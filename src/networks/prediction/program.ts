import { type RandomStream, randomStream } from '../../ground/random.ts';
import type { Samples } from '../../samples/samples.ts';
import { compile, type Program, Scope, sizeOf, type Tensor, Variables } from '../../tensor/index.ts';
import { type HeadSettings, heads } from '../heads/heads.ts';
import type { Heads } from '../heads/masses.ts';
import { type Examples, type InputGraph, setWeights, type Weights } from '../inputs/input.ts';

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
  open(): OpenInput;
}

/** One of the tensors of a trained network's heads, compiled; its results come from samples. */
export class NetworkProgram {
  readonly #program: Program;
  readonly #input: OpenInput;
  readonly #batch: number;
  readonly #width: number;

  private constructor(program: Program, input: OpenInput, batch: number, width: number) {
    this.#program = program;
    this.#input = input;
    this.#batch = batch;
    this.#width = width;
  }

  /**
   * @param weights of the heads
   * @param output which tensor is wanted, `[batch, …]`
   * @param dropout whether dropout and stochastic depth stay on
   * @throws InputError when a weight is missing
   */
  static async open(
    { atOnce, open }: TrainedInput,
    weights: Weights,
    settings: HeadSettings,
    output: (heads: Heads) => Tensor,
    dropout = false,
  ): Promise<NetworkProgram> {
    const input = open();
    const root = Scope.root({ random: randomStream(0) });
    const features = input.graph.features(atOnce, dropout ? 'dropout' : 'inference');
    const result = output(heads(dropout ? root.forTraining() : root.forInference(), features, settings));
    const variables = new Variables();
    setWeights(variables, root, weights);
    input.setWeights(variables);
    const options = { ...input.graph.options(root.parameters), variables };
    const program = await compile({ outputs: { result } }, options);
    return new NetworkProgram(program, input, atOnce, sizeOf(result.shape) / atOnce);
  }

  /**
   * The output for all samples, one after another.
   *
   * @param random draws dropout masks
   * @throws InputError when a photo cannot be used, or rows have another width than those trained on
   */
  async run(samples: Samples, random?: RandomStream): Promise<Float32Array> {
    const examples = await this.#input.examples(samples);
    const results = new Float32Array(examples.count * this.#width);
    let index = 0;
    for await (const { items, feeds } of examples.batches(this.#batch)) {
      const { result } = await this.#program.run(feeds, random ? { random: random.fork(index) } : {});
      const values = result?.values.subarray(0, items.length * this.#width) as Float32Array;
      results.set(values, index * this.#batch * this.#width);
      index += 1;
    }
    return results;
  }

  async dispose(): Promise<void> {
    await this.#input.close();
    await this.#program.dispose();
  }
}
