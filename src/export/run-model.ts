import { UsageError } from '../ground/errors.ts';
import { valueFingerprint } from '../ground/fingerprint.ts';
import type { CovariateSet } from '../pasture/covariates.ts';
import type { RunCovariate } from '../runs/covariates.ts';
import type { TrainedManifest } from '../runs/manifest.ts';
import { type Run, type RunGraph, TEST_TIME_TURNS } from '../runs/run.ts';
import { gather } from '../tensor/index.ts';
import type { Precision } from '../vision/features/index.ts';
import { inputBranches, type KnownBranch } from './branches.ts';
import type { MassEstimator, MassModel, ModelInput } from './mass-model.ts';

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
  const { members, finish, fingerprint } = await run.graph();
  const covariates = choice.covariates === false ? [] : run.covariates.map(({ name }) => name);
  const branches: KnownBranch[] = [];
  const estimators: MassEstimator[] = [];
  for (const member of members) {
    estimators.push(...(await memberEstimators(member, choice, branches, covariates)));
  }
  const [first, ...others] = branches.map(({ branch }) => branch);
  const [firstMember, ...otherMembers] = members.map(({ run: { manifest }, weights }) => ({
    manifest,
    weights,
  }));
  if (!first || !firstMember) throw new UsageError(`${run.folder} has nothing to export`);
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
    members: [firstMember, ...otherMembers],
    covariates: run.covariates.filter(({ name }) => covariates.includes(name)),
    fingerprint,
  };
}

async function memberEstimators(
  { run, weights }: RunGraph['members'][number],
  { precision }: ModelChoice,
  branches: KnownBranch[],
  covariates: CovariateSet,
): Promise<MassEstimator[]> {
  const inputs = await inputBranches(run, precision);
  const models = await run.models();
  const shares = weights.map((weight) => weight / models.length);
  const own = (run.manifest.data.covariates ?? []).map(({ name }) => name);
  return models.map((model, fold) => {
    const { masses, viewFeatures, furtherViewFeatures = [] } = model.graph();
    const backbones = [viewFeatures, ...(covariates.length > 0 ? furtherViewFeatures : [])];
    const known = backbones.flatMap((features, place) =>
      inputs.map((branch, set): KnownBranch => {
        // A model has a backbone of its own for the first set alone.
        if (!features || set > 0) return branch;
        const backbone = { ...branch.branch.backbone, features };
        const trainedIn = `${run.folder} fold ${fold}${place > 0 ? `, ${place}` : ''}`;
        return { ...branch, branch: { ...branch.branch, backbone }, trainedIn };
      }),
    );
    const reads = known.map((branch) => placeOf(branch, branches));
    return { reads, masses: ofOwnReadings(masses, own, covariates), shares };
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

/** Where a branch stands among those of the model, added where it is new. */
function placeOf(branch: KnownBranch, branches: KnownBranch[]): number {
  const known = branches.findIndex((other) => branchKey(other) === branchKey(branch));
  return known >= 0 ? known : branches.push(branch) - 1;
}

const branchKey = ({ branch, plan, weights, trainedIn }: KnownBranch): string =>
  valueFingerprint([plan, branch.precision, weights.sha256, weights.arch, weights.config, trainedIn]);
