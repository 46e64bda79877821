import { z } from 'zod';
import type { MassName } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../pasture/units.ts';
import { RunErrors, variancesAt } from './error-record.ts';
import { RunReference } from './estimate.ts';
import { inUnit, type ResidualVariances } from './residual-variances.ts';

/** A run with how it errs. */
export const AnsweringRun = z.object({
  ...RunReference.shape,
  errors: RunErrors,
  frameAreaSquareMetres: z.number().describe('frame that its masses stand on, m²'),
});
export type AnsweringRun = z.output<typeof AnsweringRun>;

/**
 * How a run errs on a visit that it has not seen, (kg DM/ha)².
 *
 * @param estimates of the visit's photos, or what stands for them, kg DM/ha
 * @param told what the run was told beside every one of the photos
 * @returns null where the run does not predict the mass
 */
export function runVariances(
  { errors, frameAreaSquareMetres }: Pick<AnsweringRun, 'errors' | 'frameAreaSquareMetres'>,
  mass: MassName,
  estimates: readonly number[],
  told: 'photo' | 'height' = 'photo',
): ResidualVariances | null {
  const record = errors[told]?.[mass];
  if (!record || estimates.length === 0) return null;
  const perGram = gramsToKilogramsPerHectare(1, frameAreaSquareMetres);
  return inUnit(
    variancesAt(
      record,
      estimates.map((estimate) => estimate / perGram),
    ),
    perGram,
  );
}

/** How far one estimate of a visit that a run has not seen is usually off, kg DM/ha, the root mean square; null as above. */
export function usualError(
  run: Pick<AnsweringRun, 'errors' | 'frameAreaSquareMetres'>,
  mass: MassName,
  estimate: number,
  told: 'photo' | 'height' = 'photo',
): number | null {
  const variances = runVariances(run, mass, [estimate], told);
  return variances && Math.sqrt(variances.betweenSessions + variances.withinSessions);
}
