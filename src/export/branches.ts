import { UsageError } from '../ground/errors.ts';
import type { Recipe } from '../recipes/recipe-schema.ts';
import type { RunMember } from '../runs/run.ts';
import { trainedWeights } from '../samples/photo-reader.ts';
import {
  type FeaturePlan,
  featureGraph,
  featurePlan,
  type Precision,
  viewCut,
  viewRecipe,
} from '../vision/features/index.ts';
import { viewCount } from '../vision/preprocess/views.ts';
import type { ResolvedWeights } from '../vision/weights/index.ts';
import type { Branch } from './mass-model.ts';

/** A branch, and the published weights it starts from. */
export interface KnownBranch {
  readonly branch: Branch;
  readonly weights: ResolvedWeights;
  readonly plan: FeaturePlan;
  /** Which model trained a copy of the weights; null: they are as published. */
  readonly trainedIn: string | null;
}

type BackboneInput = Extract<Recipe['input'], { kind: 'backbone' }>;

/**
 * The backbones of a run's input, as published, in the order of its features.
 *
 * @param precision null: those of the recipe
 * @throws InputError when weights are not those it was trained with
 */
export async function inputBranches(
  { manifest: { recipe }, sets }: RunMember,
  precision: Precision | null,
): Promise<KnownBranch[]> {
  const branches: KnownBranch[] = [];
  for (const [index, input] of backboneInputs(recipe).entries()) {
    const { kind: _, backbone: name, ...draft } = input;
    const plan = featurePlan(draft);
    if (plan.upright) {
      throw new UsageError(
        'an exported model does not turn upright photos; train with input.upright left out',
      );
    }
    const weights = await trainedWeights(name, sets[index]?.weights);
    const backbone = await featureGraph(weights, plan, viewCount(viewCut(plan)));
    const views = viewRecipe(weights.preprocessing, plan, backbone.size, 0);
    branches.push({
      branch: { views, combine: plan.combine, backbone, precision: precision ?? plan.precision },
      weights,
      plan,
      trainedIn: null,
    });
  }
  return branches;
}

/** The backbones that a run's recipe starts from; `Run.graph` has refused whatever else there may be. */
function backboneInputs({ input }: Recipe): BackboneInput[] {
  const inputs = input.kind === 'several' ? input.sets : [input];
  return inputs.filter((one) => one.kind === 'backbone');
}
