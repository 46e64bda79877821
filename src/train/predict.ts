import { basename, extname, resolve } from 'node:path';
import { type Matrix, readFeatureTable } from '../data/features.ts';
import type { TestPhoto } from '../data/folder.ts';
import { InputError, type SwardError, UsageError } from '../ground/errors.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import type { Targets } from '../pasture/targets.ts';
import { listPhotos } from '../vision/photos/index.ts';
import { dropoutSpreads, predictEachFold, readFoldModels } from './fold-models.ts';
import { photoInputs } from './photo-inputs.ts';
import { meanTargets, type PhotoPrediction } from './photo-prediction.ts';
import { type RunManifest, readCompleteManifest } from './run-folder.ts';

/** A photo to predict: its id (the file's name without ending) and where it lies. */
export type PhotoToPredict = Pick<TestPhoto, 'imageId' | 'path'>;

/** What is asked for besides the masses. */
export interface PredictionExtras {
  /** Adds the spread over this many predictions with dropout left on. */
  readonly dropoutSamples?: number;
}

export interface PredictOptions extends PredictionExtras {
  readonly progress?: Progress;
  /** Told of each photo that cannot be used, which is then left out; without it the first one is an error. */
  readonly onUnusable?: (error: SwardError) => void;
  /** Turns of each photo that predictions are averaged over; default none. */
  readonly tta?: keyof typeof TEST_TIME_TURNS;
}

/**
 * The photos behind files and folders, by name; folders are not searched deeper.
 *
 * @throws InputError when there is none, or two photos would have the same id
 */
export async function findPhotos(paths: readonly string[]): Promise<PhotoToPredict[]> {
  const found = new Map<string, string>();
  for (const given of paths) {
    for (const path of await listPhotos(given)) {
      const imageId = basename(path, extname(path));
      const other = found.get(imageId);
      if (other !== undefined && resolve(other) !== resolve(path)) {
        throw new InputError(path, `has the same id ${imageId} as ${other}`, 'rename one of the photos');
      }
      found.set(imageId, path);
    }
  }
  return [...found].map(([imageId, path]) => ({ imageId, path }));
}

/** Turns of a photo that predictions are averaged over: none, mirror images, or the whole group of the square. */
export const TEST_TIME_TURNS = { none: [0], flips: [0, 1, 2], d4: [0, 1, 2, 3, 4, 5, 6, 7] } as const;

/**
 * Predicts photos with a run: the mean of its fold models, in grams a quadrat.
 *
 * @throws InputError when the run is unfinished or a photo cannot be used
 * @throws UsageError when the run reads features instead of photos
 */
export async function predictPhotos(
  run: string,
  photos: readonly PhotoToPredict[],
  options: PredictOptions = {},
): Promise<PhotoPrediction[]> {
  const manifest = await readCompleteManifest(run);
  const { input } = manifest.recipe;
  if (input.kind === 'features') {
    throw new UsageError(`${run} was trained on features; give --features and --ids instead of photos`);
  }
  // Descriptors are the same for every turn of a photo.
  const turns = input.kind === 'descriptors' ? TEST_TIME_TURNS.none : TEST_TIME_TURNS[options.tta ?? 'none'];
  let usable = photos;
  const view = async (turn: number): Promise<Matrix> => {
    const paths = usable.map((photo) => photo.path);
    const { matrix, unusable } = await photoInputs(paths, input, {
      progress: options.progress ?? SILENT,
      turn,
      weights: manifest.data.weights,
      ...(options.onUnusable && { onUnusable: options.onUnusable }),
    });
    usable = usable.filter((_, index) => !unusable.has(index));
    return matrix;
  };
  // Photos that cannot be used drop out in the first view.
  const views: [Matrix, ...Matrix[]] = [await view(0)];
  for (const turn of turns.slice(1)) views.push(await view(turn));
  return predictViews(run, manifest, usable, views, options);
}

/**
 * Predicts rows of a feature file with a run, as {@link predictPhotos}.
 *
 * @throws InputError when files do not fit together or the run
 */
export async function predictFeatures(
  run: string,
  features: string,
  ids: string,
  options: PredictionExtras = {},
): Promise<PhotoPrediction[]> {
  const manifest = await readCompleteManifest(run);
  if (manifest.recipe.input.kind !== 'features') {
    throw new UsageError(`${run} was trained on photos; give photos instead of --features`);
  }
  const table = await readFeatureTable(features, ids);
  if (table.matrix.columns !== manifest.data.inputColumns) {
    throw new InputError(
      features,
      `has ${table.matrix.columns} columns, but ${run} was trained on ${manifest.data.inputColumns}`,
      'make the features with the same backbone and settings',
    );
  }
  const photos = table.ids.map((imageId) => ({ imageId, path: null }));
  return predictViews(run, manifest, photos, [table.matrix], options);
}

/** One record a photo from its inputs, which come once a view; the first view is the photo as it is. */
async function predictViews(
  run: string,
  manifest: RunManifest,
  photos: readonly { readonly imageId: string; readonly path: string | null }[],
  views: readonly [Matrix, ...Matrix[]],
  { dropoutSamples }: PredictionExtras,
): Promise<PhotoPrediction[]> {
  const models = await readFoldModels(run, manifest);
  const byView: Targets[][][] = [];
  for (const view of views) byView.push(await predictEachFold(models, view));
  const dropout = dropoutSamples
    ? await dropoutSpreads(models, views[0], dropoutSamples, manifest.seed)
    : null;
  return photos.map(({ imageId, path }, row) => {
    const folds = models.map((_, fold) => meanTargets(byView.map((view) => view[fold]?.[row] as Targets)));
    return {
      imageId,
      path,
      targets: meanTargets(folds),
      folds,
      dropoutSpread: dropout?.[row] ?? null,
      intervals: null,
      outOfDomain: null,
    };
  });
}
