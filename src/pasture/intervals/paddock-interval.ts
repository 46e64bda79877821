import { mean } from '../../ground/statistics.ts';
import {
  type CalibrationRow,
  groupBySession,
  type Interval,
  physicalInterval,
  requireCoverage,
} from './interval.ts';
import { weightedOrderStatistic } from './quantile.ts';
import { fitSpreadModel, type SpreadModel, spreadAt } from './spread-model.ts';
import { type VarianceComponents, varianceComponents } from './variance-components.ts';

/** What intervals of means of photos are made from, for one target; variances in units of the spread squared. */
export interface PaddockCalibration extends VarianceComponents {
  readonly spread: SpreadModel;
  /** How many training sessions there are. */
  readonly sessions: number;
  /** Errors of means over their standard errors: of every run of so many photos of a session, sessions counting alike. */
  scoresOf(photos: number): readonly WeightedScore[];
}

/** A calibration as numbers alone, which tell no photo's mass. */
export interface StoredPaddock extends Omit<PaddockCalibration, 'scoresOf'> {
  /** Value and weight of the scores of one photo, of two, and so on; the last are of all further numbers too. */
  readonly scores: readonly (readonly (readonly [value: number, weight: number])[])[];
}

interface WeightedScore {
  readonly value: number;
  /** Of all a session's scores together 1. */
  readonly weight: number;
}

/** Sets of more photos than this are not stored; a session's common error is nearly all of theirs. */
const LARGEST_STORED = 32;

interface ScaledResidual {
  /** Observed − predicted, grams. */
  readonly residual: number;
  /** Of the spread model, at the prediction. */
  readonly spread: number;
}

/**
 * The spread of one target's residuals and the {@link varianceComponents} of what is left when they are divided by it.
 *
 * @throws RangeError without rows
 */
export function calibratePaddock(rows: readonly CalibrationRow[]): PaddockCalibration {
  if (rows.length === 0) throw new RangeError('intervals need out-of-fold predictions');
  const spread = fitSpreadModel(rows);
  const sessions = groupBySession(rows).map((photos) =>
    photos.map(({ observed, predicted }) => ({
      residual: observed - predicted,
      spread: spreadAt(spread, predicted),
    })),
  );
  const variances = varianceComponents(
    sessions.map((session) => session.map((photo) => photo.residual / photo.spread)),
  );
  return {
    spread,
    ...variances,
    sessions: sessions.length,
    scoresOf: (photos) =>
      sessions.flatMap((session) => setScores(variances, session, Math.min(photos, session.length))),
  };
}

/** A calibration as it can be written; `largest` is the size of the largest training session. */
export function storedPaddock(calibration: PaddockCalibration, largest: number): StoredPaddock {
  const { spread, betweenSessions, withinSessions, sessions } = calibration;
  const sizes = Array.from({ length: Math.min(largest, LARGEST_STORED) }, (_, index) => index + 1);
  const scores = sizes.map((size) =>
    calibration.scoresOf(size).map(({ value, weight }) => [value, weight] as const),
  );
  return { spread, betweenSessions, withinSessions, sessions, scores };
}

/** The calibration that {@link storedPaddock} made numbers of. */
export function restoredPaddock({ scores, ...stored }: StoredPaddock): PaddockCalibration {
  return {
    ...stored,
    scoresOf: (photos) =>
      (scores[Math.min(photos, scores.length) - 1] ?? []).map(([value, weight]) => ({ value, weight })),
  };
}

/**
 * Standard error of the mean prediction of photos of one session, grams. The part that the session has in common
 * does not shrink with their number.
 *
 * @param spreads of the spread model, one a photo
 */
export function errorOfMean(
  { betweenSessions, withinSessions }: VarianceComponents,
  spreads: readonly number[],
): number {
  const squares = spreads.reduce((sum, spread) => sum + spread ** 2, 0);
  return Math.sqrt(betweenSessions * mean(spreads) ** 2 + (withinSessions * squares) / spreads.length ** 2);
}

/**
 * The interval of the mean mass of the photos of one paddock and visit, a session that training has not seen. The
 * error of the mean over its standard error is compared with that of sets of as many photos of each training
 * session, sessions counting alike (hierarchical conformal prediction; Lee, Barber & Willett 2023, Dunn, Wasserman
 * & Ramdas 2023). The session to come counts as one more, without a limit.
 *
 * @param predictions masses of the photos, grams
 * @param coverage share of paddocks whose mean lies within
 */
export function paddockInterval(
  calibration: PaddockCalibration,
  predictions: readonly number[],
  coverage: number,
): Interval {
  requireCoverage(coverage);
  if (predictions.length === 0) throw new RangeError('a mean needs photos');
  const count = calibration.sessions;
  const level = coverage * ((count + 1) / count);
  const scores = calibration.scoresOf(predictions.length);
  const centre = mean(predictions);
  const half =
    weightedOrderStatistic(scores, level) *
    errorOfMean(
      calibration,
      predictions.map((mass) => spreadAt(calibration.spread, mass)),
    );
  return physicalInterval(centre - half, centre, centre + half);
}

/** Scores of every run of `size` photos of a session, its last photos followed by its first. */
function setScores(
  variances: VarianceComponents,
  session: readonly ScaledResidual[],
  size: number,
): WeightedScore[] {
  const starts = size === session.length ? 1 : session.length;
  const twice = [...session, ...session];
  return Array.from({ length: starts }, (_, start) => {
    const photos = twice.slice(start, start + size);
    const error = errorOfMean(
      variances,
      photos.map((photo) => photo.spread),
    );
    const residual = Math.abs(mean(photos.map((photo) => photo.residual)));
    return { value: error > 0 ? residual / error : 0, weight: 1 / starts };
  });
}
