import { z } from 'zod';
import type { Score, TargetScore } from '../pasture/metric.ts';
import { TARGET_NAMES, type TargetName } from '../pasture/targets.ts';

/** A score as `sward score --json` prints it and `scores.json` keeps it; what is undefined (NaN) is null. */
export interface ScoreJson {
  readonly weighted_r2: number | null;
  readonly per_target: Readonly<Record<TargetName, TargetScoreJson>>;
  readonly n_images: number;
}

type TargetScoreJson = { readonly [Key in keyof TargetScore]: number | null };

const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

/** Reads a score back from JSON. */
export const storedScore = z
  .object({
    weighted_r2: number,
    per_target: z.record(
      z.enum(TARGET_NAMES),
      z.object({ r2: number, rmse: number, mae: number, bias: number }),
    ),
    n_images: z.int(),
  })
  .transform(
    (json): Score => ({
      weightedR2: json.weighted_r2,
      perTarget: json.per_target,
      imageCount: json.n_images,
    }),
  );

/** The JSON form of a score. */
export function scoreToJson(score: Score): ScoreJson {
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  const perTarget = TARGET_NAMES.map((name) => {
    const { r2, rmse, mae, bias } = score.perTarget[name];
    return [name, { r2: finite(r2), rmse: finite(rmse), mae: finite(mae), bias: finite(bias) }] as const;
  });
  return {
    weighted_r2: finite(score.weightedR2),
    per_target: Object.fromEntries(perTarget) as Record<TargetName, TargetScoreJson>,
    n_images: score.imageCount,
  };
}
