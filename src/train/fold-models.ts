import type { Matrix } from '../data/features.ts';
import { UsageError } from '../ground/errors.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { randomStream } from '../ground/random.ts';
import type { Estimator, FittedModel } from '../models/estimator.ts';
import { predictsFromPhotos } from '../models/fine-tune/learns-from-photos.ts';
import { photoEstimator } from '../models/fine-tune/photo-estimator.ts';
import { inputCount, type RecipeInputs } from '../models/recipe-inputs.ts';
import { recipeEstimator } from '../models/registry.ts';
import type { Targets } from '../pasture/targets.ts';
import { pooledSpread, type Spread, spreadOf } from './photo-prediction.ts';
import { foldFolder, type RunManifest } from './run-folder.ts';

/** The fold models of a run, in order. @throws InputError when one cannot be read */
export async function readFoldModels(
  run: string,
  { recipe, ...manifest }: RunManifest,
): Promise<FittedModel<RecipeInputs>[]> {
  const trainedWith = manifest.data.sets[0]?.weights?.sha256;
  const estimator: Estimator<RecipeInputs> = predictsFromPhotos(recipe)
    ? photoEstimator(recipe, { ...(trainedWith !== undefined && { trainedWith }) })
    : recipeEstimator(recipe);
  const models: FittedModel<RecipeInputs>[] = [];
  for (let fold = 0; fold < manifest.folds.count; fold++) {
    models.push(await estimator.read(foldFolder(run, fold)));
  }
  return models;
}

/** What each model says of each photo in each view, grams; one model is open at a time. `[fold][view][photo]` */
export async function predictEachFold(
  models: readonly FittedModel<RecipeInputs>[],
  views: readonly RecipeInputs[],
  progress: Progress = SILENT,
): Promise<Targets[][][]> {
  // Only backbones of the folds' own take long; features have been made by now.
  const isLong = views.some((view) => 'paths' in view);
  if (isLong) progress.stage('Predicting with every fold', models.length * views.length, 'views');
  const together = stackedViews(views);
  const folds: Targets[][][] = [];
  for (const model of models) {
    const seen: Targets[][] = [];
    if (together) {
      const all = await model.predict(together);
      const rows = all.length / views.length;
      seen.push(...views.map((_, view) => all.slice(view * rows, (view + 1) * rows)));
    } else {
      for (const view of views) {
        seen.push(await model.predict(view));
        if (isLong) progress.advance();
      }
    }
    await model.close?.();
    folds.push(seen);
  }
  if (isLong) progress.done();
  return folds;
}

/** Values of stacked views at most: 256 MiB. */
const STACKED_VALUES = 2 ** 25;

/** The rows of all views one after another, so that a model has to be opened once; null where they are too many. */
function stackedViews(views: readonly RecipeInputs[]): Matrix | null {
  const matrices = views.flatMap((view) => ('paths' in view ? [] : [view]));
  const [first] = matrices;
  const values = matrices.reduce((sum, { data }) => sum + data.length, 0);
  if (!first || matrices.length < views.length || values > STACKED_VALUES) return null;
  if (matrices.length === 1) return first;
  const data = new Float64Array(values);
  matrices.forEach((matrix, view) => {
    data.set(matrix.data, view * first.data.length);
  });
  return { ...first, rows: first.rows * matrices.length, data };
}

/**
 * Spread of each photo's masses with dropout left on (Gal & Ghahramani 2016): the standard deviation of
 * `samples` predictions of each fold model, the models' variances averaged, so that what the models differ in
 * stays out.
 *
 * @throws UsageError when the models have no dropout
 */
export async function dropoutSpreads(
  models: readonly FittedModel<RecipeInputs>[],
  inputs: RecipeInputs,
  samples: number,
  seed: number,
): Promise<Spread[]> {
  const count = inputCount(inputs);
  const byFold: Spread[][] = [];
  for (const [fold, model] of models.entries()) {
    if (!model.predictSamples) throw new UsageError('--mc-dropout: the run has a recipe without dropout');
    const random = randomStream(seed).fork('dropout').fork(fold);
    const drawn = await model.predictSamples(inputs, samples, random);
    byFold.push(
      Array.from({ length: count }, (_, photo) => spreadOf(drawn.map((sample) => sample[photo] as Targets))),
    );
  }
  return Array.from({ length: count }, (_, photo) =>
    pooledSpread(byFold.map((spreads) => spreads[photo] as Spread)),
  );
}
