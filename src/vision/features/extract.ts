import { availableParallelism } from 'node:os';
import { environment } from '../../ground/environment.ts';
import { InputError, SwardError, UsageError } from '../../ground/errors.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { startWorkers } from '../../ground/worker-pool.ts';
import { decodeOpenPhoto, type OpenPhoto, openPhoto, type Pixels } from '../photos/index.ts';
import { INTERPOLATIONS } from '../preprocess/resample.ts';
import { viewCount } from '../preprocess/views.ts';
import { photoHash, type VectorCache, vectorCache } from '../vector-cache.ts';
import type { Preprocessing, ResolvedWeights } from '../weights/index.ts';
import { combinedWidth, combineViews } from './combine.ts';
import { type FeatureNetwork, openNetwork } from './network.ts';
import { type FeaturePlan, viewCut } from './plan.ts';
import prepareViews, { type PreparationTask, type ViewRecipe } from './prepare-worker.ts';

/** Rises whenever the same photo, weights and plan would give other numbers. */
const EXTRACTION_VERSION = 2;

/** Photos decoded and prepared ahead of the network: enough to keep it busy, few enough to bound memory. */
const PHOTOS_AHEAD = 2;

/** Features of photos, one row a photo. */
export interface FeatureMatrix {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns] */
  readonly data: Float64Array;
  /** How many rows were computed now; the others came from the cache. */
  readonly computed: number;
}

export interface ExtractOptions {
  /** Where features are remembered by photo content, weights and plan; default: as configured. */
  readonly cacheFolder?: string;
  /** How views are turned, 0 to 7 (see `ViewRecipe`); default 0. */
  readonly turn?: number;
  readonly progress?: Progress;
  /** Told of every photo that cannot be used, whose row is then all NaN. Without it the first error is thrown. */
  readonly onError?: (path: string, error: SwardError) => void;
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
  options: ExtractOptions = {},
): Promise<FeatureMatrix> {
  const progress = options.progress ?? SILENT;
  const cacheFolder = options.cacheFolder ?? environment().cacheFolder;
  const network = await openNetwork(weights, plan, viewCount(viewCut(plan)), cacheFolder);
  const columns = combinedWidth(plan, network.width);
  const recipe = viewRecipe(weights.preprocessing, plan, network.size, options.turn ?? 0);
  const kind = `features-${valueFingerprint([EXTRACTION_VERSION, weights.sha256, weights.arch, weights.config, plan, recipe])}`;
  const cache = vectorCache(cacheFolder, kind, columns);
  const preparer = startPreparer();
  const data = new Float64Array(photoPaths.length * columns).fill(Number.NaN);
  let computed = 0;
  progress.stage('Extracting features', photoPaths.length, 'photos');
  try {
    const coming: Promise<PreparedPhoto>[] = [];
    for (let row = 0; row < photoPaths.length; row++) {
      for (const path of photoPaths.slice(row + coming.length, row + PHOTOS_AHEAD + 1)) {
        const photo = preparePhoto(path, cache, recipe, preparer);
        // A failure is met when its turn comes; until then it must not count as unhandled.
        photo.catch(() => {});
        coming.push(photo);
      }
      const photo = await (coming.shift() as Promise<PreparedPhoto>).catch((error: unknown) => {
        if (options.onError === undefined || !(error instanceof SwardError)) throw error;
        options.onError(photoPaths[row] as string, error);
        return null;
      });
      if (photo !== null) {
        if (photo.views) computed++;
        const values = photo.views
          ? await freshFeatures(photo.hash, photo.views, network, plan, cache)
          : photo.known;
        data.set(values, row * columns);
      }
      progress.advance();
    }
  } finally {
    await preparer.close();
    await network.dispose();
    progress.done();
  }
  return { rows: photoPaths.length, columns, data, computed };
}

/** A photo whose features are known, or whose views are ready for the network. */
type PreparedPhoto =
  | { readonly views?: undefined; readonly known: Float64Array }
  | { readonly hash: string; readonly views: Float32Array };

interface Preparer {
  prepare(task: PreparationTask): Promise<Float32Array>;
  close(): Promise<void>;
}

async function preparePhoto(
  path: string,
  cache: VectorCache,
  recipe: ViewRecipe,
  preparer: Preparer,
): Promise<PreparedPhoto> {
  const photo = await openPhoto(path);
  const hash = photoHash(photo.bytes);
  const known = await cache.read(hash);
  if (known) return { known };
  return { hash, views: await preparer.prepare({ pixels: await decodeForViews(photo), recipe }) };
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

async function freshFeatures(
  hash: string,
  views: Float32Array,
  network: FeatureNetwork,
  plan: FeaturePlan,
  cache: VectorCache,
): Promise<Float64Array> {
  const vectors = await network.run(views, viewCount(viewCut(plan)));
  const values = combineViews(plan, vectors, network.width);
  await cache.write(hash, values);
  return values;
}

/** Views are prepared on threads of their own where sward is built, else here. */
function startPreparer(): Preparer {
  const threads = Math.min(PHOTOS_AHEAD, availableParallelism());
  const workers = startWorkers<PreparationTask, Float32Array>(import.meta.url, 'prepare-worker', threads);
  if (!workers) return { prepare: async (task) => prepareViews(task), close: async () => {} };
  return { prepare: (task) => workers.run(task), close: () => workers.close() };
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
