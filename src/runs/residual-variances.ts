import type { ResidualVariances } from '../farm/residual-variances.ts';
import { mean } from '../ground/statistics.ts';
import { spreadAt } from '../pasture/intervals/index.ts';
import { type ByMass, byMass, type Targets } from '../pasture/targets.ts';
import type { Calibration } from './calibration.ts';

/**
 * How a run errs on a visit it has not seen, for each mass, in grams squared on its frame: from its out-of-fold results,
 * at the masses that it says of the visit's photos, since it errs more where there is more. The same variances stand behind
 * the mean that `sward predict` gives. Null of masses that the run does not predict.
 *
 * @param predictions of the visit's photos, at least one
 */
export function residualVariancesAt(
  { photos, paddocks }: Calibration,
  predictions: readonly Targets[],
): ByMass<ResidualVariances | null> {
  return byMass((mass, target) => {
    const paddock = paddocks[target];
    if (!paddock) return null;
    const spreads = predictions.map((masses) => spreadAt(paddock.spread, masses[mass]));
    return {
      betweenSessions: paddock.betweenSessions * mean(spreads) ** 2,
      withinSessions: paddock.withinSessions * mean(spreads.map((spread) => spread ** 2)),
      sessions: paddock.sessions,
      photos: photos[target]?.scores.length ?? paddock.sessions,
    };
  });
}
