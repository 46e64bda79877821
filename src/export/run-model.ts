import { UsageError } from '../ground/errors.ts';
import { valueFingerprint } from '../ground/fingerprint.ts';
import type { CovariateSet } from '../pasture/covariates.ts';
import type { RunCovariate } from '../runs/covariates.ts';
import type { TrainedManifest } from '../runs/manifest.ts';
import { type GraphStart, type Run, type RunGraph, type RunMember, TEST_TIME_TURNS } from '../runs/run.ts';
import { gather } from '../tensor/index.ts';
import type { Precision } from '../vision/features/index.ts';
import { inputSources, isBranch, type KnownBranch, type KnownSource } from './branches.ts';
import type { MassEstimator, MassModel } from './mass-model.ts';
import type { ModelInput } from './model-input.ts';

/** What the caller chooses of an exported model. */
export interface ModelChoice {
  readonly input: ModelInput;
  /** Of the backbones' weights; null: those of the recipe. */
  readonly precision: Precision | null;
  readonly tta: keyof typeof TEST_TIME_TURNS;
  /** Whether what was measured beside photos is fed too, where the run reads it; default true. */
  readonly covariates?: boolean;
}

/** A trained run that has a part in a model. */
export interface ModelMember {
  readonly manifest: TrainedManifest;
  /** Its weight for every target, as `TARGET_NAMES`. */
  readonly weights: readonly number[];
}

/** A run as a model to write, with what there is to say of it. */
export interface RunModel {
  readonly model: MassModel;
  /** As `model.branches`. */
  readonly branches: readonly KnownBranch[];
  readonly members: readonly [ModelMember, ...ModelMember[]];
  /** Those that the model is fed, as `model.covariates`. */
  readonly covariates: readonly RunCovariate[];
  readonly fingerprint: string;
}

/**
 * Everything a finished run or ensemble computes of photos, as one graph. Members that look at photos in the same way
 * share the backbone.
 *
 * @throws UsageError when a recipe does not start from backbones alone, or what was trained is no graph
 * @throws InputError when weights are not those it was trained with, or a run is unfinished
 */
export async function readRunModel(run: Run, choice: ModelChoice): Promise<RunModel> {
  const covariates = choice.covariates === false ? [] : run.covariates.map(({ name }) => name);
  const { sources, estimators, members, finish, fingerprint } = await readRunParts(run, 'photos', {
    precision: choice.precision,
    covariates,
  });
  const branches = sources.filter(isBranch);
  const [first, ...others] = branches.map(({ branch }) => branch);
  if (!first) throw new UsageError(`${run.folder} has nothing to export`);
  return {
    model: {
      input: choice.input,
      turns: TEST_TIME_TURNS[choice.tta],
      branches: [first, ...others],
      estimators,
      covariates,
      ...(finish && { finish }),
    },
    branches,
    members,
    covariates: run.covariates.filter(({ name }) => covariates.includes(name)),
    fingerprint,
  };
}

/** A trained run with what makes the features that it was trained on. */
export interface PartMember extends ModelMember {
  readonly run: RunMember;
  readonly inputs: readonly KnownSource[];
}

/** Everything a run computes of features, and what makes them. */
export interface RunParts extends Pick<RunModel, 'fingerprint'> {
  readonly members: readonly [PartMember, ...PartMember[]];
  /** What estimators read, each once. */
  readonly sources: readonly KnownSource[];
  readonly estimators: readonly MassEstimator[];
  readonly finish: RunGraph['finish'];
}

/**
 * The parts of a run's graph, whatever becomes one model of them.
 *
 * @param choice precision of the backbones' weights, null: those of the recipe; covariates that the model reads
 * @throws as {@link readRunModel}
 */
export async function readRunParts(
  run: Run,
  start: GraphStart,
  { precision, covariates }: { readonly precision: Precision | null; readonly covariates: CovariateSet },
): Promise<RunParts> {
  const { members, finish, fingerprint } = await run.graph(start);
  const sources: KnownSource[] = [];
  const estimators: MassEstimator[] = [];
  const parts: PartMember[] = [];
  for (const { run: member, weights } of members) {
    const inputs = await inputSources(member, precision, start);
    const part = { run: member, manifest: member.manifest, weights, inputs };
    estimators.push(...(await memberEstimators(part, sources, covariates)));
    parts.push(part);
  }
  const [first, ...others] = parts;
  if (!first) throw new UsageError(`${run.folder} has nothing to export`);
  return { sources, estimators, members: [first, ...others], finish, fingerprint };
}

async function memberEstimators(
  { run, weights, inputs }: PartMember,
  sources: KnownSource[],
  covariates: CovariateSet,
): Promise<MassEstimator[]> {
  const models = await run.models();
  const shares = weights.map((weight) => weight / models.length);
  const own = (run.manifest.data.covariates ?? []).map(({ name }) => name);
  return models.map((model, fold) => {
    const { masses, viewFeatures, furtherViewFeatures = [] } = model.graph();
    const backbones = [viewFeatures, ...(covariates.length > 0 ? furtherViewFeatures : [])];
    const known = backbones.flatMap((features, place) =>
      inputs.map((source, set): KnownSource => {
        // A model has a backbone of its own for the first set alone.
        if (!isBranch(source) || !features || set > 0) return source;
        const backbone = { ...source.branch.backbone, features };
        const trainedIn = `${run.folder} fold ${fold}${place > 0 ? `, ${place}` : ''}`;
        return { ...source, branch: { ...source.branch, backbone }, trainedIn };
      }),
    );
    const reads = known.map((source) => placeOf(source, sources));
    return { fold, reads, masses: ofOwnReadings(masses, own, covariates), shares };
  });
}

/** What a member's model makes of features and the readings of its own covariates. */
function ofOwnReadings(
  masses: MassEstimator['masses'],
  own: CovariateSet,
  all: CovariateSet,
): MassEstimator['masses'] {
  if (own.length === 0 || all.length === 0) return (features) => masses(features);
  return (features, readings) =>
    masses(
      features,
      readings &&
        gather(
          readings,
          own.map((name) => all.indexOf(name)),
          1,
        ),
    );
}

/** Where a source stands among those of the model, added where it is new. */
export function placeOf(source: KnownSource, sources: KnownSource[]): number {
  const known = sources.findIndex((other) => sourceKey(other) === sourceKey(source));
  return known >= 0 ? known : sources.push(source) - 1;
}

function sourceKey(source: KnownSource): string {
  if (!isBranch(source)) return source;
  const { branch, plan, weights, trainedIn } = source;
  return valueFingerprint([plan, branch.precision, weights.sha256, weights.arch, weights.config, trainedIn]);
}
