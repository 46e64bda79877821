import { basename, extname, resolve } from 'node:path';
import { type Matrix, readFeatureTable, takeRows } from '../data/features.ts';
import type { TestPhoto } from '../data/folder.ts';
import type { PhotoMasses } from '../data/predictions.ts';
import { InputError, SwardError, UsageError } from '../ground/errors.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { matrixEstimator } from '../models/registry.ts';
import { TARGET_NAMES, type Targets, targetsFromArray, targetsToArray } from '../pasture/targets.ts';
import { computeDescriptors } from '../vision/descriptors/index.ts';
import { listPhotos } from '../vision/photos/index.ts';
import { foldFolder, type RunManifest, readCompleteManifest } from './run-folder.ts';

/** A photo to predict: its id (the file's name without ending) and where it lies. */
export type PhotoToPredict = Pick<TestPhoto, 'imageId' | 'path'>;

export interface PredictOptions {
  readonly progress?: Progress;
  /** Told of each photo that cannot be used, which is then left out; without it the first one is an error. */
  readonly onUnusable?: (error: SwardError) => void;
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
  if (manifest.recipe.input.kind !== 'descriptors') {
    throw new UsageError(`${run} was trained on features; give --features and --ids instead of photos`);
  }
  const { onUnusable } = options;
  const unusable = new Set<string>();
  const table = await computeDescriptors(
    photos.map((photo) => photo.path),
    {
      progress: options.progress ?? SILENT,
      ...(onUnusable && {
        onError: (path: string, error: SwardError) => {
          unusable.add(path);
          onUnusable(error);
        },
      }),
    },
  );
  const kept = photos.map((_, row) => row).filter((row) => !unusable.has(photos[row]?.path ?? ''));
  if (kept.length === 0) throw new SwardError(`none of the ${photos.length} photos can be used`);
  const masses = await predictMatrix(run, manifest, takeRows(table, kept));
  return kept.map((row, index) => ({
    imageId: photos[row]?.imageId ?? '',
    targets: masses[index] as Targets,
  }));
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
  const { count } = manifest.folds;
  const sums = Array.from({ length: inputs.rows }, () => TARGET_NAMES.map(() => 0));
  for (let fold = 0; fold < count; fold++) {
    const model = await estimator.read(foldFolder(run, fold));
    const masses = await model.predict(inputs);
    masses.forEach((targets, row) => {
      targetsToArray(targets).forEach((mass, target) => {
        const sum = sums[row];
        if (sum) sum[target] = (sum[target] ?? 0) + mass / count;
      });
    });
  }
  return sums.map((row) => targetsFromArray(row));
}
