import { InputError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import {
  type CompileOptions,
  type Feed,
  type GroupRule,
  type Parameter,
  type Precision,
  type Scope,
  sizeOf,
  type TensorData,
  type Variables,
} from '../../tensor/index.ts';
import type { BatchMix } from '../../vision/augment/index.ts';
import type { Features } from '../heads/features.ts';

/** Values of a model's parameters by name. */
export type Weights = Readonly<Record<string, TensorData>>;

/** What of a backbone is trained at one time. */
export interface TrainedPart {
  /** Whether a parameter is trained, by its name in the checkpoint; adapters' names are their layer's. */
  readonly trains: (name: string) => boolean;
  /** The backbone's learning rate as a share of the heads'. */
  readonly rate: number;
}

/** How many go through a network at once. */
export interface BatchSize {
  readonly examples: number;
  /** Rows of the heads: those beyond the examples repeat the last one's, and do not count. */
  readonly rows: number;
}

/**
 * Rows that heads have at least: with fewer ONNX Runtime multiplies matrices in another order, and a photo would weigh
 * another 1e-8 g alone than among others.
 */
export const FEWEST_ROWS = 4;

/** Where a network's heads get their features from: rows that are fed, or a backbone over views that are fed. */
export interface NetworkInput {
  /** Examples that go through at once, at most, where nothing is trained. */
  readonly atOnce: number;
  /** How so many examples go through where nothing is trained. */
  batchFor(count: number): BatchSize;
  /** The input with a part of its backbone to be trained, at its first weights. */
  graph(part: TrainedPart, random: RandomStream): InputGraph;
}

/** What becomes of a batch's features: nothing random, dropout alone, or training with all there is to it. */
export type InputMode = 'inference' | 'dropout' | 'training';

/** A network's graph up to the features. */
export interface InputGraph {
  features(batch: number, mode: InputMode): Features;
  /** Of the backbone; null: there is none. */
  readonly scope: Scope | null;
  /** Learning rates of the backbone's parameters, as shares of the heads'. */
  readonly rates: readonly GroupRule[];
  /** How programs of the network are compiled. @param heads their parameters */
  options(heads: readonly Parameter[]): CompileOptions;
  /** What products are computed in where the network is trained. */
  readonly precision: Precision;
}

/** Examples that a network reads, batch by batch, as its input's feeds. */
export interface Examples {
  readonly count: number;
  /** All of them in order, as they are; the next batch is made while the caller works with one. */
  batches(batch: number): AsyncIterable<ExampleBatch>;
  /**
   * Some of them for training, augmented. What is random is drawn from the batch's stream and the example's place.
   *
   * @param items at least one and at most `batch`
   * @throws InputError when a photo cannot be used
   */
  drawn(
    items: readonly number[],
    batch: number,
    random: RandomStream,
  ): Promise<{ readonly feeds: Readonly<Record<string, Feed>>; readonly mix?: BatchMix }>;
}

export interface ExampleBatch {
  /** Places of the examples; the last one's rows repeat until the batch is full. */
  readonly items: readonly number[];
  readonly feeds: Readonly<Record<string, Feed>>;
}

/** All examples in batches, in order. */
export function inBatches(count: number, batch: number): number[][] {
  return Array.from({ length: Math.ceil(count / batch) }, (_, index) =>
    Array.from({ length: Math.min(batch, count - index * batch) }, (_, row) => index * batch + row),
  );
}

/**
 * Gives the variables of a scope their values.
 *
 * @param prefix what their names begin with and those of `weights` do not
 * @throws InputError when one is missing or misshapen
 */
export function setWeights(variables: Variables, scope: Scope, weights: Weights, prefix = ''): void {
  for (const parameter of scope.parameters) {
    if (!parameter.variable) continue;
    const data = weights[parameter.name.slice(prefix.length)];
    if (!data || sizeOf(data.shape) !== sizeOf(parameter.shape)) {
      const what = `has no ${parameter.name} of the shape its recipe says`;
      throw new InputError('the network', what, 'train the run again');
    }
    variables.set(parameter, data.values);
  }
}
