import type { Matrix } from '../../ground/matrix.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { ObliviousParameters } from './boost-settings.ts';
import { leafQuantiles, type Objective } from './objectives.ts';

/** Targets and the weight of each row. */
export interface WeightedTargets {
  /** [rows, outputs] */
  readonly targets: Matrix;
  readonly weights: Float64Array;
}

/**
 * Leaf values `[leaf · outputs + output]`, learning rate included: Newton or gradient steps on all rows, or the
 * quantile of the residuals where that is the loss's optimum. Empty leaves get 0.
 *
 * @param scores of the rows before the tree, `[row · outputs + output]`
 * @param leaves leaf of each row
 */
export function estimateLeaves(
  data: WeightedTargets,
  objective: Objective,
  scores: Float64Array,
  l2: number,
  rules: ObliviousParameters,
  leaves: Int32Array,
  leafCount: number,
): Float64Array {
  const share = objective.leafQuantile;
  let values: Float64Array;
  if (share === null) values = steppedLeaves(data, objective, scores, l2, rules, leaves, leafCount);
  else {
    const rowsOf = Array.from({ length: leafCount }, (): number[] => []);
    for (const [row, leaf] of leaves.entries()) rowsOf[leaf]?.push(row);
    values = leafQuantiles(rowsOf, data.targets, scores, data.weights, share);
  }
  return values.map((value) => rules.learningRate * value);
}

function steppedLeaves(
  data: WeightedTargets,
  objective: Objective,
  scores: Float64Array,
  l2: number,
  { leafEstimationIterations, leafEstimationMethod }: ObliviousParameters,
  leaves: Int32Array,
  leafCount: number,
): Float64Array {
  const values = new Float64Array(leafCount * data.targets.columns);
  const rows = Int32Array.from(leaves.keys());
  const newton = leafEstimationMethod === 'Newton';
  for (let step = 0; step < leafEstimationIterations; step++) {
    const { pulls, curves } = leafSums(data, objective, scores, values, leaves, rows, newton);
    for (let at = 0; at < values.length; at++) {
      const curve = (curves[at] as number) + l2;
      if (curve > 0) values[at] = (values[at] as number) + (pulls[at] as number) / curve;
    }
  }
  return values;
}

/** Sums over the given rows of each leaf, with its value so far added to their scores; weights instead of second derivatives unless `newton`. */
function leafSums(
  { targets, weights }: WeightedTargets,
  objective: Objective,
  scores: Float64Array,
  values: Float64Array,
  leaves: Int32Array,
  rows: Int32Array,
  newton: boolean,
): { readonly pulls: Float64Array; readonly curves: Float64Array } {
  const outputs = targets.columns;
  const pulls = new Float64Array(values.length);
  const curves = new Float64Array(values.length);
  for (const row of rows) {
    const weight = weights[row] as number;
    for (let k = 0; k < outputs; k++) {
      const at = (leaves[row] as number) * outputs + k;
      const score = (scores[row * outputs + k] as number) + (values[at] as number);
      const target = targets.data[row * outputs + k] as number;
      pulls[at] = (pulls[at] as number) - weight * objective.gradient(score, target);
      curves[at] = (curves[at] as number) + weight * (newton ? objective.hessian(score, target) : 1);
    }
  }
  return { pulls, curves };
}

/**
 * Ordered boosting (Prokhorenkova et al. 2018, section 4.2): supporting models, each trained on the rows
 * before a point of a random order, give every row a gradient from a model that has not seen it. Points double,
 * so that the work stays in proportion to the rows.
 */
export interface OrderedScores {
  /** Writes the score each row has in the model that must not know it. */
  unseenScores(into: Float64Array): void;
  /** Adds a new tree's leaves to the supporting models, each fitted to its own rows. */
  update(leaves: Int32Array, leafCount: number): void;
}

/** @param start scores that every model starts from, one an output */
export function orderedScores(
  data: WeightedTargets,
  objective: Objective,
  start: Float64Array,
  { learningRate }: ObliviousParameters,
  l2: number,
  random: RandomStream,
): OrderedScores {
  const { rows, columns: outputs } = data.targets;
  const order = Int32Array.from(random.shuffled(Array.from({ length: rows }, (_, row) => row)));
  // A model is trained on the first `body` rows of the order, and is asked for those up to `reach`.
  const models: { readonly body: number; readonly reach: number; readonly scores: Float64Array }[] = [];
  for (let body = 1; body < rows; body *= 2) {
    models.push({ body, reach: Math.min(rows, 2 * body), scores: repeated(start, rows) });
  }
  return {
    unseenScores(into) {
      into.set(start, (order[0] as number) * outputs);
      for (const { body, reach, scores } of models) {
        for (const row of order.subarray(body, reach)) {
          into.set(scores.subarray(row * outputs, (row + 1) * outputs), row * outputs);
        }
      }
    },
    update(leaves, leafCount) {
      const none = new Float64Array(leafCount * outputs);
      for (const { body, reach, scores } of models) {
        const { pulls, curves } = leafSums(
          data,
          objective,
          scores,
          none,
          leaves,
          order.subarray(0, body),
          false,
        );
        for (const row of order.subarray(0, reach)) {
          for (let k = 0; k < outputs; k++) {
            const at = (leaves[row] as number) * outputs + k;
            const scale = learningRate / ((curves[at] as number) + l2);
            if (!Number.isFinite(scale)) continue;
            const item = row * outputs + k;
            scores[item] = (scores[item] as number) + scale * (pulls[at] as number);
          }
        }
      }
    },
  };
}

/** Values over and over again. */
export function repeated(values: Float64Array, times: number): Float64Array {
  const result = new Float64Array(values.length * times);
  for (let at = 0; at < times; at++) result.set(values, at * values.length);
  return result;
}
