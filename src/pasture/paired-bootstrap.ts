import { randomStream } from '../ground/random.ts';
import { mean, quantileSorted } from '../ground/statistics.ts';
import type { Interval } from './intervals/index.ts';
import { TARGET_NAMES, TARGET_WEIGHTS, type TargetName, type Targets, targetsToArray } from './targets.ts';

/** A difference with the interval that covers the middle of the bootstrap draws. */
export interface Difference extends Interval {
  readonly estimate: number;
}

/** What two sets of predictions of the same photos are to be compared by. */
export interface PairedPredictions {
  readonly observed: readonly Targets[];
  /** Photos that are drawn together: sampling sessions. */
  readonly units: readonly string[];
  /** Predictions of the first, `[repeat][photo]`; repeats (seeds) are averaged in score, not in mass. */
  readonly first: readonly (readonly Targets[])[];
  readonly second: readonly (readonly Targets[])[];
}

/** How the first scores against the second; differences are first − second. */
export interface PairedDifference {
  readonly weightedR2: Difference;
  /** Share of draws in which the first scores higher; ties count half. */
  readonly probabilityFirstBetter: number;
  /** Differences of each target's R². */
  readonly perTarget: Readonly<Record<TargetName, Difference>>;
}

/** How often sessions are drawn, and how wide intervals are. */
export interface BootstrapSettings {
  readonly draws: number;
  readonly seed: number;
  /** Part of the draws inside an interval, 0 to 1. */
  readonly confidence: number;
}

export const BOOTSTRAP_DEFAULTS: BootstrapSettings = { draws: 10_000, seed: 42, confidence: 0.95 };

/** Sums over a unit's photos, by target. */
interface UnitSums {
  /** Photos of which the target was measured. */
  readonly photos: readonly number[];
  readonly mass: readonly number[];
  readonly squaredMass: readonly number[];
  /** Squared errors of first and second, means over the repeats. */
  readonly errors: readonly (readonly number[])[];
}

/**
 * Paired bootstrap over units (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13): units
 * are drawn with replacement, both predictions are scored on what was drawn, and the differences give a percentile
 * interval. Photos of one session err together, so that drawing photos one by one would promise too much.
 *
 * @throws RangeError when there is no photo or lengths differ
 */
export function pairedBootstrap(pairs: PairedPredictions, settings: BootstrapSettings): PairedDifference {
  const sums = sumUnits(pairs);
  const once = sums.map(() => 1);
  const estimate = differences(scoresOf(sums, once));
  const random = randomStream(settings.seed).fork('bootstrap');
  const draws = Array.from({ length: settings.draws }, () => {
    const counts = new Array<number>(sums.length).fill(0);
    for (let draw = 0; draw < sums.length; draw++) {
      const unit = random.integer(sums.length);
      counts[unit] = (counts[unit] ?? 0) + 1;
    }
    return differences(scoresOf(sums, counts));
  });
  const interval = (pick: (difference: number[]) => number): Difference => {
    const sorted = draws
      .map(pick)
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
    const tail = (1 - settings.confidence) / 2;
    return {
      estimate: pick(estimate),
      low: quantileSorted(sorted, tail),
      high: quantileSorted(sorted, 1 - tail),
    };
  };
  const weighted = draws.map((draw) => draw[0] ?? Number.NaN).filter(Number.isFinite);
  const wins = weighted.reduce((sum, value) => sum + (value > 0 ? 1 : value === 0 ? 0.5 : 0), 0);
  const entries = TARGET_NAMES.map(
    (name, target) => [name, interval((difference) => difference[target + 1] ?? Number.NaN)] as const,
  );
  return {
    weightedR2: interval((difference) => difference[0] ?? Number.NaN),
    probabilityFirstBetter: wins / weighted.length,
    perTarget: Object.fromEntries(entries) as Record<TargetName, Difference>,
  };
}

