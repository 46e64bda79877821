import type { Matrix } from '../ground/matrix.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import type { RandomStream } from '../ground/random.ts';
import type { Estimator, FittedModel } from '../learning/estimator.ts';
import { predictsFromPhotos } from '../recipes/learns-from-photos.ts';
import { photoEstimator } from '../recipes/photo-estimator.ts';
import type { RecipeInputs } from '../samples/recipe-inputs.ts';
import { recipeEstimator } from '../recipes/registry.ts';
import type { Targets } from '../pasture/targets.ts';
import { pooledSpread, type Spread, spreadOf } from './photo-prediction.ts';
import { foldFolder, type RunManifest, readCompleteManifest } from './run-folder.ts';

/** The fold models of a run, in order. @throws InputError when one cannot be read */
export async function readFoldModels(
  run: string,
  manifest: RunManifest,
): Promise<FittedModel<RecipeInputs>[]> {
  const estimator = runEstimator(manifest);
  const models: FittedModel<RecipeInputs>[] = [];
  for (let fold = 0; fold < manifest.folds.count; fold++) {
    models.push(await estimator.read(foldFolder(run, fold)));
  }
  return models;
}

/** Whether the models of a run have dropout that can be left on. @throws InputError when they cannot be read */
export async function hasDropout(run: string): Promise<boolean> {
  const estimator = runEstimator(await readCompleteManifest(run));
  const model = await estimator.read(foldFolder(run, 0));
  return model.predictSamples !== undefined;
}

/** What reads the models of a run. */
function runEstimator({ recipe, data }: RunManifest): Estimator<RecipeInputs> {
  const trainedWith = data.sets[0]?.weights?.sha256;
  return predictsFromPhotos(recipe)
    ? photoEstimator(recipe, { ...(trainedWith !== undefined && { trainedWith }) })
    : recipeEstimator(recipe);
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

/** Masses said with dropout left on, grams. `[fold][sample][photo]` */
export type DropoutDraws = readonly (readonly (readonly Targets[])[])[];

/**
 * `samples` predictions of each fold model with dropout left on (Gal & Ghahramani 2016).
 *
 * @param random every fold draws from a fork of it
 * @returns null when the models have no dropout
 */
export async function dropoutDraws(
  models: readonly FittedModel<RecipeInputs>[],
  inputs: RecipeInputs,
  samples: number,
  random: RandomStream,
): Promise<DropoutDraws | null> {
  const draws: Targets[][][] = [];
  for (const [fold, model] of models.entries()) {
    if (!model.predictSamples) return null;
    draws.push(await model.predictSamples(inputs, samples, random.fork(fold)));
  }
  return draws;
}

/**
 * Spread of each photo's masses: the standard deviation over the samples of each fold, the folds' variances averaged,
 * so that what the models differ in stays out.
 */
export function dropoutSpreads(draws: DropoutDraws): Spread[] {
  const photos = draws[0]?.[0]?.length ?? 0;
  return Array.from({ length: photos }, (_, photo) =>
    pooledSpread(draws.map((samples) => spreadOf(samples.map((sample) => sample[photo] as Targets)))),
  );
}
