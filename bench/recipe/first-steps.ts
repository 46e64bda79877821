import { randomStream } from '../../src/ground/random.ts';
import { parseChange } from '../../src/ground/setting-change.ts';
import { PhotoViews, photoMemory } from '../../src/networks/inputs/photo-views.ts';
import {
  BACKBONE,
  IMAGES,
  openPhotoBackbone,
  photoInput,
  photoShape,
} from '../../src/networks/inputs/photos.ts';
import { massObjective } from '../../src/networks/objectives/masses.ts';
import { openStage } from '../../src/networks/training/train.ts';
import { trainedParts } from '../../src/networks/training/unfreezing.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import { makeRecipe } from '../../src/recipes/recipe.ts';
import { initialValues } from '../../src/tensor/graph/values.ts';
import { saveTensors, type TensorData } from '../../src/tensor/index.ts';
import { featurePlan } from '../../src/vision/features/index.ts';
import type { ResolvedWeights } from '../../src/vision/weights/index.ts';
import { BATCH, type RecipeCase, settingsOf } from './cases.ts';

/** Steps whose losses are compared. */
export const STEPS = 3;

/** Where torch keeps what sward calls otherwise. */
const torchName = (name: string): string =>
  name.startsWith(BACKBONE) ? name : name.replace(/^output\./, 'head.');

/**
 * The losses of a case's first steps, on augmented photos. Pictures, masses and first weights are written for PyTorch to
 * start from.
 *
 * @param weights of the backbone
 * @param out safetensors file: `images.STEP`, `targets.STEP`, `parameter.NAME`
 */
export async function firstSteps(
  own: RecipeCase,
  weights: ResolvedWeights,
  photos: readonly string[],
  out: string,
): Promise<number[]> {
  const recipe = await makeRecipe('feature-mlp', settingsOf(own, weights.path).map(parseChange));
  const { estimator: settings, input } = recipe;
  if (settings.kind !== 'network' || input.kind !== 'backbone') throw new Error('the recipe is no network');
  const { kind: _, backbone: __, ...plan } = input;
  const net = await openPhotoBackbone(weights, featurePlan(plan));
  const targets = photos.map((_, index) =>
    targetsFromComponents({ green: 20 + index, dead: 8 + (index % 3), clover: index % 5 }),
  );
  const objective = massObjective({ targets }, settings);
  const [part] = trainedParts(net.backbone, settings.fineTune);
  if (!part) throw new Error('a case trains one part');
  const stage = await openStage(
    {
      objective,
      input: photoInput(net, settings.fineTune, photoShape(net)),
      settings,
      random: randomStream(1),
    },
    part,
    false,
  );
  const views = new PhotoViews(net, photoMemory(256), { augmentation: settings.augmentation });
  const examples = views.examples({ photos });
  const written: Record<string, TensorData> = {};
  for (const parameter of stage.parameters) {
    const { dtype, shape, name } = parameter;
    written[`parameter.${torchName(name)}`] = { dtype, shape, values: initialValues(parameter) };
  }
  const losses: number[] = [];
  try {
    for (let step = 0; step < STEPS; step++) {
      const items = Array.from({ length: BATCH }, (_, row) => (step * BATCH + row) % photos.length);
      const { feeds } = await examples.drawn(items, BATCH, randomStream(step));
      const labels = objective.feeds({ targets }, items, BATCH);
      const { size } = own.backbone;
      written[`images.${step}`] = float32(feeds[IMAGES], [BATCH, 3, size, size]);
      written[`targets.${step}`] = float32(labels['label.targets'], [BATCH, 5]);
      const { loss } = await stage.training.run({ ...feeds, ...labels }, settings.optimizer.rate);
      losses.push(loss);
    }
  } finally {
    await views.close();
    await stage.training.dispose();
  }
  await saveTensors(out, written);
  return losses;
}

function float32(values: unknown, shape: readonly number[]): TensorData {
  if (values instanceof Float32Array) return { dtype: 'float32', shape, values };
  throw new Error('a feed is no array of single precision');
}
