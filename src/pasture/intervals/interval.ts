/** Where a mass lies, in the unit of the prediction it belongs to: 0 ≤ low ≤ prediction ≤ high. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Share of what is measured that lies within an interval, where nobody says another. */
export const USUAL_COVERAGE = 0.9;

/** One training photo and one target: what was cut, and what models said that did not see its session. */
export interface CalibrationRow {
  /** Photos of one session err alike; sessions are exchangeable, photos of one session are not. */
  readonly session: string;
  /** The fold that held the photo out: the model of this fold made the prediction. */
  readonly fold: number;
  /** Out-of-fold prediction, grams. */
  readonly predicted: number;
  /** Measured mass, grams. */
  readonly observed: number;
}

/** An interval around a prediction that keeps to what masses can be. */
export function physicalInterval(low: number, prediction: number, high: number): Interval {
  return { low: Math.max(0, Math.min(low, prediction)), high: Math.max(high, prediction) };
}

/** The rows of each session, sessions in order of appearance. */
export function groupBySession<Row extends { readonly session: string }>(rows: readonly Row[]): Row[][] {
  const members = new Map<string, Row[]>();
  for (const row of rows) {
    const own = members.get(row.session);
    if (own) own.push(row);
    else members.set(row.session, [row]);
  }
  return [...members.values()];
}

/** @throws RangeError when a coverage is not between 0 and 1 */
export function requireCoverage(coverage: number): void {
  if (coverage > 0 && coverage < 1) return;
  throw new RangeError(`coverage must lie between 0 and 1, not ${coverage}`);
}
