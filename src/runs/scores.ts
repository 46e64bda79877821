import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, messageOf } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import type { CovariateSet } from '../pasture/covariates.ts';
import { type Score, scoreTargets, type TargetScore } from '../pasture/metric.ts';
import { TARGET_NAMES, type TargetName, type Targets } from '../pasture/targets.ts';
import { meanAnswerScore } from './mean-answer.ts';

export const SCORES = 'scores.json';

/** A number that JSON keeps as null when it is undefined (NaN). */
const number = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

/** A score as `sward score --json` prints it and `scores.json` keeps it; what is undefined (NaN) is null. */
export interface ScoreJson {
  readonly weighted_r2: number | null;
  readonly per_target: Readonly<Record<TargetName, TargetScoreJson>>;
  readonly n_images: number;
}

type TargetScoreJson = { readonly [Key in Exclude<keyof TargetScore, 'photos'>]: number | null } & {
  /** Photos of which the target was measured, where that is not all. */
  readonly n_images?: number;
};

/** Reads a score back from JSON. */
const storedScore = z
  .object({
    weighted_r2: number,
    per_target: z.record(
      z.enum(TARGET_NAMES),
      z.object({
        r2: number,
        rmse: number,
        mae: number,
        bias: number,
        /** Photos of which the target was measured, where that is not all. */
        n_images: z.int().optional(),
      }),
    ),
    n_images: z.int(),
  })
  .transform(
    (json): Score => ({
      weightedR2: json.weighted_r2,
      perTarget: Object.fromEntries(
        TARGET_NAMES.map((name) => {
          const { n_images: photos = json.n_images, ...score } = json.per_target[name];
          return [name, { ...score, photos }] as const;
        }),
      ) as Score['perTarget'],
      imageCount: json.n_images,
    }),
  );

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** The JSON form of a score. */
export function scoreToJson(score: Score): ScoreJson {
  const perTarget = TARGET_NAMES.map((name) => {
    const { r2, rmse, mae, bias, photos } = score.perTarget[name];
    const json = {
      r2: finite(r2),
      rmse: finite(rmse),
      mae: finite(mae),
      bias: finite(bias),
      ...(photos < score.imageCount && { n_images: photos }),
    };
    return [name, json] as const;
  });
  return {
    weighted_r2: finite(score.weightedR2),
    per_target: Object.fromEntries(perTarget) as Record<TargetName, TargetScoreJson>,
    n_images: score.imageCount,
  };
}

/** Scores of States held out one at a time: of all their photos pooled, and of each State, sorted by name. */
export interface StateScores {
  readonly pooled: Score;
  readonly perState: readonly { readonly state: string; readonly score: Score }[];
}

/** What `scores.json` of an ensemble keeps beside the nested scores. */
const ensembleFactsSchema = z.strictObject({
  /** What weights and post-processing were fitted without when a photo was scored; null: nothing was fitted. */
  nested_by: z.enum(['fold', 'session']).nullable(),
  /** Weighted R² of the final weights on the rows they were fitted to: optimistic. */
  in_sample: number,
  /** Nested weighted R² after the combination and after each step of post-processing. */
  stages: z.array(z.strictObject({ step: z.string(), weighted_r2: number })).min(1),
  members: z
    .array(
      z.strictObject({
        run: z.string(),
        recipe: z.string(),
        weighted_r2: number,
        /** Final weight for each target; null for stacking. */
        weights: z.array(z.number()).length(5).nullable(),
        /** Nested weighted R² of the ensemble without this member; null for the only one. */
        without: z.number().nullable(),
        /** Weighted R² of the member alone on States held out; absent where the ensemble has no such score. */
        unseen_states: number.optional(),
      }),
    )
    .min(1),
  /** Correlation of the members' out-of-fold errors, metric-weighted. */
  correlation: z.array(z.array(z.number())),
  /**
   * The member that the ensemble is, where it does better alone than fitted weights, whose nested weighted R² stands
   * here; null where members are combined.
   */
  alone: z.strictObject({ run: z.string(), fitted_weighted_r2: number }).nullable().default(null),
  /** Members without predictions of States held out, for want of which the ensemble has no such score. */
  lacking_states: z.array(z.string()).default([]),
});

/** How an ensemble came about and what its parts are worth. */
export type EnsembleFacts = z.output<typeof ensembleFactsSchema>;

