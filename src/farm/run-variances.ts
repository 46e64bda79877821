import type { ByMass, MassName } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../pasture/units.ts';
import { type ErrorRecord, variancesAt } from './error-record.ts';
import type { RunReference } from './estimate.ts';
import { inUnit, type ResidualVariances } from './residual-variances.ts';

/** A run with how it errs. */
export interface AnsweringRun extends RunReference {
  /** Grams on its frame; null of masses that it does not predict. */
  readonly errors: {
    /** Of what it says by the photo alone. */
    readonly photo: ByMass<ErrorRecord | null>;
    /** Of what it says where it is told the sward's height; null of a run that reads none. */
    readonly height: ByMass<ErrorRecord | null> | null;
  };
  readonly frameAreaSquareMetres: number;
}

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
