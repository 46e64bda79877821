import { type ChosenEnsemble, chooseEnsemble } from '../../estimators/combination/choice.ts';
import type { CombinationSettings } from '../../estimators/combination/combination.ts';
import { DEFAULT_SHRINK, type Method } from '../../estimators/combination/methods.ts';
import {
  type PipelineRows,
  type PipelineSettings,
  pipelineStages,
} from '../../estimators/combination/pipeline.ts';
import { residualCorrelations } from '../../estimators/combination/residual-products.ts';
import { parseSteps, stepName } from '../../estimators/post-processing/steps.ts';
import { UsageError } from '../../ground/errors.ts';
import { realPlaceOf } from '../../ground/files.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { randomStream } from '../../ground/random.ts';
import { covariateSets } from '../../pasture/covariates.ts';
import { weightedR2 } from '../../pasture/metric.ts';
import type { Targets } from '../../pasture/targets.ts';
import type { RunResults } from '../../runs/results.ts';
import { requireOwnFolder } from '../../runs/run-folder.ts';
import type { EnsembleFacts } from '../../runs/scores.ts';
import { pathFrom } from '../../runs/training-data.ts';
import { type CombinedCase, ensembleManifest, writeEnsembleRun } from './ensemble-folder.ts';
import { type AlignedMembers, alignMembers, readMembers, sharedCovariates } from './ensemble-members.ts';
import { type EnsembleStates, leaveStatesOut } from './ensemble-states.ts';

/** Which runs are combined, and how. */
export interface EnsembleOptions {
  /** Finished runs to combine; one is enough where only post-processing is wanted. */
  readonly runs: readonly string[];
  /** Run folder to write. */
  readonly out: string;
  /** How members are combined: one of {@link FITTED_METHODS}, or `given`. */
  readonly method: Method;
  /** Weights by hand for the method `given`, in the order of the runs; scaled to sum 1. */
  readonly weights?: readonly number[];
  /** Whether every target has weights of its own (`nnls` and `caruana`). */
  readonly perTarget?: boolean;
  /** How strongly `nnls` pulls weights towards equal ones; default {@link DEFAULT_SHRINK}. */
  readonly shrink?: number;
  /** Steps of post-processing, such as `calibration,projection=metric`; see `parseSteps`. */
  readonly post?: string;
  readonly seed?: number;
  /** Whether a run of other members or settings in `out` may be replaced. */
  readonly overwrite?: boolean;
  readonly progress?: Progress;
}

const DEFAULT_SEED = 42;

/**
 * Combines runs by their out-of-fold predictions and writes the result as a run folder of its own: `run.json`,
 * `folds.csv`, `oof.csv`, `scores.json`, `report.html`, and `stack/` for stacking. All scores are nested: weights and
 * post-processing are fitted without the fold (or, where the members' folds differ, the session) whose photos are
 * scored. The weights that predict are fitted on all out-of-fold rows; where fitted ones score below the best member
 * alone, the ensemble is that member. Where every member has predicted States held
 * out, so does the ensemble, in `leave-one-state-out.csv`; see `leaveStatesOut`.
 *
 * @throws InputError when runs cannot be combined, see `readMembers`
 * @throws UsageError for settings that do not fit together, or when `out` holds something else
 */
export async function makeEnsemble(options: EnsembleOptions): Promise<RunResults> {
  const { out, runs } = options;
  const progress = options.progress ?? SILENT;
  const settings = pipelineSettings(options);
  const place = await realPlaceOf(out);
  if ((await Promise.all(runs.map(realPlaceOf))).includes(place)) {
    throw new UsageError(`--out ${out} is one of the runs to combine`);
  }
  await requireOwnFolder(out, 'run.json');
  const members = await readMembers(runs);
  const covariates = sharedCovariates(members);
  const seed = options.seed ?? DEFAULT_SEED;
  // Answers with covariates and without are combined apart: a member that reads them is worth more where it may.
  const cases: CombinedCase[] = [];
  for (const set of [...covariateSets(covariates.map(({ name }) => name)), []]) {
    const aligned = alignMembers(members, set);
    if (aligned) cases.push(await combined(settings, aligned, seed));
  }
  const [main] = cases;
  if (!main) throw new UsageError('name the runs to combine');
  const { rows } = main.aligned;
  const inSample = await pipelineStages(main.chosen.pipeline, rows.members, rows.states);
  const facts = factsOf(options, main.aligned, main.chosen, {
    inSample: inSample.at(-1) ?? [],
    without: await scoresWithout(settings, main.aligned, seed, progress),
    states: main.states,
  });
  const manifest = ensembleManifest(out, cases, covariates, settings, seed);
  return writeEnsembleRun(out, manifest, cases, facts, options.overwrite ?? false);
}

