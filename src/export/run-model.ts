import { stepsGraph } from '../estimators/post-processing/steps.ts';
import { UsageError } from '../ground/errors.ts';
import { valueFingerprint } from '../ground/fingerprint.ts';
import { TARGET_NAMES } from '../pasture/targets.ts';
import { readEnsembleManifest } from '../runs/ensemble-manifest.ts';
import { memberRuns } from '../runs/ensemble-predict.ts';
import { readFoldModels } from '../runs/fold-models.ts';
import { TEST_TIME_TURNS } from '../runs/predict.ts';
import { isEnsemble, type RunManifest, readCompleteManifest } from '../runs/run-folder.ts';
import type { Precision } from '../vision/features/index.ts';
import { inputBranches, type KnownBranch } from './branches.ts';
import type { MassEstimator, MassModel, ModelInput } from './mass-model.ts';

/** What the caller chooses of an exported model. */
export interface ModelChoice {
  readonly input: ModelInput;
  /** Of the backbones' weights; null: those of the recipe. */
  readonly precision: Precision | null;
  readonly tta: keyof typeof TEST_TIME_TURNS;
}

/** A trained run that has a part in a model. */
export interface ModelMember {
  readonly manifest: RunManifest;
  /** Its weight for every target, as `TARGET_NAMES`. */
  readonly weights: readonly number[];
}

/** A run as a model to write, with what there is to say of it. */
export interface RunModel {
  readonly model: MassModel;
  /** As `model.branches`. */
  readonly branches: readonly KnownBranch[];
  readonly members: readonly [ModelMember, ...ModelMember[]];
  readonly fingerprint: string;
}

/**
 * Everything a finished run or ensemble computes of photos, as one graph. Members that look at photos in the same way
 * share the backbone.
 *
 * @throws UsageError when a recipe does not start from backbones alone, or what was trained is no graph
 * @throws InputError when weights are not those it was trained with, or a run is unfinished
 */
export async function readRunModel(run: string, choice: ModelChoice): Promise<RunModel> {
  const plan = (await isEnsemble(run)) ? await ensemblePlan(run) : await singlePlan(run);
  const branches: KnownBranch[] = [];
  const estimators: MassEstimator[] = [];
  for (const { folder, manifest, weights } of plan.members) {
    estimators.push(...(await memberEstimators(folder, manifest, weights, choice, branches)));
  }
  const [first, ...others] = branches.map(({ branch }) => branch);
  const [firstMember, ...otherMembers] = plan.members;
  if (!first || !firstMember) throw new UsageError(`${run} has nothing to export`);
  return {
    model: {
      input: choice.input,
      turns: TEST_TIME_TURNS[choice.tta],
      branches: [first, ...others],
      estimators,
      ...(plan.finish && { finish: plan.finish }),
    },
    branches,
    members: [firstMember, ...otherMembers],
    fingerprint: plan.fingerprint,
  };
}

interface ModelPlan {
  readonly members: readonly (ModelMember & { readonly folder: string })[];
  readonly finish?: MassModel['finish'];
  readonly fingerprint: string;
}

async function singlePlan(run: string): Promise<ModelPlan> {
  const manifest = await readCompleteManifest(run);
  const weights = TARGET_NAMES.map(() => 1);
  return { members: [{ folder: run, manifest, weights }], fingerprint: manifest.fingerprint };
}

async function ensemblePlan(run: string): Promise<ModelPlan> {
  const manifest = await readEnsembleManifest(run);
  const { weights: table, post, fingerprint } = manifest;
  if (!table) {
    throw new UsageError(
      `${run}: a stacking ensemble cannot be an ONNX model; combine by nnls, caruana or mean`,
    );
  }
  const members = [];
  for (const [index, { run: folder }] of (await memberRuns(run, manifest)).entries()) {
    const weights = table.map((ofTarget) => ofTarget[index] ?? 0);
    // A member without any weight is kept by the ensemble for the record, but has nothing to say.
    if (weights.every((weight) => weight === 0)) continue;
    members.push({ folder, manifest: await readCompleteManifest(folder), weights });
  }
  return {
    members,
    fingerprint,
    ...(post.length > 0 && { finish: (masses) => stepsGraph(post, masses) }),
  };
}

async function memberEstimators(
  run: string,
  manifest: RunManifest,
  weights: readonly number[],
  { precision }: ModelChoice,
  branches: KnownBranch[],
): Promise<MassEstimator[]> {
  const inputs = await inputBranches(run, manifest, precision);
  const models = await readFoldModels(run, manifest);
  const shares = weights.map((weight) => weight / models.length);
  return models.map((model, fold) => {
    const { recipe } = manifest;
    if (!model.graph) {
      const what = `${recipe.name} (${recipe.estimator.kind})`;
      throw new UsageError(`${run}: ${what} cannot be written as an ONNX model; export another run`);
    }
    const { viewFeatures } = model;
    const own = inputs.map((known): KnownBranch => {
      if (!viewFeatures) return known;
      const backbone = { ...known.branch.backbone, features: viewFeatures.bind(model) };
      return { ...known, branch: { ...known.branch, backbone }, trainedIn: `${run} fold ${fold}` };
    });
    const reads = own.map((branch) => placeOf(branch, branches));
    return { reads, masses: model.graph.bind(model), shares };
  });
}

/** Where a branch stands among those of the model, added where it is new. */
function placeOf(branch: KnownBranch, branches: KnownBranch[]): number {
  const known = branches.findIndex((other) => branchKey(other) === branchKey(branch));
  return known >= 0 ? known : branches.push(branch) - 1;
}

const branchKey = ({ branch, plan, weights, trainedIn }: KnownBranch): string =>
  valueFingerprint([plan, branch.precision, weights.sha256, weights.arch, weights.config, trainedIn]);
