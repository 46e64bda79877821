import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { UsageError } from '../../ground/errors.ts';
import { setName } from '../../pasture/covariates.ts';
import { byMass, underTargetNames } from '../../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../../pasture/units.ts';
import type { PhotoPrediction } from '../../runs/prediction.ts';
import type { PaddockMean } from '../../runs/uncertainty.ts';
import { headOf, requireOwnOutput } from '../outputs/own-outputs.ts';

/** Ten times the largest station there is. */
const MOST_HECTARES = 1e8;

/** @throws UsageError for a size that no paddock has */
export function requireHectares(hectares: number): void {
  if (hectares > 0 && hectares <= MOST_HECTARES) return;
  throw new UsageError(`hectares ${hectares}: give the paddock's size, above 0 and at most ${MOST_HECTARES}`);
}

/** The file beside a file of predictions that has what holds for all of them: `masses.csv`, `masses.paddock.json`. */
export const paddockPath = (out: string): string => `${out.slice(0, -extname(out).length)}.paddock.json`;

/** What a paddock's file was made from. */
export interface PaddockOrigin {
  /** Name of the file of predictions, which lies in the same folder. */
  readonly predictions: string;
  /** What a report calls the run. */
  readonly run: string;
  readonly run_fingerprint: string;
  /** How many photos were read with what: `height`, or `photo alone`. */
  readonly read_with: Readonly<Record<string, number>>;
}

/** What photos were read with, for {@link PaddockOrigin}. */
export function readWith(predictions: readonly PhotoPrediction[]): PaddockOrigin['read_with'] {
  const counts: Record<string, number> = {};
  for (const { covariates = [] } of predictions) {
    const name = covariates.length > 0 ? setName(covariates) : 'photo alone';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/**
 * Refuses to write the mean of a file of predictions where that of another one is: `masses.csv` and `masses.geojson` have
 * one name for it.
 *
 * @throws UsageError naming both
 */
export async function requireOwnPaddock(out: string, overwrite = false): Promise<void> {
  const path = paddockPath(out);
  await requireOwnOutput('--out', path, 'paddock', overwrite);
  if (overwrite || !existsSync(path)) return;
  const before = /"predictions": ("(?:[^"\\]|\\.)*")/.exec(await headOf(path))?.[1];
  const of: unknown = before === undefined ? undefined : JSON.parse(before);
  if (of === undefined || of === basename(out)) return;
  throw new UsageError(
    `--hectares: ${path} is there and has the mean of ${of}, not of ${basename(out)}; choose another name for --out or pass --overwrite`,
  );
}

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
