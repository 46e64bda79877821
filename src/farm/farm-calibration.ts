import type { Calibration } from './calibration.ts';
import { farmCuttingHeight } from './cutting-height.ts';
import { type CalibrationPair, fitCalibration } from './fit-calibration.ts';
import { type AnsweringRun, runVariances } from './run-variances.ts';

/**
 * A farm's correction of a run's total by all its cuts: the same on a phone as on the server.
 *
 * @param pairs of all settled cuts whose photo the run has answered
 * @param asked height of the cuts it is to stand on, cm; null: by `farmCuttingHeight` of those that the run has not seen
 * @param last cutting height of the calibration before; null without one
 * @returns why there is none: no cut tells of a height, or the run does not say the total
 */
export function farmCalibration(
  run: AnsweringRun,
  pairs: readonly CalibrationPair[],
  { asked, last }: { readonly asked: number | null; readonly last: number | null },
): Calibration | 'no-cuts' | 'no-total' {
  const unseen = pairs.filter(({ trainedOn }) => !trainedOn);
  const cuttingHeightCentimetres = asked ?? farmCuttingHeight(unseen.length > 0 ? unseen : pairs, last);
  if (cuttingHeightCentimetres === null) return 'no-cuts';
  const estimates = unseen.map(({ estimate }) => estimate);
  // Without a cut there is nothing to correct, whatever the variances.
  const variances = runVariances(run, 'total', estimates.length > 0 ? estimates : [0]);
  if (!variances) return 'no-total';
  const { id, name, hash } = run;
  return fitCalibration({
    run: { id, name, hash },
    mass: 'total',
    pairs,
    cuttingHeightCentimetres,
    variances,
  });
}
