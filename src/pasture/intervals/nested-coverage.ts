import { mean } from '../../ground/statistics.ts';
import { type CalibrationRow, groupBySession, type Interval, physicalInterval } from './interval.ts';
import { calibratePaddock, type PaddockCalibration, paddockInterval } from './paddock-interval.ts';
import { calibratePhotos, type PhotoCalibration, scoreLimit } from './photo-interval.ts';
import { type SpreadModel, spreadAt } from './spread-model.ts';

/** How intervals did on sessions that had no part in making them. */
interface Coverage {
  /** Share of photos whose cut lay within. */
  readonly photos: number;
  /** The same share, first taken within each session. */
  readonly sessions: number;
  /** Mean width over photos, grams. */
  readonly width: number;
}

/** One target's coverage at one nominal level. */
export interface NestedCoverage {
  /** What was asked for. */
  readonly nominal: number;
  /** Intervals of single photos. */
  readonly single: Coverage;
  /** Intervals of single photos had they all the same half-width, cut at 0 as well. */
  readonly constant: Coverage;
  /** Intervals of the mean of all photos of a session; one a session. */
  readonly mean: Coverage;
}

const CONSTANT: SpreadModel = { offset: 1, exponent: 0 };

/** A row at a nominal level, or a whole session at it, and the interval made without its session. */
interface Covered {
  readonly session: string;
  readonly observed: number;
  readonly interval: Interval;
}

/** Sessions beyond this many are left out several at a time, which takes little from the others. */
const MOST_PARTS = 40;

/**
 * Leaves each session out in turn: spread, scores and levels come from the other sessions only, so the coverage is
 * that of photos of a new session. Out-of-fold predictions stand for the fold models', which cannot be had without
 * a second session left out.
 *
 * @param nominals coverages to try, as 0.9
 * @returns null with fewer than three sessions, where leaving one out leaves nothing to compare
 */
export function nestedCoverage(
  rows: readonly CalibrationRow[],
  nominals: readonly number[],
): NestedCoverage[] | null {
  const sessions = groupBySession(rows);
  if (sessions.length < 3) return null;
  const parts = Array.from({ length: Math.min(MOST_PARTS, sessions.length) }, (_, part) => {
    const others = sessions.filter((_, index) => index % MOST_PARTS !== part).flat();
    return {
      held: sessions.filter((_, index) => index % MOST_PARTS === part),
      fitted: calibratePhotos(others),
      constant: calibratePhotos(others, CONSTANT),
      paddock: calibratePaddock(others),
    };
  });
  return nominals.map((nominal) => ({
    nominal,
    single: summary(parts.flatMap(({ held, fitted }) => singles(held, fitted, nominal))),
    constant: summary(parts.flatMap(({ held, constant }) => singles(held, constant, nominal))),
    mean: summary(parts.flatMap(({ held, paddock }) => means(held, paddock, nominal))),
  }));
}

type Sessions = readonly (readonly CalibrationRow[])[];

function singles(held: Sessions, calibration: PhotoCalibration, nominal: number): Covered[] {
  const limit = scoreLimit(calibration, nominal);
  return held.flat().map(({ session, predicted, observed }) => {
    const half = limit * spreadAt(calibration.spread, predicted);
    return { session, observed, interval: physicalInterval(predicted - half, predicted, predicted + half) };
  });
}

function means(held: Sessions, calibration: PaddockCalibration, nominal: number): Covered[] {
  return held.map((photos) => {
    const predicted = photos.map((photo) => photo.predicted);
    return {
      session: photos[0]?.session ?? '',
      observed: mean(photos.map((photo) => photo.observed)),
      interval: paddockInterval(calibration, predicted, nominal),
    };
  });
}

/** Room for the rounding of sums and of masses that were written to a file. */
const ROUNDING = 1e-9;

function summary(covered: readonly Covered[]): Coverage {
  const share = (part: readonly Covered[]): number => {
    const inside = part.filter(
      ({ observed, interval: { low, high } }) => observed >= low - ROUNDING && observed <= high + ROUNDING,
    );
    return inside.length / part.length;
  };
  return {
    photos: share(covered),
    sessions: mean(groupBySession(covered).map(share)),
    width: covered.reduce((sum, { interval }) => sum + interval.high - interval.low, 0) / covered.length,
  };
}
