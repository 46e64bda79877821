export type { CalibrationRow, Interval } from './interval.ts';
export { type Coverage, type NestedCoverage, nestedCoverage } from './nested-coverage.ts';
export {
  calibratePaddock,
  errorOfMean,
  type PaddockCalibration,
  paddockInterval,
} from './paddock-interval.ts';
export { calibratePhotos, type PhotoCalibration, photoInterval } from './photo-interval.ts';
