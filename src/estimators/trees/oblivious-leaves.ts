import { type Objective, quantile } from './objectives.ts';
import type { OutputRows } from './ordered.ts';

/** How a leaf's value is found. */
export interface LeafRules {
  readonly learningRate: number;
  readonly leafEstimationIterations: number;
  readonly leafEstimationMethod: 'Newton' | 'Gradient';
}

/**
 * Leaf values `[leaf · outputs + output]`, learning rate included: Newton or gradient steps on all rows, or the
 * quantile of the residuals where that is the loss's optimum. Empty leaves get 0.
 *
 * @param scores of the rows before the tree, `[row · outputs + output]`
 * @param leaves leaf of each row
 */
export function estimateLeaves(
  data: OutputRows,
  objective: Objective,
  scores: Float64Array,
  l2: number,
  rules: LeafRules,
  leaves: Int32Array,
  leafCount: number,
): Float64Array {
  const share = objective.leafQuantile;
  const values =
    share === null
      ? steppedLeaves(data, objective, scores, l2, rules, leaves, leafCount)
      : quantileLeaves(data, scores, share, leaves, leafCount);
  return values.map((value) => rules.learningRate * value);
}

function quantileLeaves(
  { rows, outputs, targets, weights }: OutputRows,
  scores: Float64Array,
  share: number,
  leaves: Int32Array,
  leafCount: number,
): Float64Array {
  const values = new Float64Array(leafCount * outputs);
  const members = Array.from({ length: leafCount }, (): number[] => []);
  for (let row = 0; row < rows; row++) members[leaves[row] as number]?.push(row);
  members.forEach((inLeaf, leaf) => {
    if (inLeaf.length === 0) return;
    const masses = Float64Array.from(inLeaf, (row) => weights[row] as number);
    for (let k = 0; k < outputs; k++) {
      const residuals = Float64Array.from(
        inLeaf,
        (row) => (targets[row * outputs + k] as number) - (scores[row * outputs + k] as number),
      );
      values[leaf * outputs + k] = quantile(residuals, masses, share);
    }
  });
  return values;
}

function steppedLeaves(
  { rows, outputs, targets, weights }: OutputRows,
  objective: Objective,
  scores: Float64Array,
  l2: number,
  rules: LeafRules,
  leaves: Int32Array,
  leafCount: number,
): Float64Array {
  const values = new Float64Array(leafCount * outputs);
  const newton = rules.leafEstimationMethod === 'Newton';
  for (let step = 0; step < rules.leafEstimationIterations; step++) {
    const pulls = new Float64Array(leafCount * outputs);
    const curves = new Float64Array(leafCount * outputs);
    for (let row = 0; row < rows; row++) {
      const leaf = (leaves[row] as number) * outputs;
      const weight = weights[row] as number;
      for (let k = 0; k < outputs; k++) {
        const score = (scores[row * outputs + k] as number) + (values[leaf + k] as number);
        const target = targets[row * outputs + k] as number;
        pulls[leaf + k] = (pulls[leaf + k] as number) - weight * objective.gradient(score, target);
        const curve = newton ? objective.hessian(score, target) : 1;
        curves[leaf + k] = (curves[leaf + k] as number) + weight * curve;
      }
    }
    for (let at = 0; at < values.length; at++) {
      const curve = (curves[at] as number) + l2;
      if (curve > 0) values[at] = (values[at] as number) + (pulls[at] as number) / curve;
    }
  }
  return values;
}
