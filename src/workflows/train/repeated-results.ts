import { meanAndDeviation } from '../../ground/statistics.ts';
import { type CovariateSet, hasSet, sameSet } from '../../pasture/covariates.ts';
import { TARGET_NAMES, type TargetName } from '../../pasture/targets.ts';
import type { RunResults } from '../../runs/results.ts';

/** Mean and standard deviation (n − 1) over seeds. */
export interface OverSeeds {
  readonly mean: number;
  readonly deviation: number;
}

/** What runs of several seeds score with one set of covariates, or without any. */
export interface CaseOverSeeds {
  readonly covariates: CovariateSet;
  readonly weightedR2: OverSeeds;
  /** Null where no State was held out. */
  readonly leaveOneStateOut: OverSeeds | null;
}

/** A recipe cross-validated over several seeds. */
export interface RepeatedResults {
  readonly runs: readonly { readonly seed: number; readonly run: string; readonly results: RunResults }[];
  readonly weightedR2: OverSeeds;
  /** R² of each target. */
  readonly perTarget: Readonly<Record<TargetName, OverSeeds>>;
  /** Of runs with covariates, the largest set first; of each set over the runs that answer by it. */
  readonly cases: readonly CaseOverSeeds[];
}

/** The JSON form of repeated results; a deviation that one seed leaves undefined is null. */
export function repeatedToJson({
  runs,
  weightedR2,
  perTarget,
  cases,
}: RepeatedResults): Record<string, unknown> {
  const plain = ({ mean, deviation }: OverSeeds): unknown => ({
    mean: Number.isFinite(mean) ? mean : null,
    sd: Number.isFinite(deviation) ? deviation : null,
  });
  return {
    seeds: runs.map(({ seed, results }) => ({ seed, weighted_r2: results.outOfFold.weightedR2 })),
    weighted_r2: plain(weightedR2),
    per_target_r2: Object.fromEntries(TARGET_NAMES.map((name) => [name, plain(perTarget[name])])),
    ...(cases.length > 0 && {
      covariates: cases.map(({ covariates, weightedR2: score, leaveOneStateOut: states }) => ({
        covariates,
        weighted_r2: plain(score),
        ...(states && { leave_one_state_out: plain(states) }),
      })),
    }),
  };
}

/** What runs score by each set of covariates that any of them answers by. */
export function casesOverSeeds(runs: RepeatedResults['runs']): CaseOverSeeds[] {
  const all = runs.flatMap(({ results }) => results.cases ?? []);
  const sets: CovariateSet[] = [];
  for (const { covariates } of all) if (!hasSet(sets, covariates)) sets.push(covariates);
  return sets
    .sort((a, b) => b.length - a.length)
    .map((covariates) => {
      const own = all.filter((one) => sameSet(one.covariates, covariates));
      const states = own.flatMap(({ leaveOneStateOut }) => leaveOneStateOut?.pooled.weightedR2 ?? []);
      return {
        covariates,
        weightedR2: meanAndDeviation(own.map(({ outOfFold }) => outOfFold.weightedR2)),
        leaveOneStateOut: states.length > 0 ? meanAndDeviation(states) : null,
      };
    });
}
