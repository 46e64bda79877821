import { availableParallelism } from 'node:os';
import { environment } from '../../ground/environment.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { startWorkersOr } from '../../ground/worker-pool.ts';
import { type PhotoMatrix, type PhotoVectorOptions, photoVectors } from '../photo-vectors.ts';
import { decodeOpenPhoto, type OpenPhoto, type Pixels } from '../photos/index.ts';
import { INTERPOLATIONS } from '../preprocess/resample.ts';
import { viewCount } from '../preprocess/views.ts';
import type { Preprocessing, ResolvedWeights } from '../weights/index.ts';
import { openNetwork } from './network.ts';
import { combinedWidth, combineViews, type FeaturePlan, viewCut } from './plan.ts';
import prepareViews, { type PreparationTask, type ViewRecipe } from './prepare-worker.ts';

/** Rises whenever the same photo, weights and plan would give other numbers. */
const EXTRACTION_VERSION = 2;

/** Photos decoded and prepared ahead of the network: enough to keep it busy, few enough to bound memory. */
const PHOTOS_AHEAD = 2;

interface FeatureOptions extends PhotoVectorOptions {
  /** How views are turned, 0 to 7 (see `ViewRecipe`); default 0. */
  readonly turn?: number;
}

/**
 * Features of photos from a frozen backbone: each photo is decoded once, cut into views, resized as Pillow does,
 * normalised as the weights want, and run through the network while the next photos are being prepared. What a
 * photo, the weights and the plan determine is remembered, so a second run, another recipe or a grown folder
 * computes only what is new.
 *
 * @throws InputError for weights that cannot be used, and for such a photo unless `onError` is given
 * @throws UsageError when plan and backbone do not suit each other
 */
export async function extractFeatures(
  photoPaths: readonly string[],
  weights: ResolvedWeights,
  plan: FeaturePlan,
  { cacheFolder = environment().cacheFolder, turn = 0, ...options }: FeatureOptions = {},
): Promise<PhotoMatrix> {
  const views = viewCount(viewCut(plan));
  const network = await openNetwork(weights, plan, views, cacheFolder);
  const recipe = viewRecipe(weights.preprocessing, plan, network.size, turn);
  const made = [EXTRACTION_VERSION, weights.sha256, weights.arch, weights.config, plan, recipe];
  const threads = Math.min(PHOTOS_AHEAD, availableParallelism());
  const preparer = startWorkersOr<PreparationTask, Float32Array>(
    import.meta.url,
    'prepare-worker',
    threads,
    prepareViews,
  );
  try {
    return await photoVectors(
      photoPaths,
      {
        stage: 'Extracting features',
        kind: `features-${valueFingerprint(made)}`,
        columns: combinedWidth(plan, network.width),
        atOnce: 1 + PHOTOS_AHEAD,
        async vectorOf(photo) {
          const prepared = await preparer.run({ pixels: await decodeForViews(photo), recipe });
          return combineViews(plan, await network.run(prepared, views), network.width);
        },
      },
      { cacheFolder, ...options },
    );
  } finally {
    await preparer.close();
    await network.dispose();
  }
}

/** The pixels of a photo that can be cut into views. @throws InputError where it does not decode or is too small */
export async function decodeForViews(photo: OpenPhoto): Promise<Pixels> {
  const pixels = await decodeOpenPhoto(photo);
  if (pixels.width >= 2 * 2 && pixels.height >= 2) return pixels;
  throw new InputError(
    photo.path,
    `is only ${pixels.width}×${pixels.height} pixels`,
    'give a photo of a quadrat',
  );
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
