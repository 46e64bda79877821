import { meanAndDeviation } from '../../ground/statistics.ts';
import { setName } from '../../pasture/covariates.ts';
import { TARGET_NAMES, type TargetName } from '../../pasture/targets.ts';
import type { RunResults } from '../../runs/results.ts';

/** Mean and standard deviation (n − 1) over seeds. */
export interface OverSeeds {
  readonly mean: number;
  readonly deviation: number;
}

/** A recipe cross-validated over several seeds. */
export interface RepeatedResults {
  readonly runs: readonly { readonly seed: number; readonly run: string; readonly results: RunResults }[];
  readonly weightedR2: OverSeeds;
  /** R² of each target. */
  readonly perTarget: Readonly<Record<TargetName, OverSeeds>>;
}

/** The JSON form of repeated results; a deviation that one seed leaves undefined is null. */
export function repeatedToJson({ runs, weightedR2, perTarget }: RepeatedResults): Record<string, unknown> {
  const plain = ({ mean, deviation }: OverSeeds): unknown => ({
    mean: Number.isFinite(mean) ? mean : null,
    sd: Number.isFinite(deviation) ? deviation : null,
  });
  return {
    seeds: runs.map(({ seed, results }) => ({ seed, weighted_r2: results.outOfFold.weightedR2 })),
    weighted_r2: plain(weightedR2),
    per_target_r2: Object.fromEntries(TARGET_NAMES.map((name) => [name, plain(perTarget[name])])),
    ...(runs[0]?.results.cases && { covariates: casesOverSeeds(runs, plain) }),
  };
}

/** What runs score with each set of covariates and without, over seeds. */
function casesOverSeeds(runs: RepeatedResults['runs'], plain: (over: OverSeeds) => unknown): unknown[] {
  return (runs[0]?.results.cases ?? []).map(({ covariates }) => {
    const own = runs.flatMap(
      ({ results }) => results.cases?.find((one) => setName(one.covariates) === setName(covariates)) ?? [],
    );
    const states = own.flatMap(({ leaveOneStateOut }) => leaveOneStateOut?.pooled.weightedR2 ?? []);
    return {
      covariates,
      weighted_r2: plain(meanAndDeviation(own.map(({ outOfFold }) => outOfFold.weightedR2))),
      ...(states.length > 0 && { leave_one_state_out: plain(meanAndDeviation(states)) }),
    };
  });
}
