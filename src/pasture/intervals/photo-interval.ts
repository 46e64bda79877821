import {
  type CalibrationRow,
  groupBySession,
  type Interval,
  physicalInterval,
  requireCoverage,
} from './interval.ts';
import { orderStatistic } from './quantile.ts';
import { fitSpreadModel, type SpreadModel, spreadAt } from './spread-model.ts';

/** What intervals of single photos are made from, for one target. */
export interface PhotoCalibration {
  readonly spread: SpreadModel;
  /** Fold of each training photo. */
  readonly folds: readonly number[];
  /** |observed − predicted| over the spread of each training photo. */
  readonly scores: Float64Array;
  /**
   * For each training photo the share of other sessions' photos with a smaller score: the level at which an
   * interval made without its session just fails to cover it.
   */
  readonly sharesBelow: Float64Array;
}

/**
 * Calibrates intervals on out-of-fold predictions.
 *
 * @param spread how the spread grows with the prediction; fitted where absent
 * @throws RangeError without rows
 */
export function calibratePhotos(rows: readonly CalibrationRow[], spread?: SpreadModel): PhotoCalibration {
  if (rows.length === 0) throw new RangeError('intervals need out-of-fold predictions');
  const model = spread ?? fitSpreadModel(rows);
  const scores = Float64Array.from(
    rows,
    ({ observed, predicted }) => Math.abs(observed - predicted) / spreadAt(model, predicted),
  );
  const sessions = rows.map((row) => row.session);
  const sharesBelow = sharesBelowElsewhere(scores, sessions);
  return { spread: model, folds: rows.map((row) => row.fold), scores, sharesBelow };
}

/**
 * The interval of one photo of a session that training has not seen, by CV+ on scaled residuals (Barber, Candès,
 * Ramdas & Tibshirani, Annals of Statistics 49, 2021) with whole sessions left out. Each training photo puts its
 * own residual, scaled to the spread at this prediction, around what the model that did not see it says of this
 * photo; the interval's ends are order statistics of these. Photos of one session err alike, so their number is
 * worth less than it seems: the level is the one at which sessions left out in turn are covered as asked.
 *
 * @param prediction what the run says, grams
 * @param foldPredictions what each fold's model says; empty where not known, then the prediction stands for all
 * @param coverage share of photos whose cut lies within, as 0.9
 */
export function photoInterval(
  calibration: PhotoCalibration,
  prediction: number,
  foldPredictions: readonly number[],
  coverage: number,
): Interval {
  requireCoverage(coverage);
  const { spread, folds, scores } = calibration;
  const level = calibratedLevel(calibration, coverage);
  const lows = new Float64Array(scores.length);
  const highs = new Float64Array(scores.length);
  scores.forEach((score, row) => {
    const centre = foldPredictions[folds[row] ?? -1] ?? prediction;
    const half = score * spreadAt(spread, centre);
    lows[row] = half - centre;
    highs[row] = centre + half;
  });
  return physicalInterval(-orderStatistic(lows, level), prediction, orderStatistic(highs, level));
}

/** The score that intervals with this coverage reach to: half their width over the spread, were there one model. */
export function scoreLimit(calibration: PhotoCalibration, coverage: number): number {
  requireCoverage(coverage);
  return orderStatistic(calibration.scores, calibratedLevel(calibration, coverage));
}

/** The smallest level of the scores, from the coverage on, at which sessions left out in turn are covered as asked. */
function calibratedLevel({ sharesBelow }: PhotoCalibration, coverage: number): number {
  // A photo is covered by every level above its share; the next score up reaches it. Scores that are all alike
  // have nothing below them, hence the coverage as the least.
  return Math.max(coverage, orderStatistic(sharesBelow, coverage) + 1 / (2 * sharesBelow.length));
}

function sharesBelowElsewhere(scores: Float64Array, sessions: readonly string[]): Float64Array {
  const sorted = scores.toSorted();
  const shares = new Float64Array(scores.length);
  for (const photos of groupBySession(sessions.map((session, row) => ({ session, row })))) {
    const own = Float64Array.from(photos, ({ row }) => scores[row] as number).sort();
    // A single session has nothing outside: its photos are then compared with each other.
    const others = scores.length - own.length;
    for (const { row } of photos) {
      const score = scores[row] as number;
      const below = bisectLeft(sorted, score);
      shares[row] = others > 0 ? (below - bisectLeft(own, score)) / others : below / scores.length;
    }
  }
  return shares;
}

/** How many of the sorted values are smaller. */
function bisectLeft(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
