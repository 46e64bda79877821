import type { RandomStream } from '../../ground/random.ts';
import { TARGET_NAMES, type Targets, targetsFromArray, targetsToArray } from '../../pasture/targets.ts';
import { GREEDY_DEFAULTS, greedyWeights } from './greedy-selection.ts';
import type { Method } from './methods.ts';
import { metricProducts, residualProducts } from './residual-products.ts';
import { simplexLeastSquares } from './simplex-least-squares.ts';
import { fitStack, type Stack } from './stacking.ts';

/** How members are combined. */
export interface CombinationSettings {
  readonly method: Method;
  /** Whether every target has weights of its own; the sums then need a projection. */
  readonly perTarget: boolean;
  /** How strongly `nnls` pulls weights towards equal ones; 0: not at all. */
  readonly shrink: number;
  /** Weights by hand, one a member, for `given`. */
  readonly weights?: readonly number[];
}

/** Predictions of several members on the same photos, with what was measured. */
export interface MemberPredictions {
  /** Grams, `[member][photo]` */
  readonly members: readonly (readonly Targets[])[];
  readonly observed: readonly Targets[];
  readonly sessions: readonly string[];
}

/** A combination ready for use. */
export interface Combination {
  /** `[target][member]`, each row of sum 1; null for a stack. */
  readonly weights: readonly (readonly number[])[] | null;
  readonly stack: Stack | null;
  /** Masses from `[member][photo]`, grams; of own weights for each target they may break the identities. */
  combine(members: readonly (readonly Targets[])[]): Promise<Targets[]>;
}

/** Fits a combination to out-of-fold predictions. @throws RangeError when weights by hand cannot be used */
export async function fitCombination(
  settings: CombinationSettings,
  rows: MemberPredictions,
  random: RandomStream,
): Promise<Combination> {
  const { members, observed, sessions } = rows;
  if (settings.method === 'stacking') {
    return stackedCombination(await fitStack(members, observed, sessions, random));
  }
  if (settings.method === 'given' || settings.method === 'mean') {
    const shares = settings.method === 'mean' ? members.map(() => 1) : (settings.weights ?? []);
    return weightedCombination(sameForAll(shareOut(shares, members.length)));
  }
  const weigh = (products: readonly (readonly number[])[]): number[] =>
    settings.method === 'nnls'
      ? simplexLeastSquares(products, settings.shrink)
      : greedyWeights(products, GREEDY_DEFAULTS, random.fork('greedy'));
  const products = residualProducts(members, observed);
  return weightedCombination(
    settings.perTarget ? products.map(weigh) : sameForAll(weigh(metricProducts(products))),
  );
}

/** The weighted mean with given weights, `[target][member]`. */
export function weightedCombination(weights: readonly (readonly number[])[]): Combination {
  return {
    weights,
    stack: null,
    async combine(members) {
      const photos = members[0]?.length ?? 0;
      const rows = members.map((predicted) => predicted.map(targetsToArray));
      return Array.from({ length: photos }, (_, photo) =>
        targetsFromArray(
          weights.map((ofTarget, target) =>
            rows.reduce(
              (sum, predicted, member) => sum + (ofTarget[member] ?? 0) * (predicted[photo]?.[target] ?? 0),
              0,
            ),
          ),
        ),
      );
    },
  };
}

/** A stack as a combination. */
export function stackedCombination(stack: Stack): Combination {
  return { weights: null, stack, combine: (members) => stack.combine(members) };
}

function sameForAll(weights: readonly number[]): readonly number[][] {
  return TARGET_NAMES.map(() => [...weights]);
}

/** Weights of sum 1 in proportion to those given. */
function shareOut(weights: readonly number[], count: number): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const usable = weights.every((weight) => Number.isFinite(weight) && weight >= 0);
  if (weights.length !== count || !usable || !(sum > 0)) {
    throw new RangeError(
      `weights ${weights.join(', ')} are not ${count} numbers from 0 up with a positive sum`,
    );
  }
  return weights.map((weight) => weight / sum);
}
