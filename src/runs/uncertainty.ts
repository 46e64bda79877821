import { type CovariateSet, sharedSet } from '../pasture/covariates.ts';
import { type Interval, paddockInterval, photoInterval } from '../pasture/intervals/index.ts';
import { nestedIntervals } from '../pasture/nested-intervals.ts';
import { type ByMass, byMass, type Targets, targetsToArray } from '../pasture/targets.ts';
import { type Calibration, calibrationOf } from './calibration.ts';
import { OUT_OF_DOMAIN_SHARE } from './domain/domain.ts';
import { meanTargets, type PhotoPrediction } from './prediction.ts';

/** The mean mass of a paddock's photos and where it lies, grams a quadrat. */
export interface PaddockMean {
  readonly photos: number;
  readonly coverage: number;
  readonly mean: Targets;
  /** NaN of masses that the run does not predict. */
  readonly intervals: ByMass<Interval>;
}

/** Why a prediction is not to be trusted as others are. */
export interface PredictionDoubt {
  readonly imageId: string;
  /**
   * `domain`: unlike the training photos; `covariate`: a height, say, outside of theirs; `range`: more mass than any
   * training photo had.
   */
  readonly kind: 'domain' | 'covariate' | 'range';
  /** In plain words, for a person. */
  readonly message: string;
}

/** What a run's out-of-fold predictions say about how far its predictions may be off. */
export interface RunUncertainty {
  /** Sessions that intervals are calibrated on. */
  readonly sessions: number;
  /** The predictions with their intervals. */
  withIntervals(predictions: readonly PhotoPrediction[], coverage: number): PhotoPrediction[];
  /** The mean of photos of one paddock, taken on one visit; of one photo what is said of it. */
  paddockMean(predictions: readonly PhotoPrediction[], coverage: number): PaddockMean;
  /** Photos unlike those trained on, and predictions above all that was measured. */
  doubts(predictions: readonly PhotoPrediction[]): PredictionDoubt[];
}

/** The interval of a mass that is not predicted. */
const NOWHERE: Interval = { low: Number.NaN, high: Number.NaN };

/** What a run's calibration says of its predictions. */
export function runUncertainty(all: Calibration): RunUncertainty {
  const { sessions, mostMeasured } = all;
  const of = (used: CovariateSet = []): Calibration => calibrationOf(all, used);
  const ofPhoto = ({ targets, folds, covariates }: PhotoPrediction, coverage: number): ByMass<Interval> => {
    const { photos } = of(covariates);
    return nestedIntervals(
      byMass((_, target) => {
        const mass = (masses: Targets): number => targetsToArray(masses)[target] ?? Number.NaN;
        const calibration = photos[target];
        if (!calibration) return NOWHERE;
        return photoInterval(calibration, mass(targets), folds.map(mass), coverage);
      }),
    );
  };
  return {
    sessions,
    withIntervals: (predictions, coverage) =>
      predictions.map((prediction) => ({ ...prediction, intervals: ofPhoto(prediction, coverage) })),
    paddockMean(predictions, coverage) {
      const masses = predictions.map(({ targets }) => targetsToArray(targets));
      const { paddocks } = of(sharedSet(predictions.map(({ covariates = [] }) => covariates)));
      const [only, another] = predictions;
      return {
        photos: predictions.length,
        coverage,
        mean: meanTargets(predictions.map(({ targets }) => targets)),
        // The mean of one photo is that photo.
        intervals:
          only && !another
            ? ofPhoto(only, coverage)
            : nestedIntervals(
                byMass((_, target) => {
                  const calibration = paddocks[target];
                  if (!calibration) return NOWHERE;
                  return paddockInterval(
                    calibration,
                    masses.map((photo) => photo[target] ?? Number.NaN),
                    coverage,
                  );
                }),
              ),
      };
    },
    doubts: (predictions) =>
      predictions.flatMap(({ imageId, outOfDomain, outside = [], targets }) => {
        const found: PredictionDoubt[] = [];
        if (outside.length > 0) {
          const message = `${imageId}: ${outside.join('; ')}`;
          found.push({ imageId, kind: 'covariate', message });
        } else if (outOfDomain !== null && outOfDomain > OUT_OF_DOMAIN_SHARE) {
          const share = (100 * outOfDomain).toFixed(0);
          const message = `${imageId}: unlike the photos the run was trained on (farther from them than ${share} % of those are from one another)`;
          found.push({ imageId, kind: 'domain', message });
        }
        if (mostMeasured !== null && targets.total > mostMeasured) {
          const message = `${imageId}: ${targets.total.toFixed(1)} g is more than any training photo had (${mostMeasured.toFixed(1)} g)`;
          found.push({ imageId, kind: 'range', message });
        }
        return found;
      }),
  };
}
