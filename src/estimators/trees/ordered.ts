import type { RandomStream } from '../../ground/random.ts';
import type { Objective } from './objectives.ts';

/** What a step of boosting needs of the rows. `targets[row · outputs + output]`. */
export interface OutputRows {
  readonly rows: number;
  readonly outputs: number;
  readonly targets: Float64Array;
  readonly weights: Float64Array;
}

/**
 * Ordered boosting (Prokhorenkova et al. 2018, section 4.2): supporting models, each trained on the rows
 * before a point of a random order, give every row a gradient from a model that has not seen it. Points double,
 * so that the work stays in proportion to the rows.
 */
export interface OrderedScores {
  /** Writes the score each row has in the model that must not know it. */
  unseenScores(into: Float64Array): void;
  /** Teaches the supporting models a new tree's leaves, each from its own rows. */
  learn(leaves: Int32Array, leafCount: number, learningRate: number, l2: number): void;
}

/** A supporting model: learns from the first `body` rows of the order, is asked for those up to `reach`. */
interface Segment {
  readonly body: number;
  readonly reach: number;
  readonly scores: Float64Array;
}

export function orderedScores(
  data: OutputRows,
  objectives: readonly Objective[],
  start: Float64Array,
  random: RandomStream,
): OrderedScores {
  const { rows, outputs, targets, weights } = data;
  const order = Int32Array.from(random.shuffled(Array.from({ length: rows }, (_, row) => row)));
  const segments: Segment[] = [];
  for (let body = 1; body < rows; body *= 2) {
    const reach = Math.min(rows, 2 * body);
    const scores = new Float64Array(rows * outputs);
    for (let at = 0; at < scores.length; at++) scores[at] = start[at % outputs] as number;
    segments.push({ body, reach, scores });
  }
  return {
    unseenScores(into) {
      const first = order[0] as number;
      for (let k = 0; k < outputs; k++) into[first * outputs + k] = start[k] as number;
      for (const { body, reach, scores } of segments) {
        for (let at = body; at < reach; at++) {
          const row = order[at] as number;
          for (let k = 0; k < outputs; k++) into[row * outputs + k] = scores[row * outputs + k] as number;
        }
      }
    },
    learn(leaves, leafCount, learningRate, l2) {
      for (const { body, reach, scores } of segments) {
        const pulls = new Float64Array(leafCount * outputs);
        const mass = new Float64Array(leafCount);
        for (let at = 0; at < body; at++) {
          const row = order[at] as number;
          const leaf = leaves[row] as number;
          const weight = weights[row] as number;
          mass[leaf] = (mass[leaf] as number) + weight;
          for (let k = 0; k < outputs; k++) {
            const item = row * outputs + k;
            const gradient = (objectives[k] as Objective).gradient(
              scores[item] as number,
              targets[item] as number,
            );
            pulls[leaf * outputs + k] = (pulls[leaf * outputs + k] as number) - weight * gradient;
          }
        }
        for (let at = 0; at < reach; at++) {
          const row = order[at] as number;
          const leaf = leaves[row] as number;
          const scale = learningRate / ((mass[leaf] as number) + l2);
          if (!Number.isFinite(scale)) continue;
          for (let k = 0; k < outputs; k++) {
            const item = row * outputs + k;
            scores[item] = (scores[item] as number) + scale * (pulls[leaf * outputs + k] as number);
          }
        }
      }
    },
  };
}
