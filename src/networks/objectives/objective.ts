import type { RandomStream } from '../../ground/random.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import type { Feed, Scope, Tensor } from '../../tensor/index.ts';
import type { BatchMix } from '../../vision/augment/index.ts';
import type { Features } from '../heads/features.ts';

/** How good weights are on examples that are not trained on. */
export interface Validation {
  /** Weighted R², or whatever else says how good the weights are: higher is better. */
  readonly score: number;
  readonly loss: number;
  /** What the epoch's line says of it. */
  readonly line: MetricLine;
}

/**
 * What a network is trained for: its heads, its loss, and how good its answers are.
 *
 * @typeParam Labels what is known of a set of examples, which go by their place in it
 */
export interface Objective<Labels> {
  /** Numbers the heads answer an example with. */
  readonly width: number;
  /** The heads alone, over features of a batch: what they take from `scope` is the model. @returns `[batch, width]` */
  answers(scope: Scope, features: Features): Tensor;
  /** The heads with the loss of a labelled batch, a scalar; with embedding mixup where the scope is for training. */
  loss(scope: Scope, features: Features): { readonly answers: Tensor; readonly loss: Tensor };
  /**
   * What the inputs of {@link loss} are fed for some examples; rows that only fill the batch do not count.
   *
   * @param items at least one and at most `batch`
   * @param drawn the batch's own stream, and how its pictures were mixed; absent where nothing is trained
   */
  feeds(labels: Labels, items: readonly number[], batch: number, drawn?: DrawnBatch): Record<string, Feed>;
  /** How many values of some examples count in their loss. */
  counted(labels: Labels, items: readonly number[]): number;
  /**
   * How good answers are.
   *
   * @param answers `[examples, width]`, of all examples
   * @param loss mean loss of the examples
   */
  validation(labels: Labels, answers: Float32Array, loss: number): Validation;
  /** By an epoch's line, how good validation found it, higher being better; nothing where it was not validated. */
  progress(line: MetricLine): number | undefined;
}

/** What is random of a training batch. */
export interface DrawnBatch {
  readonly random: RandomStream;
  readonly mix?: BatchMix | undefined;
}
