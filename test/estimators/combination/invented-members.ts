import type { PipelineRows } from '../../../src/estimators/combination/pipeline.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { targetsFromComponents } from '../../../src/pasture/physics.ts';
import { type Targets, targetsToArray } from '../../../src/pasture/targets.ts';

/** Photos of ten sessions in two States, with members that err by the deviations given, grams. */
export function inventedMembers(photos: number, deviations: readonly number[], seed = 1): PipelineRows {
  const random = randomStream(seed);
  const observed = Array.from({ length: photos }, () =>
    targetsFromComponents({
      green: 60 * random.uniform(),
      dead: 30 * random.uniform(),
      clover: 20 * random.uniform(),
    }),
  );
  const erring = (deviation: number): Targets[] =>
    observed.map(({ green, dead, clover }) =>
      targetsFromComponents({
        green: green + deviation * random.normal(),
        dead: dead + deviation * random.normal(),
        clover: clover + deviation * random.normal(),
      }),
    );
  return {
    members: deviations.map(erring),
    observed,
    sessions: observed.map((_, photo) => `session ${photo % 10}`),
    states: observed.map((_, photo) => (photo % 2 === 0 ? 'WA' : 'Tas')),
  };
}

/** Largest difference of any mass of any photo, grams. */
export function largestDifference(a: readonly Targets[], b: readonly Targets[]): number {
  return Math.max(
    ...a.map((targets, photo) => {
      const other = targetsToArray(b[photo] as Targets);
      return Math.max(
        ...targetsToArray(targets).map((mass, target) => Math.abs(mass - (other[target] ?? 0))),
      );
    }),
  );
}
