import type { Targets } from '../pasture/targets.ts';

import { dropoutSpreads, type PhotoPrediction, type Spread } from './prediction.ts';

/** What an ensemble makes of one choice of what each member says of each photo, grams a photo. */
export type MemberAnswer = (pick: (prediction: PhotoPrediction) => Targets) => Promise<Targets[]>;

/**
 * Spread of an ensemble's masses with dropout left on: in every draw each member with dropout draws by itself, one
 * without says what it always says, and weights and post-processing make one answer of all. A member's variance so
 * counts by the square of its weight. As with a single run, variances of the fold models are averaged; where members
 * have different numbers of them, they meet in turn until each has come equally often.
 *
 * @param predictions of all members
 * @param samples draws that members with dropout have
 */
export async function ensembleDropoutSpreads(
  predictions: readonly PhotoPrediction[],
  samples: number,
  answer: MemberAnswer,
): Promise<Spread[]> {
  const counts = new Set(predictions.map(({ folds }) => folds.length));
  const rounds = [...counts].reduce(leastCommonMultiple, 1);
  const draws: Targets[][][] = [];
  for (let round = 0; round < rounds; round++) {
    const drawn: Targets[][] = [];
    for (let sample = 0; sample < samples; sample++) {
      drawn.push(
        await answer(({ folds, dropoutDraws }) => {
          const fold = round % folds.length;
          return (dropoutDraws?.[fold]?.[sample] ?? folds[fold]) as Targets;
        }),
      );
    }
    draws.push(drawn);
  }
  return dropoutSpreads(draws);
}

function leastCommonMultiple(a: number, b: number): number {
  const divisor = (one: number, other: number): number => (other === 0 ? one : divisor(other, one % other));
  return (a / divisor(a, b)) * b;
}
