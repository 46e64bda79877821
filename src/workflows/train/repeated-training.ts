import { join } from 'node:path';
import { UsageError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { meanAndDeviation } from '../../ground/statistics.ts';
import { setName } from '../../pasture/covariates.ts';
import { TARGET_NAMES, type TargetName } from '../../pasture/targets.ts';
import { seedFolder } from '../../runs/repeated-runs.ts';
import type { RunResults } from '../../runs/results.ts';
import { isRunFolder } from '../../runs/run-folder.ts';
import { type TrainOptions, trainRun } from './train.ts';

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

/**
 * Cross-validates a recipe once a seed, folds and training both seeded by it, each into `out/seed-K`, and writes
 * `out/repeats.json`. Folds make more difference than most settings do: a mean over seeds tells them apart.
 *
 * @param train what trains one of them; default {@link trainRun}
 * @throws UsageError when there is no seed, one comes twice, or `out` is a run itself; otherwise as `trainRun`
 */
export async function trainRepeatedly(
  options: TrainOptions,
  seeds: readonly number[],
  train: typeof trainRun = trainRun,
): Promise<RepeatedResults> {
  if (seeds.length === 0 || new Set(seeds).size < seeds.length) {
    throw new UsageError(`--seeds ${seeds.join(',')}: give different seeds, such as 0-4`);
  }
  if (await isRunFolder(options.out)) {
    throw new UsageError(`${options.out} is a run itself; choose another --out for runs by seed`);
  }
  const runs: RepeatedResults['runs'][number][] = [];
  for (const seed of seeds) {
    const run = seedFolder(options.out, seed);
    const results = await train({ ...options, out: run, plan: { ...options.plan, seed } });
    runs.push({ seed, run, results });
  }
  const over = (score: (results: RunResults) => number): OverSeeds => {
    const { mean, deviation } = meanAndDeviation(runs.map(({ results }) => score(results)));
    return { mean, deviation };
  };
  const entries = TARGET_NAMES.map(
    (name) => [name, over((results) => results.outOfFold.perTarget[name].r2)] as const,
  );
  const repeated: RepeatedResults = {
    runs,
    weightedR2: over((results) => results.outOfFold.weightedR2),
    perTarget: Object.fromEntries(entries) as Record<TargetName, OverSeeds>,
  };
  await writeFileAtomically(
    join(options.out, 'repeats.json'),
    `${JSON.stringify(repeatedToJson(repeated), null, 2)}\n`,
  );
  return repeated;
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
