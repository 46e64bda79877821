import { multiply } from '../../ground/linear-algebra.ts';
import { invertPositiveDefinite } from '../../ground/positive-definite.ts';
import { mean } from '../../ground/statistics.ts';
import { targetsFromComponents } from '../../pasture/physics.ts';
import type { Targets } from '../../pasture/targets.ts';
import {
  add,
  constant,
  multiply as multiplyTensors,
  slice,
  subtract,
  type Tensor,
} from '../../tensor/index.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import { outputBasis } from '../masses/output-basis.ts';

/** A stretch of predictions about a centre, component by component: centre + factor · (predicted − centre). */
export interface Spread {
  /** Green, dead and clover, grams. */
  readonly centre: readonly number[];
  readonly factors: readonly number[];
}

const COMPONENTS = ['green', 'dead', 'clover'] as const;

/**
 * The stretch of least squared error in the metric, by ridge regression towards none: with D the predictions
 * less their mean and M = AᵀWA the metric's products of components, minimises
 * Σ (r − diag(D)(f − 1))ᵀ M (r − diag(D)(f − 1)) + penalty · Σ_c (Σ D_c² M_cc)(f_c − 1)², r being measured −
 * predicted. A mean of predictions that err apart varies less than any of them, and so less than it should
 * (Breiman, Stacked regressions, Machine Learning 24, 1996). Factors are not below 0.
 *
 * @param predicted grams, of photos whose session the models have not seen
 */
export function fitSpread(
  predicted: readonly Targets[],
  observed: readonly Targets[],
  penalty: number,
): Spread {
  const centre = COMPONENTS.map((name) => mean(predicted.map((targets) => targets[name])));
  const size = COMPONENTS.length;
  const metric = metricProducts();
  const normal = new Float64Array(size * size);
  const right = new Float64Array(size);
  predicted.forEach((guess, photo) => {
    const distance = COMPONENTS.map((name, at) => guess[name] - (centre[at] ?? 0));
    const residual = COMPONENTS.map((name) => (observed[photo]?.[name] ?? 0) - guess[name]);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const product = (distance[i] ?? 0) * (metric[i]?.[j] ?? 0);
        normal[i * size + j] = (normal[i * size + j] as number) + product * (distance[j] ?? 0);
        right[i] = (right[i] as number) + product * (residual[j] ?? 0);
      }
    }
  });
  const trace = COMPONENTS.reduce((sum, _, at) => sum + (normal[at * size + at] as number), 0);
  // Components that never vary cannot be stretched, nor may they make the system singular.
  const floor = 1e-12 * (1 + trace);
  for (let at = 0; at < size; at++) {
    normal[at * size + at] = (1 + penalty) * (normal[at * size + at] as number) + floor;
  }
  const inverse = invertPositiveDefinite({ rows: size, columns: size, data: normal });
  if (!inverse) throw new RangeError('predictions that are not finite have no spread');
  const change = multiply(inverse, { rows: size, columns: 1, data: right });
  return { centre, factors: [...change.data.map((value) => Math.max(0, 1 + value))] };
}

/** Stretched masses; what falls below 0 counts as 0 and sums are derived. */
export function applySpread(targets: Targets, { centre, factors }: Spread): Targets {
  const [green = 0, dead = 0, clover = 0] = COMPONENTS.map((name, at) => {
    const middle = centre[at] ?? 0;
    return middle + (factors[at] ?? 1) * (targets[name] - middle);
  });
  return targetsFromComponents({ green, dead, clover });
}

/** `applySpread` as a graph. */
export function spreadGraph(masses: Tensor, { centre, factors }: Spread): Tensor {
  const row = (values: readonly number[]): Tensor =>
    constant(Float64Array.from(values), [1, values.length], 'float64');
  const components = slice(masses, { 1: [0, centre.length] });
  const distance = subtract(components, row(centre));
  return massesFromComponents(add(multiplyTensors(distance, row(factors)), row(centre)));
}

/** AᵀWA = LLᵀ from the basis Lᵀ. */
function metricProducts(): number[][] {
  const upper = outputBasis('metric').toOutputs;
  return COMPONENTS.map((_, i) =>
    COMPONENTS.map((__, j) => upper.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0)),
  );
}
