import type { FittedModel } from '../../learning/estimator.ts';
import { add, cast, constant, gather, multiply, slice, subtract, type Tensor } from '../../tensor/index.ts';
import { massesFromComponents } from '../masses/masses-graph.ts';
import type { Combination } from './combination.ts';
import type { Spread } from './spread.ts';
import type { FittedMember } from './stack.ts';

type Graph = NonNullable<FittedModel<never>['graph']>;

/** The members' graphs combined; undefined where a member that counts has none. */
export function stackGraph(
  members: readonly FittedMember[],
  { weights, spread }: Combination,
): Graph | undefined {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const parts: ((features: Tensor) => Tensor)[] = [];
  for (const [index, { columns, model }] of members.entries()) {
    const weight = weights[index] ?? 0;
    if (weight === 0) continue;
    const { graph } = model;
    if (!graph) return undefined;
    parts.push((features) =>
      multiply(cast(graph.call(model, gather(features, columns, 1)), 'float64'), weight / total),
    );
  }
  return (features) => {
    const mean = parts.map((part) => part(features)).reduce((sum, masses) => add(sum, masses));
    return spread ? stretched(mean, spread) : mean;
  };
}

/** `applySpread` as a graph. */
function stretched(masses: Tensor, { centre, factors }: Spread): Tensor {
  const row = (values: readonly number[]): Tensor =>
    constant(Float64Array.from(values), [1, values.length], 'float64');
  const components = slice(masses, { 1: [0, centre.length] });
  const distance = subtract(components, row(centre));
  return massesFromComponents(add(multiply(distance, row(factors)), row(centre)));
}
