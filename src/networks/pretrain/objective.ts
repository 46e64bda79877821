import type { Feed, Tensor } from '../../tensor/index.ts';
import type { BatchMix } from '../../vision/augment/index.ts';
import type { Validation } from '../network/epochs.ts';

/** What a head on a backbone learns of photos, which go by their place in a list. */
export interface Objective {
  /** What an epoch's line calls the score of {@link judge}. */
  readonly scoreName: string;
  /** Outputs of the head for one photo. */
  readonly width: number;
  /** Width of a photo's weights: 1, or one a target. */
  readonly weightWidth: number;
  /**
   * The loss of a batch, as a graph.
   *
   * @param outputs `[batch, width]`
   * @param targets `[batch, width]`
   * @param weights `[batch, weightWidth]`, whose sum over what counts is the number of all
   */
  loss(outputs: Tensor, targets: Tensor, weights: Tensor): Tensor;
  /**
   * Targets and weights of some photos; rows that only fill the batch have weight 0.
   *
   * @param mix how the photos' pictures were mixed
   */
  labels(items: readonly number[], batch: number, mix?: BatchMix): ObjectiveLabels;
  /** How many values of some photos count in their loss. */
  counted(items: readonly number[]): number;
  /**
   * How good outputs are.
   *
   * @param outputs `[photos, width]`, of the photos `items`
   * @param loss mean loss of those photos
   */
  judge(outputs: Float32Array, items: readonly number[], loss: number): Validation;
}

/** What the graph's inputs {@link TARGETS} and {@link WEIGHTS} are fed. */
export interface ObjectiveLabels {
  /** `[batch, width]` */
  readonly targets: Float32Array;
  /** `[batch, weightWidth]` */
  readonly weights: Float32Array;
}

export const TARGETS = 'label.targets';
export const WEIGHTS = 'label.weights';

/** Labels as a program takes them. */
export function objectiveFeeds({ targets, weights }: ObjectiveLabels): Record<string, Feed> {
  return { [TARGETS]: targets, [WEIGHTS]: weights };
}
