import type { Interval } from './intervals/index.ts';
import { type ByMass, byMass, MASS_NAMES, type MassName } from './targets.ts';

/** The masses that each mass is a part of: no part weighs more than its whole. */
const WHOLES: ByMass<readonly MassName[]> = {
  green: ['gdm', 'total'],
  dead: ['total'],
  clover: ['gdm', 'total'],
  gdm: ['total'],
  total: [],
};

/**
 * Intervals that agree with each other. Each mass has one of its own, and the low end of a part may lie above that of its
 * whole, though no part weighs more. The wider ends are kept: a part reaches down to the low end of every whole of it, and
 * a whole up to the high end of every part. No interval is narrower than it was, so each covers at least as often.
 *
 * @param intervals NaN of masses that are not predicted, which stay so and move no other
 */
export function nestedIntervals(intervals: ByMass<Interval>): ByMass<Interval> {
  return byMass((mass) => {
    const { low, high } = intervals[mass];
    const lows = WHOLES[mass].map((whole) => intervals[whole].low);
    const highs = MASS_NAMES.filter((part) => WHOLES[part].includes(mass)).map(
      (part) => intervals[part].high,
    );
    return {
      low: Math.min(low, ...lows.filter(Number.isFinite)),
      high: Math.max(high, ...highs.filter(Number.isFinite)),
    };
  });
}
