import {
  type CalibrationRow,
  calibratePaddock,
  calibratePhotos,
  type Interval,
  paddockInterval,
  photoInterval,
} from '../pasture/intervals/index.ts';
import { type ByMass, byMass, TARGET_NAMES, type Targets, targetsToArray } from '../pasture/targets.ts';
import { OUT_OF_DOMAIN_SHARE } from './domain/index.ts';
import { meanTargets, type PhotoPrediction } from './prediction.ts';
import type { OutOfFoldRow } from './results.ts';

/** The mean mass of a paddock's photos and where it lies, grams a quadrat. */
export interface PaddockMean {
  readonly photos: number;
  readonly coverage: number;
  readonly mean: Targets;
  readonly intervals: ByMass<Interval>;
}

/** Why a prediction is not to be trusted as others are. */
export interface PredictionDoubt {
  readonly imageId: string;
  /** `domain`: unlike the training photos; `range`: more mass than any training photo had. */
  readonly kind: 'domain' | 'range';
  /** In plain words, for a person. */
  readonly message: string;
}

/** What a run's out-of-fold predictions say about how far its predictions may be off. */
export interface RunUncertainty {
  /** Sessions that intervals are calibrated on. */
  readonly sessions: number;
  /** The predictions with their intervals. */
  withIntervals(predictions: readonly PhotoPrediction[], coverage: number): PhotoPrediction[];
  /** The mean of photos of one paddock, taken on one visit. */
  paddockMean(predictions: readonly PhotoPrediction[], coverage: number): PaddockMean;
  /** Photos unlike those trained on, and predictions above all that was measured. */
  doubts(predictions: readonly PhotoPrediction[]): PredictionDoubt[];
}

/** What out-of-fold predictions of a finished run, trained or an ensemble, say of it. */
export function runUncertainty(rows: readonly OutOfFoldRow[]): RunUncertainty {
  const byTarget = TARGET_NAMES.map((_, target) => calibrationRows(rows, target));
  const mostMeasured = Math.max(...rows.map((row) => row.observed.total));
  return {
    sessions: new Set(rows.map(({ session }) => session)).size,
    withIntervals(predictions, coverage) {
      const calibrations = byTarget.map((target) => calibratePhotos(target));
      return predictions.map((prediction) => ({
        ...prediction,
        intervals: byMass((_, target) => {
          const calibration = calibrations[target];
          if (!calibration) throw new RangeError('every target has a calibration');
          const mass = (targets: Targets): number => targetsToArray(targets)[target] ?? Number.NaN;
          return photoInterval(calibration, mass(prediction.targets), prediction.folds.map(mass), coverage);
        }),
      }));
    },
    paddockMean(predictions, coverage) {
      const masses = predictions.map(({ targets }) => targetsToArray(targets));
      return {
        photos: predictions.length,
        coverage,
        mean: meanTargets(predictions.map(({ targets }) => targets)),
        intervals: byMass((_, target) =>
          paddockInterval(
            calibratePaddock(byTarget[target] ?? []),
            masses.map((photo) => photo[target] ?? Number.NaN),
            coverage,
          ),
        ),
      };
    },
    doubts: (predictions) =>
      predictions.flatMap(({ imageId, outOfDomain, targets }) => {
        const found: PredictionDoubt[] = [];
        if (outOfDomain !== null && outOfDomain > OUT_OF_DOMAIN_SHARE) {
          const share = (100 * outOfDomain).toFixed(0);
          const message = `${imageId}: unlike the photos the run was trained on (farther from them than ${share} % of those are from one another)`;
          found.push({ imageId, kind: 'domain', message });
        }
        if (targets.total > mostMeasured) {
          const message = `${imageId}: ${targets.total.toFixed(1)} g is more than any training photo had (${mostMeasured.toFixed(1)} g)`;
          found.push({ imageId, kind: 'range', message });
        }
        return found;
      }),
  };
}

/** One target's column of out-of-fold predictions, with the sessions that are exchangeable. */
export function calibrationRows(rows: readonly OutOfFoldRow[], target: number): CalibrationRow[] {
  return rows.map((row) => ({
    session: row.session,
    fold: row.fold,
    predicted: targetsToArray(row.predicted)[target] ?? Number.NaN,
    observed: targetsToArray(row.observed)[target] ?? Number.NaN,
  }));
}
