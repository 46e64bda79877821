import type { PhotoMasses } from '../data/predictions.ts';
import type { CovariateSet } from '../pasture/covariates.ts';
import type { Interval } from '../pasture/intervals/interval.ts';
import {
  type ByMass,
  byMass,
  scaledMasses,
  TARGET_NAMES,
  type Targets,
  targetsFromArray,
  targetsToArray,
} from '../pasture/targets.ts';
import type { Framing } from '../vision/framing/index.ts';

/** How far predictions of each mass scatter, grams. Spreads do not add up as masses do. */
export type Spread = ByMass<number>;

/** What a run says of one photo, masses in grams a quadrat. `targets` is the mean over the fold models. */
export interface PhotoPrediction extends PhotoMasses {
  /** Where the photo lies; null for a row of a feature file. */
  readonly path: string | null;
  /** What each fold's model says. */
  readonly folds: readonly Targets[];
  /** Standard deviation with dropout left on, mean over the fold models; null unless asked for. */
  readonly dropoutSpread: Spread | null;
  /** What each fold's model says with dropout left on, `[fold][sample]`; of members of an ensemble, where asked for. */
  readonly dropoutDraws?: readonly (readonly Targets[])[];
  /** Where each mass lies with the coverage asked for; null unless asked for. */
  readonly intervals: ByMass<Interval> | null;
  /**
   * Share of training photos, each seen from the other sessions, that are nearer to what was trained on (0 to
   * 1); null where the run keeps no record of its inputs.
   */
  readonly outOfDomain: number | null;
  /**
   * Whether the run, or any member of an ensemble, was trained on this very photo, by its content: its answer is then
   * memory; null where that is not known.
   */
  readonly trainedOn: boolean | null;
  /** Of a run with covariates: those that were read of this photo; none: the photo alone. */
  readonly covariates?: CovariateSet;
  /** Those of them whose reading lies outside of what the run was trained on, in words. */
  readonly outside?: readonly string[];
  /** Why a reading that was given is not used, in words. */
  readonly refused?: string;
  /** What of the photo counted; absent where all of every photo does. */
  readonly framing?: Framing;
}

/**
 * A prediction on a frame of another area. What a photo shows of a sward is how much stands on each square metre: on
 * `scale` times the area stand `scale` times the grams.
 */
export function onFrame(prediction: PhotoPrediction, scale: number): PhotoPrediction {
  if (scale === 1) return prediction;
  const { targets, folds, dropoutSpread, dropoutDraws, intervals } = prediction;
  const scaled = (masses: Targets): Targets => scaledMasses(masses, scale);
  return {
    ...prediction,
    targets: scaled(targets),
    folds: folds.map(scaled),
    dropoutSpread: dropoutSpread && scaled(dropoutSpread),
    ...(dropoutDraws && { dropoutDraws: dropoutDraws.map((fold) => fold.map(scaled)) }),
    intervals: intervals && intervalsOnFrame(intervals, scale),
  };
}

/** Intervals of masses on a frame of `scale` times the area. */
export const intervalsOnFrame = (intervals: ByMass<Interval>, scale: number): ByMass<Interval> =>
  byMass((mass) => ({ low: intervals[mass].low * scale, high: intervals[mass].high * scale }));

/** The weighted mean of several predictions of one photo; means of physical masses are physical. */
export function meanTargets(predictions: readonly Targets[], weights?: readonly number[]): Targets {
  const shares = weights ?? predictions.map(() => 1);
  const total = shares.reduce((sum, weight) => sum + weight, 0);
  const sums = TARGET_NAMES.map(() => 0);
  predictions.forEach((targets, index) => {
    targetsToArray(targets).forEach((mass, target) => {
      sums[target] = (sums[target] ?? 0) + (mass * (shares[index] ?? 0)) / total;
    });
  });
  return targetsFromArray(sums);
}

/** Standard deviation (n − 1) of each mass over several predictions of one photo; 0 for a single one. */
export function spreadOf(predictions: readonly Targets[]): Spread {
  const mean = targetsToArray(meanTargets(predictions));
  return byMass((_, target) => {
    const squares = predictions.reduce(
      (sum, targets) => sum + ((targetsToArray(targets)[target] ?? 0) - (mean[target] ?? 0)) ** 2,
      0,
    );
    return Math.sqrt(squares / Math.max(1, predictions.length - 1));
  });
}

/** The spread whose variance is the mean of the variances. */
export function pooledSpread(spreads: readonly Spread[]): Spread {
  return byMass((name) =>
    Math.sqrt(spreads.reduce((sum, spread) => sum + spread[name] ** 2, 0) / spreads.length),
  );
}

/** Masses said with dropout left on, grams. `[fold][draw][sample]` */
export type DropoutDraws = readonly (readonly (readonly Targets[])[])[];

/**
 * Spread of each sample's masses: the standard deviation over the draws of each fold, the folds' variances averaged,
 * so that what the models differ in stays out.
 */
export function dropoutSpreads(folds: DropoutDraws): Spread[] {
  const samples = folds[0]?.[0]?.length ?? 0;
  return Array.from({ length: samples }, (_, sample) =>
    pooledSpread(folds.map((draws) => spreadOf(draws.map((draw) => draw[sample] as Targets)))),
  );
}
