import {
  type Calibration,
  calibratedEstimate,
  type Estimate,
  settledResult,
} from '../../../src/farm/index.ts';
import type { EstimatorState } from '../estimate/estimator.ts';
import type { FarmStore } from '../store/farm-store.ts';
import type { KeptPhoto } from '../store/records.ts';
import { answersOf, appliedCalibration, knownRuns } from './visits.ts';

/** A photo's estimate as it is shown. */
export interface ShownEstimate {
  /** As the means have it that the photo is part of. */
  readonly estimate: Estimate;
  /** As the run said it. */
  readonly said: Estimate;
  readonly isCorrected: boolean;
  /** Whether the mean of its visit is made of it, and not of another run's answers. */
  readonly isInMean: boolean;
}

/**
 * What photos are shown with: under the farm's calibration where means are, which is not in visits with cuts of their own.
 */
export function shownEstimates(
  store: FarmStore,
  state: EstimatorState,
): (photo: Pick<KeptPhoto, 'id' | 'record'>) => ShownEstimate | null {
  const runs = knownRuns(store, state);
  const answerOf = answersOf(store);
  const calibrations = new Map<string, Calibration | null>();
  const calibrationOf = (hash: string): Calibration | null => {
    const run = runs.find((known) => known.hash === hash);
    const made = calibrations.get(hash) ?? (run ? appliedCalibration(store, run) : null);
    calibrations.set(hash, made);
    return made;
  };
  const cut = new Set(
    [...store.cuts.value.values()].flatMap((one) => (settledResult(one) ? [one.visitId] : [])),
  );
  return ({ id, record }) => {
    const answer = answerOf({ id, record });
    if (!answer) return null;
    const { estimate: said, isInMean } = answer;
    const isCut = record.visitId !== null && cut.has(record.visitId);
    const estimate = isCut ? said : calibratedEstimate(said, calibrationOf(said.run.hash));
    return { estimate, said, isCorrected: estimate.kgDmPerHa.total !== said.kgDmPerHa.total, isInMean };
  };
}
