import { basename, extname, resolve } from 'node:path';
import { type Matrix } from '../ground/matrix.ts';
import { readFeatureTables } from '../data/feature-tables.ts';
import type { TestPhoto } from '../data/folder.ts';
import { InputError, SwardError, UsageError } from '../ground/errors.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { randomStream } from '../ground/random.ts';
import { predictsFromPhotos } from '../recipes/learns-from-photos.ts';
import type { RecipeInputs } from '../samples/recipe-inputs.ts';
import type { Targets } from '../pasture/targets.ts';
import { inspectPhoto, listPhotos } from '../vision/photos/index.ts';
import { domainShares } from './domain-record.ts';
import {
  memberFeatures,
  type PhotoStates,
  predictEnsemble,
  refuseStates,
  toldOnce,
} from './ensemble-predict.ts';
import { dropoutDraws, dropoutSpreads, predictEachFold, readFoldModels } from './fold-models.ts';
import { photoInputs } from '../samples/photo-inputs.ts';
import { meanTargets, type PhotoPrediction } from './photo-prediction.ts';
import { isEnsemble, type RunManifest, readCompleteManifest } from './run-folder.ts';

/** A photo to predict: its id (the file's name without ending) and where it lies. */
export type PhotoToPredict = Pick<TestPhoto, 'imageId' | 'path'>;

/** What is asked for besides the masses. */
export interface PredictionExtras {
  /** Adds the spread over this many predictions with dropout left on. */
  readonly dropoutSamples?: number;
  /** States of the photos, for ensembles with a rule that needs them. */
  readonly states?: PhotoStates;
  /**
   * Which member of an ensemble the run predicts as, from 0: what it draws with dropout left on is its own and is
   * kept, and it may have no dropout.
   */
  readonly member?: number;
}

export interface PredictOptions extends PredictionExtras {
  readonly progress?: Progress;
  /** Told of each photo that cannot be used, which is then left out; without it the first one is an error. */
  readonly onUnusable?: (error: SwardError) => void;
  /** Turns of each photo that predictions are averaged over; default none. */
  readonly tta?: keyof typeof TEST_TIME_TURNS;
  /** Whether it is wanted how unlike the training photos each is, which may need its descriptors; default true. */
  readonly outOfDomain?: boolean;
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
  if (await isEnsemble(run)) {
    const { states: _, ...shared } = options;
    const onUnusable = toldOnce(options.onUnusable);
    return predictEnsemble(
      run,
      (folder, member) =>
        predictPhotos(folder, photos, { ...shared, ...(onUnusable && { onUnusable }), member }),
      options,
    );
  }
  refuseStates(run, options);
  const manifest = await readCompleteManifest(run);
  const { input } = manifest.recipe;
  if (input.kind === 'features') {
    throw new UsageError(`${run} was trained on features; give --features and --ids instead of photos`);
  }
  // Descriptors are the same for every turn of a photo.
  const turns = input.kind === 'descriptors' ? TEST_TIME_TURNS.none : TEST_TIME_TURNS[options.tta ?? 'none'];
  if (predictsFromPhotos(manifest.recipe)) {
    const usable = await decodablePhotos(photos, options);
    const paths = usable.map((photo) => photo.path);
    const [first, ...others] = turns.map((turn) => ({ paths, turn }));
    return predictViews(run, manifest, usable, [first ?? { paths }, ...others], options);
  }
  let usable = photos;
  const view = async (turn: number): Promise<Matrix> => {
    const paths = usable.map((photo) => photo.path);
    const { matrix, unusable } = await photoInputs(paths, input, {
      progress: options.progress ?? SILENT,
      turn,
      trainedOn: manifest.data.sets,
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

/** All photos, or with `onUnusable` those that decode. @throws SwardError when none does */
async function decodablePhotos(
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
 * Predicts rows of a feature file with a run, as {@link predictPhotos}; with an ensemble, of one file for each feature
 * file its members were trained on.
 *
 * @throws InputError when files do not fit together or the run
 */
export async function predictFeatures(
  run: string,
  features: string | readonly string[],
  ids: string,
  options: PredictionExtras = {},
): Promise<PhotoPrediction[]> {
  const files = [features].flat();
  if (await isEnsemble(run)) {
    const fileOf = await memberFeatures(run, files);
    const { states: _, ...shared } = options;
    return predictEnsemble(
      run,
      (folder, member) => predictFeatures(folder, fileOf.get(folder) ?? [], ids, { ...shared, member }),
      options,
    );
  }
  refuseStates(run, options);
  const manifest = await readCompleteManifest(run);
  if (manifest.recipe.input.kind !== 'features') {
    throw new UsageError(`${run} was trained on photos; give photos instead of --features`);
  }
  const { sets } = manifest.data;
  if (files.length !== sets.length) {
    throw new UsageError(
      `${run} was trained on ${sets.length} feature file${sets.length > 1 ? 's' : ''} ` +
        `(${sets.map(({ name }) => name).join(', ')}); give as many, not ${files.length}`,
    );
  }
  const table = await readFeatureTables(files, ids);
  for (const [index, { name, columns }] of sets.entries()) {
    const given = table.matrix.sets?.[index]?.columns;
    if (given === columns) continue;
    throw new InputError(
      files[index] ?? run,
      `has ${given} columns, but ${run} was trained on ${columns} (${name})`,
      'make the features with the same backbone and settings, and give the files in the same order',
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
  views: readonly [RecipeInputs, ...RecipeInputs[]],
  {
    dropoutSamples,
    member,
    outOfDomain = true,
    progress = SILENT,
  }: PredictionExtras & Pick<PredictOptions, 'outOfDomain' | 'progress'>,
): Promise<PhotoPrediction[]> {
  const models = await readFoldModels(run, manifest);
  if (dropoutSamples && member === undefined && !models.every(({ predictSamples }) => predictSamples)) {
    throw new UsageError('--mc-dropout: the run has a recipe without dropout');
  }
  const byFold = await predictEachFold(models, views, progress);
  const random = randomStream(manifest.seed).fork('dropout');
  // Members of one seed would else draw the same, and what they leave out would be no chance of each one's own.
  const own = member === undefined ? random : random.fork(`member ${member}`);
  const draws = dropoutSamples ? await dropoutDraws(models, views[0], dropoutSamples, own) : null;
  const spreads = draws && dropoutSpreads(draws);
  const shares = outOfDomain ? await domainShares(run, views[0], progress) : null;
  return photos.map(({ imageId, path }, row) => {
    const folds = byFold.map((seen) => meanTargets(seen.map((view) => view[row] as Targets)));
    return {
      imageId,
      path,
      targets: meanTargets(folds),
      folds,
      dropoutSpread: spreads?.[row] ?? null,
      ...(draws &&
        member !== undefined && {
          dropoutDraws: draws.map((samples) => samples.map((sample) => sample[row] as Targets)),
        }),
      intervals: null,
      outOfDomain: shares?.[row] ?? null,
    };
  });
}
