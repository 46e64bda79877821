export { type CalibrationRow, groupBySession, type Interval, USUAL_COVERAGE } from './interval.ts';
export { type NestedCoverage, nestedCoverage } from './nested-coverage.ts';
export {
  calibratePaddock,
  errorOfMean,
  type PaddockCalibration,
  paddockInterval,
  restoredPaddock,
  storedPaddock,
} from './paddock-interval.ts';
export { calibratePhotos, type PhotoCalibration, photoInterval } from './photo-interval.ts';
export { spreadAt } from './spread-model.ts';
export { type VarianceComponents, varianceComponents } from './variance-components.ts';
