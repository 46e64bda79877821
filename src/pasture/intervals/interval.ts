/** Where a mass lies, in the unit of the prediction it belongs to: low ≤ prediction ≤ high. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}
