export type { CalibrationRow, Interval } from './interval.ts';
export { type NestedCoverage, nestedCoverage } from './nested-coverage.ts';
export {
  calibratePaddock,
  errorOfMean,
  paddockInterval,
} from './paddock-interval.ts';
export { calibratePhotos, photoInterval } from './photo-interval.ts';
