import type { ErrorRecord } from '../farm/error-record.ts';
import { type ByMass, byMass } from '../pasture/targets.ts';
import type { Calibration } from './calibration.ts';

/**
 * How a run errs on visits it has not seen, for each mass, from its out-of-fold results: the variances between and within
 * sessions that stand behind the mean that `sward predict` gives. Null of masses that the run does not predict.
 */
export function errorRecords({ photos, paddocks }: Calibration): ByMass<ErrorRecord | null> {
  return byMass((_, target) => {
    const paddock = paddocks[target];
    if (!paddock) return null;
    const { spread, betweenSessions, withinSessions, sessions } = paddock;
    return {
      spread,
      betweenSessions,
      withinSessions,
      sessions,
      photos: photos[target]?.scores.length ?? sessions,
    };
  });
}