function sumUnits({ observed, units, first, second }: PairedPredictions): UnitSums[] {
  const lengths = [units, ...first, ...second].map((list) => list.length);
  if (observed.length === 0 || lengths.some((length) => length !== observed.length)) {
    throw new RangeError('a comparison needs the same photos, at least one, on both sides');
  }
  const names = [...new Set(units)];
  return names.map((name) => {
    const photos = observed.map((_, photo) => photo).filter((photo) => units[photo] === name);
    const over = (value: (photo: number, target: number) => number): number[] =>
      TARGET_NAMES.map((_, target) =>
        photos.reduce(
          (sum, photo) => (Number.isNaN(mass(photo, target)) ? sum : sum + value(photo, target)),
          0,
        ),
      );
    const mass = (photo: number, target: number): number => massOf(observed[photo], target);
    const squaredErrors = (repeats: readonly (readonly Targets[])[]): number[] =>
      over((photo, target) =>
        mean(repeats.map((rows) => (massOf(rows[photo], target) - mass(photo, target)) ** 2)),
      );
    return {
      photos: over(() => 1),
      mass: over(mass),
      squaredMass: over((photo, target) => mass(photo, target) ** 2),
      errors: [squaredErrors(first), squaredErrors(second)],
    };
  });
}

function massOf(targets: Targets | undefined, target: number): number {
  return targets ? (targetsToArray(targets)[target] ?? Number.NaN) : Number.NaN;
}

/** Weighted R², then each target's R², of first and second, when each unit counts as often as `counts` says. */
function scoresOf(sums: readonly UnitSums[], counts: readonly number[]): number[][] {
  const total = (value: (unit: UnitSums) => number): number =>
    sums.reduce((sum, unit, index) => sum + (counts[index] ?? 0) * value(unit), 0);
  const targets = TARGET_NAMES.map((_, target) => ({
    photos: total((unit) => unit.photos[target] ?? 0),
    mass: total((unit) => unit.mass[target] ?? 0),
    squaredMass: total((unit) => unit.squaredMass[target] ?? 0),
    errors: [0, 1].map((side) => total((unit) => unit.errors[side]?.[target] ?? 0)),
  }));
  const weigh = (value: (of: (typeof targets)[number]) => number): number =>
    targets.reduce((sum, of, target) => sum + (TARGET_WEIGHTS[target] ?? 0) * value(of), 0);
  const weightSum = weightSumOf(targets.map(({ photos }) => photos));
  const squares = weigh((of) => of.squaredMass);
  const spread = squares - weigh((of) => of.mass) ** 2 / weightSum;
  const weighted = [0, 1].map((side) => {
    const errors = weigh((of) => of.errors[side] ?? 0);
    return share(errors, spread, squares);
  });
  const byTarget = targets.map((of) =>
    of.errors.map((errors) => share(errors, of.squaredMass - of.mass ** 2 / of.photos, of.squaredMass)),
  );
  return [weighted, ...byTarget];
}

/** Sum of the weights of all rows that were measured. */
function weightSumOf(photos: readonly number[]): number {
  const [first = 0] = photos;
  // Where all were, in the order of old, on whose last digits recorded comparisons stand.
  if (photos.every((count) => count === first)) {
    return first * TARGET_WEIGHTS.reduce((sum, weight) => sum + weight, 0);
  }
  return photos.reduce((sum, count, target) => sum + count * (TARGET_WEIGHTS[target] ?? 0), 0);
}

/** Spread below this share of the masses' squares is rounding. */
const NO_SPREAD = 1e-12;

/** R² from squared errors and spread; NaN without any spread to explain. */
function share(errors: number, spread: number, squares: number): number {
  return spread > NO_SPREAD * squares ? 1 - errors / spread : Number.NaN;
}

function differences(scores: readonly (readonly number[])[]): number[] {
  return scores.map(([first = Number.NaN, second = Number.NaN]) => first - second);
}