async function combined(
  settings: PipelineSettings,
  aligned: AlignedMembers,
  seed: number,
): Promise<CombinedCase> {
  const random = randomStream(seed).fork('ensemble');
  const chosen = await chooseEnsemble(settings, aligned.rows, aligned.parts, random);
  return { aligned, chosen, states: await leaveStatesOut(settings, aligned, random.fork('states')) };
}

function pipelineSettings(options: EnsembleOptions): PipelineSettings {
  const { runs, method, weights, perTarget, post, shrink = DEFAULT_SHRINK } = options;
  if (!(shrink >= 0)) throw new UsageError(`--shrink ${shrink}: give a number from 0 up`);
  if (perTarget && method !== 'nnls' && method !== 'caruana') {
    throw new UsageError(
      'weights for each target are fitted: --per-target goes with --method nnls or caruana',
    );
  }
  if (method === 'given') {
    const usable = weights?.every((weight) => Number.isFinite(weight) && weight >= 0) ?? false;
    if (!weights || weights.length !== runs.length || !usable || !weights.some((weight) => weight > 0)) {
      throw new UsageError(
        `--weights: give ${runs.length} numbers from 0 up, one a run, such as 0.4,0.3; or auto`,
      );
    }
  }
  const combination: CombinationSettings = {
    method,
    perTarget: perTarget ?? false,
    shrink,
    ...(method === 'given' && weights && { weights }),
  };
  return { combination, steps: parseSteps(post ?? '', !combination.perTarget) };
}

/** Nested score of the ensemble made in the same way without each member; null where it is the only one or the rest has no weight. */
async function scoresWithout(
  settings: PipelineSettings,
  { rows, parts }: AlignedMembers,
  seed: number,
  progress: Progress,
): Promise<(number | null)[]> {
  const count = rows.members.length;
  if (count < 2) return [null];
  const scores: (number | null)[] = [];
  progress.stage('Leaving one member out', count, 'members');
  for (let member = 0; member < count; member++) {
    const { weights } = settings.combination;
    const rest = weights?.toSpliced(member, 1);
    const usable = !rest || rest.some((weight) => weight > 0);
    const reduced: PipelineRows = { ...rows, members: rows.members.toSpliced(member, 1) };
    const combination = { ...settings.combination, ...(rest && { weights: rest }) };
    const random = randomStream(seed).fork('ensemble');
    const others = usable ? await chooseEnsemble({ ...settings, combination }, reduced, parts, random) : null;
    scores.push(others && weightedR2(rows.observed, others.nested.at(-1) ?? []));
    progress.advance();
  }
  progress.done();
  return scores;
}

function factsOf(
  { out }: EnsembleOptions,
  { members, rows, nestedBy }: AlignedMembers,
  { settings: { combination, steps }, pipeline, alone, nested, fittedScore }: ChosenEnsemble,
  found: {
    readonly inSample: readonly Targets[];
    readonly without: readonly (number | null)[];
    readonly states: EnsembleStates;
  },
): EnsembleFacts {
  const { method } = combination;
  const { weights } = pipeline.combination;
  const fitsNothing =
    (method === 'given' || method === 'mean') &&
    steps.every((step) => step.kind === 'wa-dead' || step.kind === 'first-place' || isFixed(step));
  return {
    nested_by: fitsNothing ? null : nestedBy,
    in_sample: weightedR2(rows.observed, found.inSample),
    stages: nested.map((stage, index) => {
      const step = steps[index - 1];
      return { step: step ? stepName(step) : 'combination', weighted_r2: weightedR2(rows.observed, stage) };
    }),
    members: members.map(({ run, manifest, weightedR2: score }, member) => ({
      run: pathFrom(out, run),
      recipe: manifest.recipe.name,
      weighted_r2: score,
      weights: weights?.map((ofTarget) => ofTarget[member] ?? 0) ?? null,
      without: found.without[member] ?? null,
      ...(found.states.rows && { unseen_states: found.states.scores[member] ?? Number.NaN }),
    })),
    correlation: residualCorrelations(rows.members, rows.observed),
    alone:
      alone === null
        ? null
        : { run: pathFrom(out, members[alone]?.run ?? ''), fitted_weighted_r2: fittedScore ?? Number.NaN },
    lacking_states: found.states.lacking.map((run) => pathFrom(out, run)),
  };
}

function isFixed(step: PipelineSettings['steps'][number]): boolean {
  return step.kind === 'projection' && step.weighing !== 'covariance';
}
