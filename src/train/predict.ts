import { basename, extname, resolve } from 'node:path';
import { type Matrix, readFeatureTable } from '../data/features.ts';
import type { TestPhoto } from '../data/folder.ts';
import type { PhotoMasses } from '../data/predictions.ts';
import { InputError, SwardError, UsageError } from '../ground/errors.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { matrixEstimator } from '../models/registry.ts';
import { TARGET_NAMES, type Targets, targetsFromArray, targetsToArray } from '../pasture/targets.ts';
import { inspectPhoto, listPhotos } from '../vision/photos/index.ts';
import { photoInputs } from './photo-inputs.ts';
import { foldFolder, type RunManifest, readCompleteManifest } from './run-folder.ts';

/** A photo to predict: its id (the file's name without ending) and where it lies. */
export type PhotoToPredict = Pick<TestPhoto, 'imageId' | 'path'>;

export interface PredictOptions {
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
): Promise<PhotoMasses[]> {
  const manifest = await readCompleteManifest(run);
  const { input } = manifest.recipe;
  if (input.kind === 'features') {
    throw new UsageError(`${run} was trained on features; give --features and --ids instead of photos`);
  }
  const usable = await usablePhotos(photos, options);
  // Descriptors are the same for every turn of a photo.
  const turns = input.kind === 'descriptors' ? TEST_TIME_TURNS.none : TEST_TIME_TURNS[options.tta ?? 'none'];
  const views: Targets[][] = [];
  for (const turn of turns) {
    const { matrix } = await photoInputs(
      usable.map((photo) => photo.path),
      input,
      { progress: options.progress ?? SILENT, turn, weights: manifest.data.weights },
    );
    views.push(await predictMatrix(run, manifest, matrix));
  }
  return usable.map(({ imageId }, row) => ({
    imageId,
    targets: meanTargets(views.map((view) => view[row] as Targets)),
  }));
}

/** All photos, or with `onUnusable` those that decode. */
async function usablePhotos(
  photos: readonly PhotoToPredict[],
  { onUnusable }: PredictOptions,
): Promise<readonly PhotoToPredict[]> {
  if (!onUnusable) return photos;
  const usable: PhotoToPredict[] = [];
  for (const photo of photos) {
    try {
      await inspectPhoto(photo.path);
      usable.push(photo);
    } catch (error) {
      if (!(error instanceof SwardError)) throw error;
      onUnusable(error);
    }
  }
  if (usable.length === 0) throw new SwardError(`none of the ${photos.length} photos can be used`);
  return usable;
}

/**
 * Predicts rows of a feature file with a run, as {@link predictPhotos}.
 *
 * @throws InputError when files do not fit together or the run
 */
export async function predictFeatures(run: string, features: string, ids: string): Promise<PhotoMasses[]> {
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
  const masses = await predictMatrix(run, manifest, table.matrix);
  return table.ids.map((imageId, row) => ({ imageId, targets: masses[row] as Targets }));
}

async function predictMatrix(run: string, manifest: RunManifest, inputs: Matrix): Promise<Targets[]> {
  const estimator = matrixEstimator(manifest.recipe.estimator);
  const folds: Targets[][] = [];
  for (let fold = 0; fold < manifest.folds.count; fold++) {
    const model = await estimator.read(foldFolder(run, fold));
    folds.push(await model.predict(inputs));
  }
  return Array.from({ length: inputs.rows }, (_, row) =>
    meanTargets(folds.map((fold) => fold[row] as Targets)),
  );
}

/** The mean of several predictions of one photo; means of physical masses are physical. */
function meanTargets(predictions: readonly Targets[]): Targets {
  const sums = TARGET_NAMES.map(() => 0);
  for (const targets of predictions) {
    targetsToArray(targets).forEach((mass, target) => {
      sums[target] = (sums[target] ?? 0) + mass / predictions.length;
    });
  }
  return targetsFromArray(sums);
}
