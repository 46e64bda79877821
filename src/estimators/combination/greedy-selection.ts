import type { RandomStream } from '../../ground/random.ts';

/** How greedy selection searches. */
export interface GreedySettings {
  /** Members picked in each bag, the same one perhaps many times. */
  readonly picks: number;
  /** Bags whose weights are averaged; each knows a random part of the members. */
  readonly bags: number;
  /** Part of the members that each bag knows, 0 to 1; at least one. */
  readonly share: number;
}

/** As Caruana et al. have it, with more picks: weights in steps of a fiftieth. */
export const GREEDY_DEFAULTS: GreedySettings = { picks: 50, bags: 20, share: 0.5 };

/**
 * The members picked one after another, each the one whose addition to the plain mean of those before errs least, a
 * member as often as it helps (Caruana, Niculescu-Mizil, Crew & Ksikes, Ensemble selection from libraries of
 * models, ICML 2004). Ties go to the earlier member.
 *
 * @param products G, `[i][j]` = Σ weight · e_i · e_j
 * @param candidates members that may be picked
 * @returns the picks up to the point where the mean erred least
 */
export function greedyPicks(
  products: readonly (readonly number[])[],
  candidates: readonly number[],
  picks: number,
): number[] {
  const chosen: number[] = [];
  const reach = products.map(() => 0);
  let squares = 0;
  let best = { length: 0, error: Number.POSITIVE_INFINITY };
  while (chosen.length < picks) {
    const count = chosen.length + 1;
    const errorWith = (member: number): number =>
      (squares + 2 * (reach[member] ?? 0) + (products[member]?.[member] ?? 0)) / count ** 2;
    const next = candidates.reduce((a, b) => (errorWith(b) < errorWith(a) ? b : a));
    const error = errorWith(next);
    squares = error * count ** 2;
    products.forEach((row, member) => {
      reach[member] = (reach[member] ?? 0) + (row[next] ?? 0);
    });
    chosen.push(next);
    if (error < best.error) best = { length: count, error };
  }
  return chosen.slice(0, best.length);
}

/** Weights by greedy selection, averaged over bags of members. One weight a member; they sum to 1. */
export function greedyWeights(
  products: readonly (readonly number[])[],
  settings: GreedySettings,
  random: RandomStream,
): number[] {
  const members = products.map((_, member) => member);
  const known = Math.max(1, Math.round(settings.share * members.length));
  const weights = members.map(() => 0);
  for (let bag = 0; bag < settings.bags; bag++) {
    const candidates = random
      .shuffled(members)
      .slice(0, known)
      .sort((a, b) => a - b);
    const chosen = greedyPicks(products, candidates, settings.picks);
    for (const member of chosen) {
      weights[member] = (weights[member] ?? 0) + 1 / (chosen.length * settings.bags);
    }
  }
  return weights;
}
