import { availableParallelism } from 'node:os';
import { environment } from '../../ground/environment.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { startWorkersOr } from '../../ground/worker-pool.ts';
import { type PhotoMatrix, type PhotoVectorOptions, photoVectors } from '../photo-vectors.ts';
import type { OpenPhoto, Photo } from '../photos/index.ts';
import { INTERPOLATIONS } from '../preprocess/taps.ts';
import { viewCount } from '../preprocess/views.ts';
import type { Preprocessing, ResolvedWeights } from '../weights/index.ts';
import { openNetwork } from './network.ts';
import { combinedWidth, combineViews, type FeaturePlan, viewCut } from './plan.ts';
import type { ViewRecipe } from './prepare-worker.ts';
import viewsOf, { type Unusable, type ViewsTask } from './views-worker.ts';

/** Rises whenever the same photo, weights and plan would give other numbers: 3, upright views as Pillow 13 has them. */
const EXTRACTION_VERSION = 3;

/** The same where CLS alone is read: 4, a last block that is computed for it alone rounds otherwise. */
const CLS_EXTRACTION_VERSION = 4;

/**
 * Photos decoded and prepared ahead of the network: enough to keep it busy, and those that threads have time for while it
 * is being loaded, but no more views than so many bytes.
 */
const LEAST_AHEAD = 2;
const MOST_AHEAD = 16;
const MOST_AHEAD_BYTES = 2 ** 25;

/** Threads that decode and prepare. */
const PREPARERS = 2;

export interface FeatureOptions extends PhotoVectorOptions {
  /** How views are turned, 0 to 7 (see `ViewRecipe`); default 0. */
  readonly turn?: number;
}

/**
 * A frozen backbone that makes features of photos: each photo is decoded once, cut into views, resized as Pillow does,
 * normalised as the weights want, and run through the network while the next photos are being prepared. What a
 * photo, the weights and the plan determine is remembered, so a second run, another recipe or a grown folder
 * computes only what is new. Network and threads start with the first photo that is new, and stay until it is closed.
 */
export interface FeatureExtractor {
  /** Features a photo. */
  readonly columns: number;
  /** @throws InputError for a photo that cannot be used, unless `onError` is given */
  extract(photos: readonly Photo[], options?: Omit<FeatureOptions, 'cacheFolder'>): Promise<PhotoMatrix>;
  close(): Promise<void>;
}

/**
 * Makes weights and a plan ready.
 *
 * @throws InputError for weights that cannot be used
 * @throws UsageError when plan and backbone do not suit each other
 */
export async function openExtractor(
  weights: ResolvedWeights,
  plan: FeaturePlan,
  cacheFolder: string = environment().cacheFolder,
): Promise<FeatureExtractor> {
  const views = viewCount(viewCut(plan));
  const network = await openNetwork(weights, plan, views, cacheFolder);
  const columns = combinedWidth(plan, network.width);
  const ahead = photosAhead(views * 3 * network.size ** 2 * Float32Array.BYTES_PER_ELEMENT);
  let started: ReturnType<typeof startPreparer> | undefined;
  return {
    columns,
    extract(photos, { turn = 0, ...options } = {}) {
      const recipe = viewRecipe(weights.preprocessing, plan, network.size, turn);
      const version = network.readsClsAlone ? CLS_EXTRACTION_VERSION : EXTRACTION_VERSION;
      const made = [version, weights.sha256, weights.arch, weights.config, plan, recipe];
      const maker = {
        stage: 'Extracting features',
        kind: `features-${valueFingerprint(made)}`,
        columns,
        atOnce: network.atOnce(photos.length) + ahead,
        async vectorOf(photo: OpenPhoto) {
          network.begin(photos.length);
          started ??= startPreparer();
          const { name, bytes, corners } = photo;
          const given = { name, bytes, ...(corners && { corners }) };
          const prepared = await started.run({ photo: given, plan, recipe });
          if ('where' in prepared) throw new InputError(prepared.where, prepared.what, prepared.remedy);
          return combineViews(plan, await network.run(prepared, views, photos.length), network.width);
        },
      };
      return photoVectors(photos, maker, { cacheFolder, ...options });
    },
    async close() {
      await started?.close();
      await network.dispose();
    },
  };
}

/** @param bytes of a photo's views */
const photosAhead = (bytes: number): number =>
  Math.max(LEAST_AHEAD, Math.min(MOST_AHEAD, Math.floor(MOST_AHEAD_BYTES / bytes)));

const startPreparer = () =>
  startWorkersOr<ViewsTask, Float32Array | Unusable>(
    import.meta.url,
    'views-worker',
    Math.min(PREPARERS, availableParallelism()),
    viewsOf,
    (gate) => ({ gate }),
  );

/** Features of photos by an extractor of their own. @throws as {@link openExtractor} and its `extract` */
export async function extractFeatures(
  photos: readonly Photo[],
  weights: ResolvedWeights,
  plan: FeaturePlan,
  { cacheFolder, ...options }: FeatureOptions = {},
): Promise<PhotoMatrix> {
  const extractor = await openExtractor(weights, plan, cacheFolder);
  try {
    return await extractor.extract(photos, options);
  } finally {
    await extractor.close();
  }
}

/**
 * How views of a photo become what a network takes.
 *
 * @param size side of a view, pixels
 * @param turn 0 to 7, see {@link ViewRecipe}
 * @throws UsageError when the weights want an interpolation that there is not
 */
export function viewRecipe(
  { interpolation, mean, std }: Preprocessing,
  plan: FeaturePlan,
  size: number,
  turn: number,
): ViewRecipe {
  const known = INTERPOLATIONS.find((name) => name === interpolation);
  if (!known)
    throw new UsageError(`views cannot be resized by ${interpolation}; use ${INTERPOLATIONS.join(', ')}`);
  return { plan: viewCut(plan), size, interpolation: known, mean, std, turn };
}
