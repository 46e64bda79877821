import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  dropout,
  type Feed,
  input,
  linearLayer,
  reshape,
  type Scope,
  type Tensor,
  truncatedNormal,
  zeros,
} from '../../tensor/index.ts';
import type { BatchMix } from '../../vision/augment/index.ts';
import type { Features } from '../heads/features.ts';
import type { Objective, Validation } from './objective.ts';

/** What a linear head on a backbone is trained for; photos go by their place in a list of all. */
export interface LinearTask {
  /** What an epoch's line calls the score of {@link validation}. */
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
  labels(items: readonly number[], batch: number, mix?: BatchMix): TaskLabels;
  /** How many values of some photos count in their loss. */
  counted(items: readonly number[]): number;
  /**
   * How good outputs are.
   *
   * @param outputs `[photos, width]`, of the photos `items`
   * @param loss mean loss of those photos
   */
  validation(outputs: Float32Array, items: readonly number[], loss: number): Validation;
}

/** What the graph's inputs {@link TARGETS} and {@link WEIGHTS} are fed. */
interface TaskLabels {
  /** `[batch, width]` */
  readonly targets: Float32Array;
  /** `[batch, weightWidth]` */
  readonly weights: Float32Array;
}

export const TARGETS = 'label.targets';
export const WEIGHTS = 'label.weights';

/** Labels as a program takes them. */
export function taskFeeds({ targets, weights }: TaskLabels): Record<string, Feed> {
  return { [TARGETS]: targets, [WEIGHTS]: weights };
}

/** Of the head's first weights. */
const HEAD_DEVIATION = 0.01;

/**
 * A task as the objective of a network with one linear layer, `head`, on all features of a photo. Examples are places
 * in the task's list.
 *
 * @param rate share of the features dropped in training
 */
export function linearObjective(task: LinearTask, rate: number): Objective<readonly number[]> {
  const at = (places: readonly number[], items: readonly number[]): number[] =>
    items.map((item) => places[item] as number);
  const answers = (scope: Scope, { parts }: Features): Tensor => {
    const head = scope.in('head');
    const vectors = reshape(parts, [lengthAt(parts.shape, 0), -1]);
    // Answers start alike for all photos, so that the first steps do not pull the backbone anywhere.
    return linearLayer(head, dropout(head, vectors, rate), task.width, {
      weightInitializer: truncatedNormal(HEAD_DEVIATION),
      biasInitializer: zeros,
    });
  };
  return {
    width: task.width,
    answers,
    loss(scope, features) {
      const batch = lengthAt(features.parts.shape, 0);
      const outputs = answers(scope, features);
      const targets = input(TARGETS, [batch, task.width]);
      return {
        answers: outputs,
        loss: task.loss(outputs, targets, input(WEIGHTS, [batch, task.weightWidth])),
      };
    },
    feeds: (places, items, batch, drawn) => taskFeeds(task.labels(at(places, items), batch, drawn?.mix)),
    counted: (places, items) => task.counted(at(places, items)),
    validation: (places, outputs, loss) => task.validation(outputs, places, loss),
    progress: (line) => (line['validation loss'] === undefined ? undefined : -line['validation loss']),
  };
}
