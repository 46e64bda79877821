import { UsageError } from '../ground/errors.ts';
import type { Recipe } from '../recipes/recipe-schema.ts';
import type { GraphStart, RunMember } from '../runs/run.ts';
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

type PhotoInput = Extract<Recipe['input'], { kind: 'backbone' | 'descriptors' }>;

/** What a run's features are made by: a backbone, or sward's own descriptors. */
export type KnownSource = KnownBranch | 'descriptors';

/** Whether something is a backbone. */
export const isBranch = (source: KnownSource): source is KnownBranch => source !== 'descriptors';

/**
 * What makes the features of a run's input, in their order; backbones as published. What no graph may begin with has
 * been refused by `Run.graph`, but photos that are laid on their side, which sward's own code does.
 *
 * @param precision null: those of the recipe
 * @throws InputError when weights are not those it was trained with
 */
export async function inputSources(
  { manifest: { recipe }, sets }: RunMember,
  precision: Precision | null,
  start: GraphStart,
): Promise<KnownSource[]> {
  const sources: KnownSource[] = [];
  for (const [index, input] of photoInputs(recipe).entries()) {
    if (input.kind === 'descriptors') {
      sources.push(input.kind);
      continue;
    }
    const { kind: _, backbone: name, ...draft } = input;
    const plan = featurePlan(draft);
    if (plan.upright && start === 'photos') {
      throw new UsageError(
        'an exported model does not turn upright photos; train with input.upright left out, or export ' +
          '--target browser',
      );
    }
    const weights = await trainedWeights(name, sets[index]?.weights);
    const backbone = await featureGraph(weights, plan, viewCount(viewCut(plan)));
    const views = viewRecipe(weights.preprocessing, plan, backbone.size, 0);
    sources.push({
      branch: { views, combine: plan.combine, backbone, precision: precision ?? plan.precision },
      weights,
      plan,
      trainedIn: null,
    });
  }
  return sources;
}

/** What a run's recipe reads of photos; `Run.graph` has refused whatever else there may be. */
function photoInputs({ input }: Recipe): PhotoInput[] {
  const inputs = input.kind === 'several' ? input.sets : [input];
  return inputs.filter((one) => one.kind !== 'features');
}