/** The best member, where an ensemble scores below it; null where it does not. */
export function betterMember({ members, stages }: EnsembleFacts): EnsembleFacts['members'][number] | null {
  const score = stages.at(-1)?.weighted_r2 ?? Number.NaN;
  const best = members.reduce((a, b) => (b.weighted_r2 > a.weighted_r2 ? b : a));
  return best.weighted_r2 > score + 1e-9 ? best : null;
}

/** Why an ensemble has no score of States held out, in a few words. */
export function lackingStates(runs: EnsembleFacts['lacking_states']): string {
  const [verb, object] = runs.length === 1 ? ['holds', 'it'] : ['hold', 'them'];
  return (
    `${runs.join(', ')} ${verb} no such predictions; train ${object} again with ` +
    '--set evaluation.leaveOneStateOut=true --overwrite'
  );
}

/** What a run with covariates scores where it reads one set of them, or the photos alone. */
export interface CaseScores {
  readonly covariates: CovariateSet;
  readonly outOfFold: Score;
  /** Score of the same photos answered without covariates; null of that case itself. */
  readonly withoutThem: Score | null;
  /** Null where it was not computed. */
  readonly leaveOneStateOut: StateScores | null;
}

const storedStates = z
  .object({ pooled: storedScore, per_state: z.array(z.object({ state: z.string(), score: storedScore })) })
  .transform((json): StateScores => ({ pooled: json.pooled, perState: json.per_state }))
  .nullable();

const storedScores = z.object({
  leave_one_state_out: storedStates,
  ensemble: ensembleFactsSchema.optional(),
  covariates: z
    .array(z.object({ covariates: z.array(z.string()), leave_one_state_out: storedStates }))
    .optional(),
});

/** A photo as scores see it. */
interface ScoredRow {
  readonly fold: number;
  readonly observed: Targets;
  readonly predicted: Targets;
}

/** Score of all rows pooled. */
export function scoreRows(rows: readonly Omit<ScoredRow, 'fold'>[]): Score {
  return scoreTargets(
    rows.map((row) => row.observed),
    rows.map((row) => row.predicted),
  );
}

/** Score of each fold's rows, by fold number. */
export function scoreFolds(rows: readonly ScoredRow[]): { readonly fold: number; readonly score: Score }[] {
  const folds = [...new Set(rows.map((row) => row.fold))].sort((a, b) => a - b);
  return folds.map((fold) => ({ fold, score: scoreRows(rows.filter((row) => row.fold === fold)) }));
}

/**
 * Writes `scores.json`: out of fold (nested, of an ensemble), by fold, with States held out where that was computed,
 * what answering the mean would score, what the parts of an ensemble are worth, and the scores of a run with covariates
 * with each set of them and without.
 *
 * @param rows of one case, where there are several
 */
export async function writeScores(
  run: string,
  rows: readonly ScoredRow[],
  states: StateScores | null,
  {
    ensemble,
    cases,
  }: { readonly ensemble?: EnsembleFacts; readonly cases?: readonly CaseScores[] | null } = {},
): Promise<void> {
  const scores = {
    out_of_fold: scoreToJson(scoreRows(rows)),
    per_fold: scoreFolds(rows).map(({ fold, score }) => ({ fold, ...scoreToJson(score) })),
    leave_one_state_out: states && statesToJson(states),
    mean_answer: { weighted_r2: finite(meanAnswerScore(rows)) },
    ...(ensemble && { ensemble }),
    ...(cases && { covariates: cases.map(caseToJson) }),
  };
  await writeFileAtomically(join(run, SCORES), `${JSON.stringify(scores, null, 2)}\n`);
}

const statesToJson = ({ pooled, perState }: StateScores): unknown => ({
  pooled: scoreToJson(pooled),
  per_state: perState.map(({ state, score }) => ({ state, score: scoreToJson(score) })),
});

/** The JSON form of what a run scores with a set of covariates, or without any. */
export function caseToJson({
  covariates,
  outOfFold,
  withoutThem,
  leaveOneStateOut,
}: CaseScores): Record<string, unknown> {
  return {
    covariates,
    out_of_fold: scoreToJson(outOfFold),
    ...(withoutThem && { same_photos_without: scoreToJson(withoutThem) }),
    leave_one_state_out: leaveOneStateOut && statesToJson(leaveOneStateOut),
  };
}

/** What `scores.json` says beside what `oof.csv` does. @throws InputError when it is missing or damaged */
export async function readScores(run: string): Promise<z.output<typeof storedScores>> {
  const path = join(run, SCORES);
  try {
    return storedScores.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new InputError(path, `cannot be read (${messageOf(error).split('\n')[0]})`, 'train the run again');
  }
}
