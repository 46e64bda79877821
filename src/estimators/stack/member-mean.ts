import { TARGET_NAMES, type Targets, targetsFromArray, targetsToArray } from '../../pasture/targets.ts';
import { add, cast, multiply, type Tensor } from '../../tensor/index.ts';
import { metricProducts, residualProducts } from '../combination/residual-products.ts';
import { simplexLeastSquares } from '../combination/simplex-least-squares.ts';
import { applySpread, fitSpread, type Spread, spreadGraph } from './spread.ts';

/** How members' predictions become one. */
export interface MemberMean {
  /** Of each member, not negative. */
  readonly weights: readonly number[];
  readonly spread: Spread | null;
}

/** What a combination is fitted with. */
export interface MemberMeanSettings {
  /** Of the weights, where none are given. */
  readonly penalty: number;
  readonly spreadPenalty: number | null;
}

/**
 * Combines members by what they predict for photos whose session they have not seen: a weighted mean (see
 * {@link shrunkWeights}), whose spread about its own mean is then fitted component by component (`fitSpread`).
 *
 * @param members predictions, grams, `[member][photo]`
 * @param targets masses that the spread is fitted to, grams, all of every photo
 * @param observed those by which members are weighed: NaN where one was not measured
 * @param given weights that are settled; null: they are fitted
 */
export function fitMemberMean(
  members: readonly (readonly Targets[])[],
  targets: readonly Targets[],
  { penalty, spreadPenalty }: MemberMeanSettings,
  observed: readonly Targets[] = targets,
  given: readonly number[] | null = null,
): MemberMean {
  const weights = given ?? shrunkWeights(members, observed, penalty);
  const mean = weightedMean(members, weights);
  return { weights, spread: spreadPenalty === null ? null : fitSpread(mean, targets, spreadPenalty) };
}

/** One physical prediction a photo of all members'. */
export function memberMean(
  members: readonly (readonly Targets[])[],
  { weights, spread }: MemberMean,
): Targets[] {
  const mean = weightedMean(members, weights);
  return spread ? mean.map((targets) => applySpread(targets, spread)) : mean;
}

/**
 * {@link memberMean} as a graph.
 *
 * @param members `[batch, 5]` grams each; null: a member without weight, which has no part in it
 */
export function memberMeanGraph(
  members: readonly (Tensor | null)[],
  { weights, spread }: MemberMean,
): Tensor {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = members
    .flatMap((masses, member) =>
      masses ? [multiply(cast(masses, 'float64'), (weights[member] ?? 0) / total)] : [],
    )
    .reduce((sum, masses) => add(sum, masses));
  return spread ? spreadGraph(mean, spread) : mean;
}

/**
 * Weights of a mean of members, not negative and summing to 1, by ridge regression on their predictions: least
 * squared error in the metric, plus `penalty` times the members' mean squared error times Σ w², which is least
 * when all weights are equal. Few sessions cannot tell close members apart, and without the penalty whichever
 * happened to do best would take all.
 */
export function shrunkWeights(
  members: readonly (readonly Targets[])[],
  observed: readonly Targets[],
  penalty: number,
): number[] {
  const products = metricProducts(residualProducts(members, observed));
  const meanSquare = products.reduce((sum, row, member) => sum + (row[member] ?? 0), 0) / members.length;
  return simplexLeastSquares(
    products.map((row, i) => row.map((value, j) => (i === j ? value + penalty * meanSquare : value))),
  );
}

/** The weighted mean; a mean of physical masses is physical. */
function weightedMean(members: readonly (readonly Targets[])[], weights: readonly number[]): Targets[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return (members[0] ?? []).map((_, photo) => {
    const sums = TARGET_NAMES.map(() => 0);
    members.forEach((predicted, member) => {
      const share = (weights[member] ?? 0) / total;
      targetsToArray(predicted[photo] as Targets).forEach((mass, target) => {
        sums[target] = (sums[target] ?? 0) + share * mass;
      });
    });
    return targetsFromArray(sums);
  });
}
