import { OUT_OF_DOMAIN_SHARE } from './domain/index.ts';
import {
  type CalibrationRow,
  calibratePaddock,
  calibratePhotos,
  type Interval,
  paddockInterval,
  photoInterval,
} from '../pasture/intervals/index.ts';
import { TARGET_NAMES, type TargetName, type Targets, targetsToArray } from '../pasture/targets.ts';
import { meanTargets, named, type PhotoPrediction } from './photo-prediction.ts';
import type { OutOfFoldRow } from './results.ts';
import { readRunResults } from './run-results.ts';

/** The mean mass of a paddock's photos and where it lies, grams a quadrat. */
export interface PaddockMean {
  readonly photos: number;
  readonly coverage: number;
  readonly mean: Targets;
  readonly intervals: Readonly<Record<TargetName, Interval>>;
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

/**
 * Reads what intervals need from a finished run, trained or an ensemble: its out-of-fold predictions.
 *
 * @throws InputError when the run is unfinished or damaged
 */
export async function readUncertainty(run: string): Promise<RunUncertainty> {
  const { rows } = await readRunResults(run);
  return uncertaintyOf(rows);
}

/** As {@link readUncertainty}, from out-of-fold predictions in memory. */
export function uncertaintyOf(rows: readonly OutOfFoldRow[]): RunUncertainty {
  const byTarget = TARGET_NAMES.map((_, target) => calibrationRows(rows, target));
  const mostMeasured = Math.max(...rows.map((row) => row.observed.total));
  return {
    sessions: new Set(rows.map(sessionOf)).size,
    withIntervals(predictions, coverage) {
      const calibrations = byTarget.map((target) => calibratePhotos(target));
      return predictions.map((prediction) => ({
        ...prediction,
        intervals: named((_, target) => {
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
        intervals: named((_, target) =>
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
    session: sessionOf(row),
    fold: row.fold,
    predicted: targetsToArray(row.predicted)[target] ?? Number.NaN,
    observed: targetsToArray(row.observed)[target] ?? Number.NaN,
  }));
}

/** Date and State; a photo of which neither is known stands for itself. */
function sessionOf({ date, state, imageId }: OutOfFoldRow): string {
  return [date, state].filter((part) => part !== null).join(' ') || imageId;
}
