import { extname } from 'node:path';
import { UsageError } from '../../ground/errors.ts';
import { byMass, underTargetNames } from '../../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../../pasture/units.ts';
import type { PaddockMean } from '../../runs/uncertainty.ts';

/** Ten times the largest station there is. */
const MOST_HECTARES = 1e8;

/** @throws UsageError for a size that no paddock has */
export function requireHectares(hectares: number): void {
  if (hectares > 0 && hectares <= MOST_HECTARES) return;
  throw new UsageError(`hectares ${hectares}: give the paddock's size, above 0 and at most ${MOST_HECTARES}`);
}

/** The file beside a file of predictions that has what holds for all of them: `masses.csv`, `masses.paddock.json`. */
export const paddockPath = (out: string): string => `${out.slice(0, -extname(out).length)}.paddock.json`;

/** The mean of photos as JSON, grams and kg DM/ha, with the paddock's total where its size is known. */
export function paddockRecord(
  { photos, coverage, mean, intervals }: PaddockMean,
  areaSquareMetres: number,
  hectares?: number,
): Record<string, unknown> {
  const perHectare = (grams: number): number => gramsToKilogramsPerHectare(grams, areaSquareMetres);
  return {
    photos,
    coverage,
    grams: underTargetNames(mean),
    low: underTargetNames(byMass((mass) => intervals[mass].low)),
    high: underTargetNames(byMass((mass) => intervals[mass].high)),
    kg_dm_per_ha: {
      mean: perHectare(mean.total),
      low: perHectare(intervals.total.low),
      high: perHectare(intervals.total.high),
    },
    ...(hectares !== undefined && {
      hectares,
      total_kg: {
        mean: perHectare(mean.total) * hectares,
        low: perHectare(intervals.total.low) * hectares,
        high: perHectare(intervals.total.high) * hectares,
      },
    }),
  };
}
