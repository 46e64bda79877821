import { join } from 'node:path';
import { UsageError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { meanAndDeviation } from '../../ground/statistics.ts';
import { TARGET_NAMES, type TargetName } from '../../pasture/targets.ts';
import { seedFolder } from '../../runs/repeated-runs.ts';
import type { RunResults } from '../../runs/results.ts';
import { isRunFolder } from '../../runs/run-folder.ts';
import { casesOverSeeds, type OverSeeds, type RepeatedResults, repeatedToJson } from './repeated-results.ts';
import { type TrainOptions, trainRun } from './train.ts';

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
  const over = (score: (results: RunResults) => number): OverSeeds =>
    meanAndDeviation(runs.map(({ results }) => score(results)));
  const entries = TARGET_NAMES.map(
    (name) => [name, over((results) => results.outOfFold.perTarget[name].r2)] as const,
  );
  const repeated: RepeatedResults = {
    runs,
    weightedR2: over((results) => results.outOfFold.weightedR2),
    perTarget: Object.fromEntries(entries) as Record<TargetName, OverSeeds>,
    cases: casesOverSeeds(runs),
  };
  await writeFileAtomically(
    join(options.out, 'repeats.json'),
    `${JSON.stringify(repeatedToJson(repeated), null, 2)}\n`,
  );
  return repeated;
}
