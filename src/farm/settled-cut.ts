import type { Cut } from './cut.ts';
import { cutHistory } from './cut-events.ts';
import { type CutResult, cutResult } from './cut-result.ts';
import type { Estimate } from './estimate.ts';
import type { CalibrationPair } from './fit-calibration.ts';

/** What a cut weighs, where its weight stayed. */
export function settledResult(cut: Cut): CutResult | null {
  const result = cutResult(cutHistory(cut.events).state);
  return result?.settled ? result : null;
}

/** What a cut says of an estimate of its frame; null where its weight has not stayed, or nothing was estimated. */
export function calibrationPair(cut: Cut, estimate: Estimate | null | undefined): CalibrationPair | null {
  const result = settledResult(cut);
  const total = estimate?.kgDmPerHa.total ?? null;
  if (!result || total === null) return null;
  const { kgDmPerHa, cuttingHeightCentimetres } = result;
  return {
    visit: cut.visitId,
    estimate: total,
    cut: kgDmPerHa,
    cuttingHeightCentimetres,
    trainedOn: estimate?.trainedOn === true,
  };
}
